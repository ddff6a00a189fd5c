//! Soundtracks, and cuts with them.

use std::path::PathBuf;
use std::time::Duration;

use media::{Probe, SoundShape, Source, Sync};

use crate::studio::{Studio, frame_hashes, loudness, starts_fast, volume};

async fn mixed(studio: &Studio, frames: u32, audio: &PathBuf) -> (Probe, PathBuf, PathBuf) {
    let cut = studio.clip("cut.mp4", "64x36", "24", frames);
    let out = studio.path("mix.mp4");
    let probe = studio.media.mix(&Source::from(&cut), audio, &out, None).await.unwrap();
    (probe, cut, out)
}

fn assert_lengths(probe: &Probe, ms: u64) {
    let (video, audio) = (probe.video.as_ref().unwrap(), probe.audio.as_ref().unwrap());
    assert_eq!(video.duration_us, ms * 1000);
    assert!(audio.duration_us.abs_diff(video.duration_us) <= 50_000, "{audio:?}");
}

#[tokio::test]
async fn longer_sound_is_trimmed_and_the_video_is_copied() {
    let studio = Studio::new();
    let (probe, cut, out) = mixed(&studio, 96, &studio.music("long.mp3", 7.0)).await;
    assert_lengths(&probe, 4000);
    assert_eq!(frame_hashes(&out), frame_hashes(&cut));
    assert_eq!(probe.audio.unwrap().codec, "aac");
    assert!(starts_fast(&out));
}

#[tokio::test]
async fn shorter_sound_is_repeated_and_the_video_is_never_shortened() {
    let studio = Studio::new();
    let (probe, cut, out) = mixed(&studio, 192, &studio.music("short.wav", 1.5)).await;
    assert_lengths(&probe, 8000);
    assert_eq!(frame_hashes(&out).len(), frame_hashes(&cut).len());
    for second in 0..6 {
        let heard = volume(&out, f64::from(second), 1.0);
        assert!(heard > -30.0, "second {second} has {heard} dB");
    }
}

#[tokio::test]
async fn sound_that_is_a_little_short_is_padded() {
    let studio = Studio::new();
    let (probe, ..) = mixed(&studio, 96, &studio.music("almost.wav", 3.7)).await;
    assert_lengths(&probe, 4000);
}

#[tokio::test]
async fn the_last_two_seconds_fade_out() {
    let studio = Studio::new();
    let (_, _, out) = mixed(&studio, 144, &studio.music("music.wav", 9.0)).await;
    let (before, fading, end) = (volume(&out, 3.0, 0.9), volume(&out, 4.9, 0.2), volume(&out, 5.9, 0.1));
    assert!(before - fading > 3.0, "{before} {fading}");
    assert!(before - end > 20.0, "{before} {end}");
}

#[tokio::test]
async fn a_short_video_fades_over_its_second_half() {
    let studio = Studio::new();
    let (probe, _, out) = mixed(&studio, 24, &studio.music("music.wav", 9.0)).await;
    assert_lengths(&probe, 1000);
    assert!(volume(&out, 0.2, 0.3) - volume(&out, 0.9, 0.1) > 15.0);
}

#[tokio::test]
async fn quiet_and_loud_sound_come_out_equally_loud() {
    let studio = Studio::new();
    for (name, gain) in [("quiet.wav", "0.004"), ("loud.wav", "0.9")] {
        let source = format!("-f lavfi -i anoisesrc=d=6:c=pink:seed=1,volume={gain} -ac 2 -ar 48000");
        let out = studio.path("track.m4a");
        let length = Duration::from_secs(6);
        studio.media.soundtrack(studio.make(&source, name), length, &out).await.unwrap();
        let heard = loudness(&out);
        assert!((heard + 16.0).abs() < 1.5, "{name} has {heard} LUFS");
    }
}

#[tokio::test]
async fn silence_stays_silence() {
    let studio = Studio::new();
    let silence = studio.make("-f lavfi -i anullsrc=r=44100:cl=mono -t 3", "silence.wav");
    let (probe, _, out) = mixed(&studio, 48, &silence).await;
    assert_lengths(&probe, 2000);
    assert!(volume(&out, 0.0, 2.0) < -80.0);
}

#[tokio::test]
async fn sound_that_the_cut_has_is_replaced() {
    let studio = Studio::new();
    let args = "-f lavfi -i testsrc2=s=64x36:r=24 -f lavfi -i sine=d=3 -map 0:v -map 1:a -frames:v 48 -c:v libx264 -pix_fmt yuv420p -c:a aac";
    let cut = studio.make(args, "noisy.mp4");
    let silence = studio.make("-f lavfi -i anullsrc=r=48000:cl=stereo -t 3", "silence.wav");
    let out = studio.path("mix.mp4");
    assert_lengths(&studio.media.mix(&cut.into(), silence, &out, None).await.unwrap(), 2000);
    assert!(volume(&out, 0.0, 2.0) < -80.0);
}

#[tokio::test]
async fn a_mix_comes_with_the_poster_of_its_cut() {
    let studio = Studio::new();
    let (cut, music) = (studio.clip("cut.mp4", "64x48", "24", 60), studio.music("music.wav", 3.0));
    let (out, drawn, poster) = (studio.path("mix.mp4"), studio.path("drawn.jpg"), studio.path("poster.jpg"));
    studio.media.mix(&Source::from(&cut), music, &out, Some(&drawn)).await.unwrap();
    studio.media.poster(&cut, &poster).await.unwrap();
    assert!(std::fs::read(drawn).unwrap() == std::fs::read(poster).unwrap());
}

#[tokio::test]
async fn what_is_no_sound_is_refused() {
    let studio = Studio::new();
    let cut = studio.clip("cut.mp4", "64x36", "24", 24);
    let text = studio.write("text.mp3", "no music");
    let blip = studio.music("blip.wav", 0.1);
    for not_music in [&cut, &text, &blip] {
        let error =
            studio.media.mix(&Source::from(&cut), not_music, studio.path("mix.mp4"), None).await.unwrap_err();
        assert!(error.is_about_the_input(), "{error:?}");
    }
}

#[tokio::test]
async fn a_soundtrack_has_exactly_the_length_asked_for() {
    let studio = Studio::new();
    let music = studio.music("music.mp3", 2.0);
    for (name, ms) in [("a.m4a", 3333), ("a.mp3", 1017), ("a.wav", 2500)] {
        let probe =
            studio.media.soundtrack(&music, Duration::from_millis(ms), studio.path(name)).await.unwrap();
        assert!(probe.duration_ms.abs_diff(ms) <= 50, "{name}: {} ms", probe.duration_ms);
    }
}

#[tokio::test]
async fn music_is_stretched_or_compressed_to_the_video_and_faded_as_asked() {
    let studio = Studio::new();
    let cut = studio.clip("cut.mp4", "64x36", "24", 96);
    for (sync, seconds) in [(Sync::Stretch, 3.0), (Sync::Compress, 6.0)] {
        let music = studio.music("music.wav", seconds);
        let out = studio.path("shaped.mp4");
        let shape = SoundShape { sync, fade: Duration::ZERO };
        let probe = studio.media.mix_shaped(&Source::from(&cut), &music, shape, &out, None).await.unwrap();
        assert_lengths(&probe, 4000);
        let (middle, end) = (volume(&out, 1.5, 0.5), volume(&out, 3.5, 0.4));
        assert!((middle - end).abs() < 3.0, "{sync:?}: heard to the end, without a fade: {middle} {end}");
    }
}
