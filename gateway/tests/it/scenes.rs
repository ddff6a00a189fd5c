//! Scenes.

use http::Method;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::world::{Answer, World, a_job, a_scene, answer};

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

async fn put(world: &World, path: &str, body: Value) -> Answer {
    answer(world.request(Method::PUT, path).json(&body)).await
}

#[tokio::test]
async fn a_scene_is_shown_as_a_person_says() {
    let world = World::start().await;
    let mut after = a_job(None);
    after.scenes[1] = pb::Scene { status: "failed".into(), ..a_scene("s-2", 1) };
    world.job.on("override_scene", after);
    let request = world
        .request(Method::PUT, "/api/v3/jobs/43/scenes/s-2")
        .header("Idempotency-Key", "k")
        .json(&json!({"status": "failed", "providerId": null, "prompt": "ignored"}));
    let body = answer(request).await.ok(200);
    assert_eq!((&body["message"], &body["job_id"]), (&json!("Scene updated successfully"), &json!(43)));
    assert_eq!((&body["scene"]["id"], &body["scene"]["status"]), (&json!("s-2"), &json!("failed")));
    let asked: pb::OverrideSceneRequest = world.job.asked_once("override_scene");
    let wanted = pb::OverrideSceneRequest {
        command_id: "PUT /api/v3/jobs/43/scenes/s-2 k".into(),
        job_id: 43,
        scene_id: "s-2".into(),
        status: Some("failed".into()),
        provider_id: Some(String::new()),
    };
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn q18_a_scene_status_that_is_null_or_blank_is_refused() {
    let world = world_with_a_job().await;
    for (status, message) in
        [(json!(null), "can't be blank"), (json!("  "), "can't be blank"), (json!([]), "is invalid")]
    {
        let refused = put(&world, "/api/v3/jobs/43/scenes/s-1", json!({"status": status})).await;
        assert_eq!(refused.problem(422, "validation_failed")["details"], json!({"status": [message]}));
    }
    assert!(world.job.asked::<pb::OverrideSceneRequest>("override_scene").is_empty());
    world.job.refuse("override_scene", || ServiceError::validation([("status", "is invalid")]));
    let refused = put(&world, "/api/v3/jobs/43/scenes/s-1", json!({"status": "done"})).await;
    assert_eq!(refused.problem(422, "validation_failed")["details"], json!({"status": ["is invalid"]}));
}

#[tokio::test]
async fn a_scene_is_deleted_and_a_repeat_is_answered_though_it_is_gone() {
    let world = World::start().await;
    world.job.on("remove_scene", pb::Job { scenes: Vec::new(), ..a_job(None) });
    for _ in 0..2 {
        let body = answer(world.request(Method::DELETE, "/api/v3/jobs/43/scenes/s-1")).await.ok(200);
        assert_eq!(body, json!({"message": "Scene deleted successfully", "scene_id": "s-1", "job_id": 43}));
    }
}

#[tokio::test]
async fn a_scene_of_a_job_that_is_processed_is_not_deleted() {
    let world = World::start().await;
    world.job.refuse("remove_scene", || {
        ServiceError::new(Code::Precondition, "scene_not_removable", "Scene cannot be deleted")
            .fact("reason", "Cannot delete scene while job is processing")
    });
    let body = answer(world.request(Method::DELETE, "/api/v3/jobs/43/scenes/s-1")).await;
    let body = body.problem(422, "scene_not_removable");
    assert_eq!((&body["error"], &body["scene_id"]), (&json!("Scene cannot be deleted"), &json!("s-1")));
    assert_eq!(body["reason"], "Cannot delete scene while job is processing");
}

#[tokio::test]
async fn a_scene_that_the_job_does_not_have_is_not_changed() {
    let world = World::start().await;
    let none = || ServiceError::new(Code::NotFound, "scene_not_found", "Scene not found");
    for call in ["override_scene", "remove_scene", "regenerate_scenes"] {
        world.job.refuse(call, none);
    }
    world.job.on("get_scene", pb::GetSceneReply { job_id: 44, scene: Some(a_scene("s-9", 0)) });
    let path = "/api/v3/jobs/43/scenes/s-9";
    for refused in [
        put(&world, path, json!({"status": "failed"})).await,
        answer(world.request(Method::DELETE, path)).await,
        world.post(&format!("{path}/regenerate"), json!({})).await,
    ] {
        refused.problem(422, "scene_of_another_job");
    }
    let unknown = || ServiceError::new(Code::NotFound, "job_not_found", "Job not found");
    world.job.clear("remove_scene");
    world.job.refuse("remove_scene", unknown);
    let body = answer(world.request(Method::DELETE, "/api/v3/jobs/99/scenes/s-9")).await;
    assert_eq!(body.problem(404, "job_not_found")["job_id"], "99");
}

#[tokio::test]
async fn wishes_that_a_new_take_cannot_follow_are_refused_before_money_is_spent() {
    let world = world_with_a_job().await;
    world.job.on("regenerate_scenes", a_job(None));
    let path = "/api/v3/jobs/43/scenes/s-1/regenerate";
    for (body, field) in [
        (json!({"feedback": "warmer"}), "feedback"),
        (json!({"constraints": {"duration": 4}}), "constraints"),
    ] {
        let refused = world.post(path, body).await.problem(422, "validation_failed");
        assert!(refused["details"][field].is_array(), "{refused}");
    }
    world.post(path, json!({"feedback": " ", "constraints": {}})).await.ok(200);
    assert_eq!(world.job.asked::<pb::RegenerateScenesRequest>("regenerate_scenes").len(), 1);
}

#[tokio::test]
async fn scenes_come_in_pages_when_they_are_asked_for() {
    let world = world_with_a_job().await;
    let whole = world.get("/api/v3/jobs/43/scenes").await.ok(200);
    assert_eq!((whole["scenes"].as_array().map(Vec::len), whole.get("next_cursor")), (Some(2), None));
    let first = world.get("/api/v3/jobs/43/scenes?limit=1").await.ok(200);
    assert_eq!((&first["scenes"][0]["id"], &first["total_scenes"]), (&json!("s-1"), &json!(2)));
    let cursor = first["next_cursor"].as_str().expect("a cursor");
    let second = world.get(&format!("/api/v3/jobs/43/scenes?limit=1&cursor={cursor}")).await.ok(200);
    assert_eq!((&second["scenes"][0]["id"], second.get("next_cursor")), (&json!("s-2"), None));
    let skipped = world.get("/api/v3/jobs/43/scenes?offset=1").await.ok(200);
    assert_eq!(skipped["scenes"][0]["id"], "s-2");
}
