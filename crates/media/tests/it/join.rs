//! Segments of music to one piece.

use std::path::PathBuf;
use std::time::Duration;

use media::{Ending, JoinPlan, Segment};

use crate::studio::{Studio, volume};

fn plan(crossfade_ms: u64, segments: &[(&PathBuf, u64)]) -> JoinPlan {
    let segments =
        segments.iter().map(|(path, skip_ms)| Segment { path: (*path).clone(), skip_ms: *skip_ms });
    JoinPlan { segments: segments.collect(), crossfade_ms }
}

#[tokio::test]
async fn the_length_is_what_the_plan_says() {
    let studio = Studio::new();
    let (a, b, c) = (studio.music("a.wav", 2.0), studio.music("b.wav", 1.5), studio.music("c.wav", 1.0));
    for (crossfade, skip) in [(0, 0), (250, 0), (250, 400)] {
        let plan = plan(crossfade, &[(&a, 0), (&b, skip), (&c, skip)]);
        let expected = plan.length_ms(&[2000, 1500, 1000]).unwrap();
        assert_eq!(expected, 4500 - 2 * crossfade - 2 * skip);
        let probe = studio.media.join_segments(&plan, studio.path("all.wav")).await.unwrap();
        assert_eq!(probe.duration_ms, expected);
    }
}

#[tokio::test]
async fn a_repeated_end_is_heard_once_and_without_a_dip() {
    let studio = Studio::new();
    let whole = studio.music("whole.wav", 4.0);
    let part = |from: f64, to: f64, name: &str| {
        studio.make(&format!("-ss {from} -t {} -i {}", to - from, whole.display()), name)
    };
    // The second segment begins with the last second of the first.
    let (first, second) = (part(0.0, 2.5, "first.wav"), part(1.5, 4.0, "second.wav"));
    let out = studio.path("all.wav");
    let probe = studio.media.join_segments(&plan(500, &[(&first, 0), (&second, 500)]), &out).await.unwrap();
    assert_eq!(probe.duration_ms, 4000);
    let (body, seam) = (volume(&out, 0.5, 0.5), volume(&out, 2.1, 0.3));
    assert!((body - seam).abs() < 0.5, "{body} dB, at the seam {seam} dB");
}

#[tokio::test]
async fn compressed_segments_and_results_keep_the_length() {
    let studio = Studio::new();
    let (a, b) = (studio.music("a.mp3", 2.0), studio.music("b.m4a", 2.0));
    for name in ["all.mp3", "all.m4a"] {
        let probe =
            studio.media.join_segments(&plan(200, &[(&a, 0), (&b, 0)]), studio.path(name)).await.unwrap();
        assert!(probe.duration_ms.abs_diff(3800) <= 100, "{name}: {}", probe.duration_ms);
    }
}

#[tokio::test]
async fn one_segment_is_enough() {
    let studio = Studio::new();
    let a = studio.music("a.wav", 1.0);
    let probe = studio.media.join_segments(&plan(500, &[(&a, 300)]), studio.path("all.wav")).await.unwrap();
    assert_eq!(probe.duration_ms, 700);
}

#[tokio::test]
async fn segments_that_cannot_be_joined_are_refused() {
    let studio = Studio::new();
    let (a, text) = (studio.music("a.wav", 1.0), studio.write("text.mp3", "no music"));
    for plan in [
        plan(0, &[]),
        plan(1500, &[(&a, 0), (&a, 0)]),
        plan(0, &[(&a, 1000)]),
        plan(0, &[(&a, 0), (&text, 0)]),
    ] {
        let error = studio.media.join_segments(&plan, studio.path("all.wav")).await.unwrap_err();
        assert!(error.is_about_the_input(), "{plan:?}: {error:?}");
    }
    let error = studio.media.join_segments(&plan(0, &[(&a, 0)]), studio.path("all.xyz")).await.unwrap_err();
    assert!(error.to_string().contains(".mp3"), "{error}");
}

#[tokio::test]
async fn sound_is_faded_where_it_ends_and_filled_up_with_silence() {
    let studio = Studio::new();
    let (music, out) = (studio.music("a.wav", 2.0), studio.path("ended.mp3"));
    let ending = Ending { at_least_ms: 3_500, fade_ms: 1_000 };
    let probe = studio.media.ended(&music, ending, &out).await.unwrap();
    assert!(probe.duration_ms.abs_diff(3_500) <= 60, "{probe:?}");
    let (before, faded, silent) = (volume(&out, 0.2, 0.7), volume(&out, 1.85, 0.1), volume(&out, 2.3, 1.0));
    assert!(before - faded > 10.0 && silent < -60.0, "{before} {faded} {silent}");
    let probe = studio.media.ended(&music, Ending::default(), studio.path("same.wav")).await.unwrap();
    assert_eq!(probe.duration_ms, 2_000);
}

#[tokio::test]
async fn music_steps_back_while_somebody_speaks() {
    let studio = Studio::new();
    let music = studio.music("music.wav", 4.0);
    let voice = studio.make("-f lavfi -i aevalsrc=0.4*sin(2*PI*1000*t):s=44100:d=1", "voice.wav");
    let out = studio.path("voiced.wav");
    let probe = studio.media.voiced(&music, &voice, Duration::from_secs(1), &out).await.unwrap();
    assert_eq!(probe.duration_ms, 4_000);
    let (alone, spoken, after) = (volume(&out, 0.1, 0.8), volume(&out, 1.1, 0.8), volume(&out, 3.0, 0.9));
    assert!(spoken > alone + 3.0, "the voice is heard: {alone} {spoken}");
    assert!((alone - after).abs() < 1.5, "the music comes back: {alone} {after}");
}
