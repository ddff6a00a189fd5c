//! What is delivered: long enough, nothing repeated, nothing lost.

use std::path::Path;
use std::process::Command;

use audio::track::SegmentEnd;
use serde_json::json;

use crate::world::{Audio, World, wanted};

/// Samples a second that files are compared at.
const RATE: usize = 8000;

fn samples(path: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-f", "f32le", "-ac", "1", "-ar", &RATE.to_string(), "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn seconds(samples: &[f32], from: f64, to: f64) -> &[f32] {
    let at = |seconds: f64| (seconds * RATE as f64) as usize;
    &samples[at(from)..at(to)]
}

/// From 0 (unlike) to 1 (the same but for loudness).
fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let product =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

async fn segment_files(audio: &Audio, key: &str) -> Vec<Vec<f32>> {
    let track = audio::store::track(&audio.log, key).await.unwrap().unwrap();
    let file = |segment: &audio::track::Segment| match &segment.end {
        Some(SegmentEnd::Delivered { audio: blob, .. }) => samples(&audio.blobs.path(&blob.sha256).unwrap()),
        other => panic!("not delivered: {other:?}"),
    };
    track.segments.iter().map(file).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_soundtrack_is_one_prediction_and_at_least_as_long_as_asked_for() {
    let world = World::new().await;
    let audio = world.start().await;
    let key = "job-43/soundtrack-1";
    let first = audio.request(wanted(key, 7)).await.unwrap();
    assert_eq!((first.job_id, first.segments_total), (43, 1));
    let ready = audio.until(key, &["ready", "failed"]).await;
    assert_eq!(
        (ready.state.as_str(), ready.cost_micros, ready.segments_done),
        ("ready", 80_000, 1),
        "{ready:?}"
    );
    let blob = ready.audio.clone().unwrap();
    assert_eq!(blob.content_type, "audio/mpeg");
    assert!((7_900..=8_100).contains(&ready.duration_ms()), "{ready:?}");
    let real = samples(&audio.blobs.path(&blob.sha256).unwrap()).len() * 1000 / RATE;
    assert!((real as u64).abs_diff(ready.duration_ms()) < 60, "the file lasts {real} ms: {ready:?}");

    let bought = world.bought().await;
    assert_eq!(bought.len(), 1);
    assert_eq!(bought[0].input["duration"], json!(8));
    assert!(bought[0].prompt.contains("morning light; then a quiet kitchen"), "{}", bought[0].prompt);

    let (name, data) = audio.published(1).await.remove(0);
    assert_eq!(name, "soundtrack_finished");
    assert_eq!(data["key"], json!(key));
    assert_eq!(data["audio"]["sha256"], json!(blob.sha256));
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_window_is_heard_twice_in_a_long_soundtrack() {
    let world = World::new().await;
    let audio = world.start().await;
    let key = "job-43/soundtrack-1";
    audio.request(wanted(key, 40)).await.unwrap();
    let ready = audio.until(key, &["ready", "failed"]).await;
    assert_eq!(
        (ready.state.as_str(), ready.segments_done, ready.cost_micros),
        ("ready", 2, 160_000),
        "{ready:?}"
    );
    assert!((40_950..=41_050).contains(&ready.duration_ms()), "{ready:?}");

    let bought = world.bought().await;
    assert_eq!(bought[0].input.get("continuation"), None);
    let second = &bought[1].input;
    assert_eq!([&second["continuation_start"], &second["continuation_end"]], [&json!(25), &json!(30)]);
    assert_eq!([&second["continuation"], &second["duration"]], [&json!(true), &json!(11)]);

    let segments = segment_files(&audio, key).await;
    assert_eq!(segments.iter().map(|s| s.len() / RATE).collect::<Vec<_>>(), [30, 16]);
    let track = samples(&audio.blobs.path(&ready.audio.unwrap().sha256).unwrap());
    let (one, two) = (&segments[0], &segments[1]);
    let like = |a: &[f32], b: &[f32]| likeness(a, b) > 0.95;
    assert!(like(seconds(one, 25.0, 30.0), seconds(two, 0.0, 5.0)), "the provider repeats the window");
    assert!(like(seconds(&track, 0.0, 29.5), seconds(one, 0.0, 29.5)), "the first segment is not all there");
    assert!(like(seconds(&track, 29.7, 30.0), seconds(one, 29.7, 30.0)), "the seam is not the window's end");
    assert!(
        like(seconds(&track, 30.0, 40.9), seconds(two, 5.0, 15.9)),
        "the second segment is not all there"
    );
    assert!(!like(seconds(&track, 30.0, 35.0), seconds(one, 25.0, 30.0)), "the window is heard again");
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_prompt_is_used_for_every_segment() {
    let world = World::new().await;
    let audio = world.start().await;
    let mut request = wanted("job-43/soundtrack-2", 31);
    request.prompt = Some("a slow waltz, \"50 %\" strings\nno drums".into());
    audio.request(request).await.unwrap();
    audio.until("job-43/soundtrack-2", &["ready"]).await;
    for entry in world.bought().await {
        assert_eq!(entry.prompt, "a slow waltz, \"50 %\" strings no drums");
    }
    world.end(audio).await;
}
