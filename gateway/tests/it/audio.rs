//! Soundtracks.

use kit::ServiceError;
use protos::{common::v1::BlobRef, job::v1 as pb};
use serde_json::json;

use crate::world::{World, a_job};

fn with_audio(status: &str, soundtrack: Option<BlobRef>) -> pb::Job {
    let audio = pb::AudioState {
        status: status.into(),
        generated_at: soundtrack.is_some().then(|| "2025-03-04T05:07:00.000001Z".into()),
        soundtrack,
        ..Default::default()
    };
    pb::Job { audio: Some(audio), ..a_job(None) }
}

#[tokio::test]
async fn the_state_of_the_soundtrack_is_shown() {
    let world = World::start().await;
    let blob = world.blob(b"music", "audio/mpeg").await;
    world.job.on("get_job", with_audio("completed_and_merged", Some(blob)));
    world.job.on("get_job", pb::Job { audio: None, ..a_job(None) });
    let body = world.get("/api/v3/audio/status/43").await.ok(200);
    let wanted = json!({"status": "completed_and_merged", "started_at": null, "generated_at": "2025-03-04T05:07:00.000001Z",
        "size": 5, "merged_with_video": true, "error": null});
    assert_eq!(body, json!({"job_id": 43, "audio_status": wanted}));
    let body = world.get("/api/v3/audio/status/43").await.ok(200);
    assert_eq!(
        (&body["audio_status"]["status"], &body["audio_status"]["merged_with_video"]),
        (&json!("not_started"), &json!(false))
    );
}

#[tokio::test]
async fn the_soundtrack_is_downloaded_under_a_name() {
    let world = World::start().await;
    for (content_type, name) in [("audio/mpeg", "audio_43.mp3"), ("audio/mp4", "audio_43.m4a")] {
        let blob = world.blob(b"music", content_type).await;
        world.job.on("get_job", with_audio("completed", Some(blob)));
        let answer = world.get("/api/v3/audio/43/download").await;
        assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, b"music".as_slice()));
        assert_eq!(answer.header("content-type"), content_type);
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{name}\""));
        world.job.clear("get_job");
    }
}

#[tokio::test]
async fn a_soundtrack_or_its_job_may_be_missing() {
    let world = World::start().await;
    world.job.on("get_job", with_audio("generating", None));
    world.job.refuse("get_job", || ServiceError::not_found("Job not found"));
    let body = world.get("/api/v3/audio/43/download").await.problem(404, "audio_not_ready");
    assert_eq!(body["error"], "Audio not ready or not generated");
    for path in [
        "/api/v3/audio/43/download",
        "/api/v3/audio/status/43",
        "/api/v3/audio/status/x",
        "/api/v3/audio/x/download",
    ] {
        assert_eq!(world.get(path).await.problem(404, "job_not_found")["error"], "Job not found");
    }
}
