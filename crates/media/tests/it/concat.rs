//! Clips to a cut.

use std::path::PathBuf;

use media::{MediaError, Probe, Ratio, Source};
use rstest::rstest;

use crate::studio::{Studio, frame_hashes, starts_fast};

async fn join(studio: &Studio, clips: &[PathBuf]) -> (Probe, PathBuf) {
    let out = studio.path("cut.mp4");
    let sources: Vec<Source> = clips.iter().map(Source::from).collect();
    (studio.media.concat(&sources, &out, None).await.unwrap(), out)
}

#[tokio::test]
async fn clips_that_agree_are_copied_frame_by_frame() {
    let studio = Studio::new();
    let clips = [studio.clip("a.mp4", "64x36", "24", 24), studio.clip("b.mp4", "64x36", "24", 12)];
    let (probe, out) = join(&studio, &clips).await;
    assert_eq!(frame_hashes(&out), [frame_hashes(&clips[0]), frame_hashes(&clips[1])].concat());
    assert_eq!((probe.duration_ms, probe.audio), (1500, None));
    assert!(starts_fast(&out));
}

#[tokio::test]
async fn one_clip_is_a_cut_too() {
    let studio = Studio::new();
    let clip = studio.clip("it's a clip.mp4", "64x36", "24", 12);
    let (probe, out) = join(&studio, std::slice::from_ref(&clip)).await;
    assert_eq!(frame_hashes(&out), frame_hashes(&clip));
    assert_eq!(probe.duration_ms, 500);
}

#[tokio::test]
async fn no_clips_are_refused() {
    let studio = Studio::new();
    let error = studio.media.concat(&[], studio.path("cut.mp4"), None).await.unwrap_err();
    assert!(error.is_about_the_input(), "{error:?}");
}

/// Each way in which one clip may differ: it is normalised, the others keep every frame as it was.
#[rstest]
#[case::size("-f lavfi -i testsrc2=s=48x48:r=24 -frames:v 12 -c:v libx264 -pix_fmt yuv420p")]
#[case::odd_size("-f lavfi -i testsrc2=s=49x37:r=24 -frames:v 12 -c:v libx264 -pix_fmt yuv444p")]
#[case::rate("-f lavfi -i testsrc2=s=64x36:r=30 -frames:v 15 -c:v libx264 -pix_fmt yuv420p")]
#[case::pixel_format("-f lavfi -i testsrc2=s=64x36:r=24 -frames:v 12 -c:v libx264 -pix_fmt yuv444p")]
#[case::codec("-f lavfi -i testsrc2=s=64x36:r=24 -frames:v 12 -c:v mpeg4")]
#[case::timebase(
    "-f lavfi -i testsrc2=s=64x36:r=24 -frames:v 12 -c:v libx264 -pix_fmt yuv420p -video_track_timescale 90000"
)]
#[case::pixel_shape("-f lavfi -i testsrc2=s=64x36:r=24,setsar=2 -frames:v 12 -c:v libx264 -pix_fmt yuv420p")]
#[tokio::test]
async fn q52_an_odd_clip_is_normalised_and_the_others_are_copied(#[case] odd: &str) {
    let studio = Studio::new();
    let (first, last) = (studio.clip("a.mp4", "64x36", "24", 24), studio.clip("c.mp4", "64x36", "24", 24));
    let odd = studio.make(odd, "b.mp4");
    let (probe, out) = join(&studio, &[first.clone(), odd, last.clone()]).await;
    let video = probe.video.unwrap();
    assert_eq!((video.width, video.height, video.fps), (64, 36, Ratio { num: 24, den: 1 }));
    assert_eq!((probe.duration_ms, video.frames), (2500, Some(60)));
    let hashes = frame_hashes(&out);
    assert_eq!(hashes.len(), 60);
    assert!(hashes[..24] == frame_hashes(&first) && hashes[36..] == frame_hashes(&last));
}

#[tokio::test]
async fn clips_of_two_encoders_are_copied_with_their_setups() {
    let studio = Studio::new();
    let first = studio.clip("a.mp4", "64x36", "24", 24);
    let args = "-f lavfi -i testsrc2=s=64x36:r=24 -frames:v 24 -c:v libx264 -preset slow -pix_fmt yuv420p";
    let second = studio.make(args, "b.mp4");
    let (_, out) = join(&studio, &[first.clone(), second.clone()]).await;
    assert_eq!(frame_hashes(&out), [frame_hashes(&first), frame_hashes(&second)].concat());
}

#[tokio::test]
async fn clips_that_cannot_be_copied_are_coded_with_even_sides() {
    let studio = Studio::new();
    let args = "-f lavfi -i testsrc2=s=65x37:r=25 -frames:v 25 -c:v libx264 -pix_fmt yuv444p";
    let clips = [studio.make(args, "a.mp4"), studio.make(args, "b.mp4")];
    let (probe, _) = join(&studio, &clips).await;
    let video = probe.video.unwrap();
    assert_eq!((video.width, video.height, video.pix_fmt.as_str()), (64, 36, "yuv420p"));
    assert_eq!(probe.duration_ms, 2000);
}

#[tokio::test]
async fn the_sound_of_clips_is_left_out_and_leaves_no_gap() {
    let studio = Studio::new();
    let args = "-f lavfi -i testsrc2=s=64x36:r=24 -f lavfi -i sine=d=1.4 -map 0:v -map 1:a -frames:v 24 -c:v libx264 -pix_fmt yuv420p -c:a aac";
    let clips = [studio.make(args, "a.mp4"), studio.make(args, "b.mp4")];
    let (probe, _) = join(&studio, &clips).await;
    assert_eq!((probe.duration_ms, probe.audio), (2000, None));
}

#[tokio::test]
async fn a_clip_filmed_upright_stands_upright() {
    let studio = Studio::new();
    let flat = studio.clip("flat.mp4", "64x36", "24", 12);
    let turned = studio.make(&format!("-i {} -c copy -metadata:s:v rotate=90", flat.display()), "turned.mp4");
    let (probe, _) = join(&studio, &[turned]).await;
    let video = probe.video.unwrap();
    assert_eq!((video.width, video.height, video.rotation), (36, 64, 0));
}

#[tokio::test]
async fn the_poster_is_the_one_that_is_drawn_of_the_finished_cut() {
    let studio = Studio::new();
    for (frames, seconds) in [(24, "half of it"), (60, "1 s"), (1, "its only frame")] {
        let clips: [Source; 1] = [studio.clip("a.mp4", "64x48", "24", frames).into()];
        let (out, drawn, poster) =
            (studio.path("cut.mp4"), studio.path("drawn.jpg"), studio.path("poster.jpg"));
        studio.media.concat(&clips, &out, Some(&drawn)).await.unwrap();
        studio.media.poster(&out, &poster).await.unwrap();
        assert!(std::fs::read(&drawn).unwrap() == std::fs::read(&poster).unwrap(), "at {seconds}");
        for picture in [drawn, poster] {
            std::fs::remove_file(picture).unwrap();
        }
    }
}

#[tokio::test]
async fn a_clip_that_is_known_is_not_looked_at_again_but_has_to_be_all_there() {
    let studio = Studio::new();
    let clip = studio.clip("a.mp4", "64x36", "24", 24);
    let known = Source { probe: Some(studio.media.probe(&clip).await.unwrap()), path: clip.clone() };
    let out = studio.path("cut.mp4");
    let probe = studio.media.concat(std::slice::from_ref(&known), &out, None).await.unwrap();
    assert_eq!((probe.duration_ms, frame_hashes(&out).len()), (1000, 24));
    let bytes = std::fs::read(&clip).unwrap();
    studio.write("a.mp4", &bytes[..bytes.len() - 100]);
    let error = studio.media.concat(&[known], &out, None).await.unwrap_err();
    assert!(matches!(&error, MediaError::Truncated { .. }), "{error}");
}

#[tokio::test]
async fn a_broken_clip_is_named() {
    let studio = Studio::new();
    let good = studio.clip("a.mp4", "64x36", "24", 24);
    let bytes = std::fs::read(&good).unwrap();
    let cut_off = studio.write("b.mp4", &bytes[..bytes.len() - 100]);
    let error =
        studio.media.concat(&[good.into(), cut_off.into()], studio.path("cut.mp4"), None).await.unwrap_err();
    assert!(
        matches!(&error, MediaError::Truncated { detail } if detail.starts_with("clip 2 of 2")),
        "{error}"
    );
}
