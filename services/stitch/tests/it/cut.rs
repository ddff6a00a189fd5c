//! Clips to a cut.

use std::time::Duration;

use media::{Media, MediaSettings};
use protos::common::v1::BlobRef;
use serde_json::json;

use crate::stage::Stage;

#[tokio::test]
async fn clips_become_a_silent_cut_with_a_poster() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let clips = [stage.clip(12, 0).await, stage.clip(24, 90).await];
    stage.cut("job-43/cut-1", &clips).await.unwrap();
    let cut = stage.settled("job-43/cut-1").await;
    assert_eq!((cut.state.as_str(), cut.duration_ms), ("ready", Some(1500)));
    let (video, poster) = (cut.video.unwrap(), cut.poster.unwrap());
    assert_eq!((video.content_type.as_str(), poster.content_type.as_str()), ("video/mp4", "image/jpeg"));

    let media = Media::new(MediaSettings::new(dir.path().join("look"))).unwrap();
    let probe = media.probe(stage.blobs.path(&video.sha256).unwrap()).await.unwrap();
    assert_eq!((probe.audio, probe.size), (None, video.size));
    let info = media.image(stage.blobs.path(&poster.sha256).unwrap()).await.unwrap();
    assert_eq!((info.width, info.height), (640, 360));

    let message = stage.published().await;
    assert_eq!(message.subject, "filmstrip.stitch.v1.job-43-cut-1.cut_finished");
    assert_eq!((&message.data["key"], &message.data["job_id"]), (&json!("job-43/cut-1"), &json!(43)));
    assert_eq!(message.data["video"]["sha256"], json!(video.sha256));
    assert_eq!(message.correlation_id, "job-43");
}

#[tokio::test]
async fn the_same_clips_in_another_order_are_another_cut() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let (a, b) = (stage.clip(12, 0).await, stage.clip(12, 90).await);
    stage.cut("job-43/cut-1", &[a.clone(), b.clone()]).await.unwrap();
    stage.cut("job-43/cut-2", &[b, a]).await.unwrap();
    let (first, second) = (stage.settled("job-43/cut-1").await, stage.settled("job-43/cut-2").await);
    assert_ne!(first.video.unwrap().sha256, second.video.unwrap().sha256);
}

/// A cut with this as its second clip fails at once, naming the clip.
async fn fails_naming_the_clip(stage: &Stage, key: &str, second: BlobRef, said: &str) {
    stage.cut(key, &[stage.clip(6, 0).await, second]).await.unwrap();
    let cut = stage.settled(key).await;
    assert_eq!((cut.state.as_str(), cut.video, cut.duration_ms), ("failed", None, None));
    let reason = cut.reason.unwrap();
    assert!(reason.contains("clip 2 of 2") && reason.contains(said), "{reason}");
}

#[tokio::test]
async fn a_clip_that_cannot_be_used_fails_the_cut_and_says_which() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let whole = stage.clip(24, 0).await;
    let bytes = std::fs::read(stage.blobs.path(&whole.sha256).unwrap()).unwrap();
    let half = stage.blobs.put_bytes(bytes[..bytes.len() / 2].to_vec(), "video/mp4").await.unwrap();
    fails_naming_the_clip(&stage, "job-43/cut-1", half, "cut off").await;
    let text = stage.blobs.put_bytes("this is no video", "video/mp4").await.unwrap();
    fails_naming_the_clip(&stage, "job-43/cut-2", text, "not readable media").await;
    let unknown = BlobRef { sha256: "0".repeat(64), size: 7, content_type: "video/mp4".into() };
    fails_naming_the_clip(&stage, "job-43/cut-3", unknown, "not in the object store").await;
    let other_size = BlobRef { size: whole.size + 1, ..whole };
    fails_naming_the_clip(&stage, "job-43/cut-4", other_size, "damaged").await;

    let message = stage.published().await;
    assert_eq!(message.name, "cut_failed");
    assert!(message.data["reason"].as_str().unwrap().contains("clip 2 of 2"));
    let failures = stage.kinds().await.iter().filter(|kind| *kind == "ProductFailed").count();
    assert_eq!(failures, 4);
}

#[tokio::test]
async fn trouble_that_is_not_the_clips_fault_is_tried_again_and_ends_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |settings| {
        settings.ffmpeg = "/nonexistent/ffmpeg".into();
        settings.retry_after = vec![Duration::from_millis(10); 2];
    })
    .await;
    stage.cut("job-43/cut-1", &[stage.clip(6, 0).await]).await.unwrap();
    let cut = stage.settled("job-43/cut-1").await;
    assert_eq!(cut.state, "failed");
    assert!(cut.reason.as_ref().unwrap().contains("apt-get install ffmpeg"), "{:?}", cut.reason);
    let expected = ["ProductRequested", "ProductAttemptFailed", "ProductAttemptFailed", "ProductFailed"];
    assert_eq!(stage.kinds().await, expected);
}
