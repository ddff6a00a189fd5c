//! Soundtracks.

use std::time::Duration;

use jiff::SignedDuration;
use kit::{Code, ServiceError, signing::UrlSigner};
use protos::{common::v1::BlobRef, job::v1 as pb};
use serde_json::json;

use crate::world::{LINK_SECRET, World, a_job};

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

#[tokio::test]
async fn q37_every_wish_about_a_soundtrack_is_passed_on() {
    let world = World::start().await;
    world.job.on("wish_soundtrack", a_job(None));
    let params = json!({"prompt": "a waltz", "fade_duration": "1.5", "syncMode": "stretch",
        "merge_with_video": "true", "error_strategy": "halt"});
    let body = json!({"jobId": "43", "audioParams": params});
    let body = world.post("/api/v3/audio/generate-scenes", body).await.ok(202);
    let status = json!({"started_at": "2026-03-04T05:06:00Z", "estimated_duration": "~20s"});
    let wanted = json!({"job_id": 43, "status": "processing", "message": "Audio generation started", "audio_status": status});
    assert_eq!(body, wanted);
    let asked: pb::WishSoundtrackRequest = world.job.asked_once("wish_soundtrack");
    let wanted = pb::WishSoundtrackRequest {
        command_id: asked.command_id.clone(),
        job_id: 43,
        prompt: Some("a waltz".into()),
        fade_ms: Some(1_500),
        sync_mode: "stretch".into(),
        merge_with_video: true,
        error_strategy: "halt".into(),
    };
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn a_soundtrack_without_wishes_is_for_download_only() {
    let world = World::start().await;
    world.job.on("wish_soundtrack", a_job(None));
    world.post("/api/v3/audio/generate-scenes", json!({"job_id": 43})).await.ok(202);
    let asked: pb::WishSoundtrackRequest = world.job.asked_once("wish_soundtrack");
    assert_eq!((asked.merge_with_video, asked.fade_ms, asked.prompt), (false, None, None));
}

#[tokio::test]
async fn a_soundtrack_that_cannot_be_wished_is_refused_in_the_contracts_words() {
    let world = World::start().await;
    let post = async |body| world.post("/api/v3/audio/generate-scenes", body).await;
    for body in [json!({}), json!({"job_id": null}), json!({"job_id": [43]}), json!({"job_id": 4.5})] {
        let body = post(body).await.problem(400, "missing_field");
        assert_eq!(body["error"], "Missing required parameter: job_id");
    }
    let body = post(json!({"job_id": 43, "audio_params": "loud"})).await.problem(400, "bad_request");
    assert_eq!(body["error"], "Invalid audio parameters");
    for id in ["x", "99999999999"] {
        assert_eq!(post(json!({"job_id": id})).await.problem(404, "job_not_found")["job_id"], id);
    }
    let wrong = json!({"prompt": 3, "fade_duration": -1});
    let body = post(json!({"job_id": 43, "audio_params": wrong})).await.problem(422, "validation_failed");
    assert_eq!(body["violations"].as_array().map(Vec::len), Some(2), "{body}");
    world.job.refuse("wish_soundtrack", || {
        ServiceError::new(
            Code::Precondition,
            "soundtrack_not_regenerable",
            "Soundtrack cannot be regenerated",
        )
        .fact("reason", "Job has no storyboard - cannot generate audio")
    });
    let body = post(json!({"job_id": 43})).await.problem(422, "not_allowed");
    assert_eq!(body["error"], "Job has no storyboard - cannot generate audio");
}

#[tokio::test]
async fn q38_a_segment_is_served_to_its_token_with_a_quoted_strong_tag() {
    let world = World::locked().await;
    let blob = world.blob(b"ID3\x03\x00\x00\x00\x00\x00\x21music", "audio/mpeg").await;
    let signer = UrlSigner::new(LINK_SECRET.to_owned().into());
    let token = signer.token(&blob.sha256, world.clock.now() + SignedDuration::from_mins(30));
    let path = format!("/api/v3/audio/segments/{token}");
    let answer = world.get(&format!("{path}?attempt=a-1")).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len() as u64), (200, blob.size));
    assert_eq!(answer.header("content-type"), "audio/mpeg");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"segment_{token}.mp3\""));
    let tag = format!("\"{}\"", blob.sha256);
    assert_eq!(answer.header("etag"), tag);
    assert_eq!(world.get_with(&path, &[("if-none-match", &tag)]).await.status, 304);
    world.clock.advance(Duration::from_secs(31 * 60));
    let body = world.get(&path).await.problem(404, "audio_segment_gone");
    assert_eq!(body["error"], "Audio segment expired");
    let other = signer.token(&"ab".repeat(32), world.clock.now() + SignedDuration::from_mins(1));
    for token in ["x", &token[1..], &other] {
        let body =
            world.get(&format!("/api/v3/audio/segments/{token}")).await.problem(404, "audio_segment_gone");
        assert_eq!(body["error"], "Audio segment not found");
    }
}

#[tokio::test]
async fn a_segment_of_a_store_that_cannot_be_read_may_be_asked_for_again() {
    let world = World::start().await;
    let blob = world.blob(b"music", "audio/mpeg").await;
    // A name that leads to itself: there, and not to be opened.
    let place = world.blobs.path(&blob.sha256).expect("a file");
    std::fs::remove_file(&place).expect("it is gone");
    std::os::unix::fs::symlink(&place, &place).expect("a link");
    let signer = UrlSigner::new(LINK_SECRET.to_owned().into());
    let token = signer.token(&blob.sha256, world.clock.now() + SignedDuration::from_mins(30));
    let answer = world.get(&format!("/api/v3/audio/segments/{token}")).await;
    let body = answer.problem(503, "unavailable");
    assert_eq!(body["error"], "Audio segment store unavailable");
    assert!(!answer.header("retry-after").is_empty());
}
