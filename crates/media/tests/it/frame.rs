//! Posters and thumbnails of videos.

use std::time::Duration;

use media::Fit;

use crate::studio::{Studio, pixels};

#[tokio::test]
async fn a_poster_is_640_by_360_with_black_bars() {
    let studio = Studio::new();
    let args = "-f lavfi -i color=white:s=36x36:r=24 -frames:v 48 -c:v libx264 -pix_fmt yuv420p";
    let (clip, out) = (studio.make(args, "square.mp4"), studio.path("poster.jpg"));
    studio.media.poster(clip, &out).await.unwrap();
    let picture = pixels(&out);
    assert_eq!(picture.len(), 640 * 360 * 3);
    let at = |x: usize, y: usize| picture[(y * 640 + x) * 3];
    assert!(at(20, 180) < 20 && at(620, 180) < 20, "bars left and right");
    assert!(at(320, 180) > 230 && at(320, 5) > 230, "the picture in full height");
}

#[tokio::test]
async fn the_frame_is_taken_at_one_second_or_at_half_a_shorter_video() {
    let studio = Studio::new();
    // Black, then white from the given second on.
    for (white_from, seconds) in [(0.9, 3.0), (0.3, 0.8)] {
        let source = format!(
            "-f lavfi -i color=black:s=32x32:r=24:d={seconds},drawbox=c=white:t=fill:enable=gte(t\\,{white_from}) -c:v libx264 -pix_fmt yuv420p"
        );
        let clip = studio.make(&source, "clip.mp4");
        let out = studio.path("frame.jpg");
        studio.media.frame(clip, None, Fit::ASSET_THUMBNAIL, &out).await.unwrap();
        assert!(pixels(&out)[0] > 200, "of {seconds} s");
    }
}

#[tokio::test]
async fn a_video_of_one_frame_has_a_poster() {
    let studio = Studio::new();
    let clip = studio.clip("one.mp4", "64x36", "24", 1);
    studio.media.poster(clip, studio.path("poster.jpg")).await.unwrap();
}

#[tokio::test]
async fn a_time_past_the_end_is_moved_into_the_video() {
    let studio = Studio::new();
    let clip = studio.clip("clip.mp4", "64x36", "24", 24);
    let out = studio.path("frame.jpg");
    let size =
        studio.media.frame(clip, Some(Duration::from_secs(99)), Fit::ASSET_THUMBNAIL, out).await.unwrap();
    assert_eq!(size, (64, 36), "not enlarged");
}

#[tokio::test]
async fn what_has_no_frames_has_no_poster() {
    let studio = Studio::new();
    for path in [studio.music("music.mp3", 0.5), studio.write("text.mp4", "text")] {
        let error = studio.media.poster(path, studio.path("poster.jpg")).await.unwrap_err();
        assert!(error.is_about_the_input(), "{error:?}");
    }
}
