//! Editing the storyboard of a pending job.

use http::Method;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::world::{Answer, World, a_job, answer};

const SCENE: &str = "/api/v3/jobs/43/storyboard/scenes/1";
const ORDER: &str = "/api/v3/jobs/43/storyboard/order";

fn pending() -> pb::Job {
    let storyboard_json = r#"{"scenes":[{"title":"Pool"},{"title":"Bar"}],"total_duration":12.0}"#.into();
    pb::Job { status: "pending".into(), storyboard_json, ..a_job(None) }
}

async fn send(world: &World, method: Method, path: &str, body: Value) -> Answer {
    answer(world.request(method, path).json(&body)).await
}

#[tokio::test]
async fn a_scene_is_edited_and_the_storyboard_and_its_price_are_shown() {
    let world = World::start().await;
    world.job.on("edit_scene", pending());
    let body = json!({"title": "Bar", "duration": "6", "asset_ids": ["a-3", "a-4"], "musicStyle": "jazz",
        "transition": "", "status": "ignored"});
    let reply = send(&world, Method::PATCH, SCENE, body).await.ok(200);
    for (member, value) in [
        ("job_id", json!(43)),
        ("status", json!("pending")),
        ("scene_index", json!(1)),
        ("scene", json!({"title": "Bar"})),
        ("total_duration", json!(12.0)),
        ("scene_count", json!(2)),
        ("estimated_cost", json!(2.4)),
        ("costs", json!({"estimated": 2.4, "currency": "USD"})),
    ] {
        assert_eq!(reply[member], value, "{member}");
    }
    let asked: pb::EditSceneRequest = world.job.asked_once("edit_scene");
    let wanted = pb::EditSceneRequest {
        command_id: asked.command_id.clone(),
        job_id: 43,
        index: 1,
        title: Some("Bar".into()),
        duration: Some(6.0),
        first_asset_id: Some("a-3".into()),
        last_asset_id: Some("a-4".into()),
        transition: Some(String::new()),
        music_style: Some("jazz".into()),
        ..Default::default()
    };
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn one_image_is_both_frames_and_each_frame_can_be_named_alone() {
    let world = World::start().await;
    world.job.on("edit_scene", pending());
    for (body, first, last) in [
        (json!({"asset_id": "a"}), Some("a"), Some("a")),
        (json!({"assetIds": ["a"]}), Some("a"), Some("a")),
        (json!({"last_asset_id": "b"}), None, Some("b")),
        (json!({"prompt": "x"}), None, None),
    ] {
        send(&world, Method::PATCH, SCENE, body).await.ok(200);
        let asked = world.job.asked::<pb::EditSceneRequest>("edit_scene").pop().expect("a request");
        assert_eq!((asked.first_asset_id.as_deref(), asked.last_asset_id.as_deref()), (first, last));
    }
    for wrong in [json!([]), json!([3]), json!("a")] {
        let refused = send(&world, Method::PATCH, SCENE, json!({"asset_ids": wrong})).await;
        assert!(refused.problem(422, "validation_failed")["details"]["asset_ids"].is_array());
    }
}

#[tokio::test]
async fn only_a_pending_jobs_storyboard_is_edited() {
    let world = World::start().await;
    for call in ["edit_scene", "reorder_scenes"] {
        world.job.refuse(call, || {
            let reason = "Job is processing; only a pending job's storyboard can be edited";
            ServiceError::new(Code::Precondition, "storyboard_not_editable", "Storyboard cannot be edited")
                .fact("current_status", "processing")
                .fact("reason", reason)
        });
    }
    for (method, path, body) in
        [(Method::PATCH, SCENE, json!({"title": "x"})), (Method::PUT, ORDER, json!({"order": ["s-1"]}))]
    {
        let body = send(&world, method, path, body).await.problem(422, "job_not_pending");
        assert_eq!((&body["error"], &body["job_id"]), (&json!("Storyboard cannot be edited"), &json!(43)));
        assert_eq!(body["current_status"], "processing");
    }
}

#[tokio::test]
async fn a_place_without_a_scene_is_not_found() {
    let world = World::start().await;
    world.job.on("get_job", pending());
    world
        .job
        .refuse("edit_scene", || ServiceError::new(Code::NotFound, "scene_not_found", "Scene not found"));
    for place in ["9", "-1", "pool", "1.0"] {
        let path = format!("/api/v3/jobs/43/storyboard/scenes/{place}");
        let body =
            send(&world, Method::PATCH, &path, json!({"title": "x"})).await.problem(404, "scene_not_found");
        assert_eq!((&body["error"], &body["scene_index"]), (&json!("Scene not found"), &json!(place)));
    }
    let body = send(&world, Method::PATCH, "/api/v3/jobs/x/storyboard/scenes/0", json!({})).await;
    assert_eq!(body.problem(404, "job_not_found")["job_id"], "x");
}

#[tokio::test]
async fn fields_that_the_service_refuses_are_named_as_they_were_sent() {
    let world = World::start().await;
    world.job.refuse("edit_scene", || {
        ServiceError::validation([("first_frame", "is too small"), ("duration", "no")])
    });
    let body =
        send(&world, Method::PATCH, SCENE, json!({"duration": 99})).await.problem(422, "validation_failed");
    assert_eq!(body["details"], json!({"first_asset_id": ["is too small"], "duration": ["no"]}));
}

#[tokio::test]
async fn scenes_are_put_into_another_order() {
    let world = World::start().await;
    world.job.on("reorder_scenes", pending());
    let reply = send(&world, Method::PUT, ORDER, json!({"order": ["s-2", "s-1"]})).await.ok(200);
    assert_eq!(reply["storyboard"]["scenes"][0]["title"], "Pool");
    assert!(reply.get("scene").is_none());
    assert_eq!(world.job.asked_once::<pb::ReorderScenesRequest>("reorder_scenes").scene_ids, ["s-2", "s-1"]);
    for body in [json!({}), json!({"order": "s-1"}), json!({"order": [1]})] {
        let refused = send(&world, Method::PUT, ORDER, body).await.problem(422, "validation_failed");
        assert!(refused["details"]["order"].is_array());
    }
}
