//! Scenes.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::world::{World, a_job, a_scene};

async fn world_with_a_job() -> World {
    let world = World::start().await;
    let clip = world.blob(b"a clip", "video/mp4").await;
    world.job.on("get_job", a_job(Some(clip)));
    world
}

#[tokio::test]
async fn scenes_are_listed_in_order_with_their_progress() {
    let world = world_with_a_job().await;
    let body = world.get("/api/v3/jobs/43/scenes").await.ok(200);
    assert_eq!(
        (&body["job_id"], &body["total_scenes"], &body["completed_scenes"]),
        (&json!(43), &json!(2), &json!(1))
    );
    assert_eq!(body["progress_percentage"].to_string(), "50.0");
    let first = &body["scenes"][0];
    for (member, value) in [
        ("id", json!("s-1")),
        ("status", json!("completed")),
        ("provider_id", json!("p-1")),
        ("has_video", json!(true)),
        ("inserted_at", json!("2026-03-04T05:00:00Z")),
        ("updated_at", json!("2026-03-04T05:06:00Z")),
        ("index", json!(0)),
    ] {
        assert_eq!(first[member], value, "{member}");
    }
    assert_eq!(body["scenes"][1]["has_video"], false);
}

#[tokio::test]
async fn a_scene_is_shown_with_its_job() {
    let world = world_with_a_job().await;
    let body = world.get("/api/v3/jobs/43/scenes/s-1").await.ok(200);
    assert_eq!((&body["job_id"], &body["job_status"]), (&json!(43), &json!("processing")));
    assert_eq!((&body["scene"]["job_id"], &body["scene"]["video_blob_size"]), (&json!(43), &json!(6)));
    assert_eq!(world.get("/api/v3/jobs/43/scenes/s-2").await.ok(200)["scene"]["video_blob_size"], 0);
}

#[tokio::test]
async fn the_job_is_checked_before_the_scene_and_the_scene_before_its_owner() {
    let world = World::start().await;
    world.job.refuse("get_job", || ServiceError::not_found("Job not found"));
    for (path, id) in [("99999", "99999"), ("abc", "abc")] {
        for rest in ["", "/s-1"] {
            let body =
                world.get(&format!("/api/v3/jobs/{path}/scenes{rest}")).await.problem(404, "job_not_found");
            assert_eq!((&body["error"], &body["job_id"]), (&json!("Job not found"), &json!(id)));
        }
    }
    let world = world_with_a_job().await;
    world.job.refuse("get_scene", || ServiceError::new(Code::NotFound, "scene_not_found", "Scene not found"));
    world.job.on("get_scene", pb::GetSceneReply { job_id: 44, scene: Some(a_scene("s-9", 0)) });
    let body = world.get("/api/v3/jobs/43/scenes/nope").await.problem(404, "scene_not_found");
    assert_eq!((&body["error"], &body["scene_id"]), (&json!("Scene not found"), &json!("nope")));
    let body = world.get("/api/v3/jobs/43/scenes/s-9").await.problem(422, "scene_of_another_job");
    assert_eq!(body["error"], "Scene does not belong to this job");
    assert_eq!((&body["scene_id"], &body["job_id"]), (&json!("s-9"), &json!("43")));
}

#[tokio::test]
async fn a_scene_is_regenerated_and_shown_as_it_is_then() {
    let world = world_with_a_job().await;
    let mut after = a_job(None);
    after.scenes[0] = pb::Scene { take: 2, status: "pending".into(), ..a_scene("s-1", 0) };
    world.job.on("regenerate_scenes", after);
    let body: Value = world.post("/api/v3/jobs/43/scenes/s-1/regenerate", json!({})).await.ok(200);
    assert_eq!((&body["message"], &body["job_id"]), (&json!("Scene marked for regeneration"), &json!(43)));
    assert_eq!((&body["scene"]["status"], &body["scene"]["take"]), (&json!("pending"), &json!(2)));
    let asked: pb::RegenerateScenesRequest = world.job.asked_once("regenerate_scenes");
    assert_eq!((asked.job_id, asked.scene_ids), (43, vec!["s-1".to_owned()]));
}

#[tokio::test]
async fn a_scene_that_is_not_over_is_not_regenerated() {
    let world = world_with_a_job().await;
    world.job.refuse("regenerate_scenes", || {
        ServiceError::new(Code::Precondition, "scene_not_regenerable", "Scene cannot be regenerated")
            .fact("reason", "Scene is currently processing")
    });
    let body = world.post("/api/v3/jobs/43/scenes/s-2/regenerate", json!({})).await;
    let body = body.problem(422, "scene_not_regenerable");
    assert_eq!((&body["error"], &body["scene_id"]), (&json!("Scene cannot be regenerated"), &json!("s-2")));
    assert_eq!(body["reason"], "Scene is currently processing");
}
