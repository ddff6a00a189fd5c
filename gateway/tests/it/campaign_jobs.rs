//! Jobs from everything that a campaign has.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::world::{World, a_job};

const PATH: &str = "/api/v3/campaigns/c-1/create-job";

fn made() -> pb::Job {
    let parameters_json = r#"{"campaign_id":"c-1","asset_count":6,"style":"modern"}"#.into();
    pb::Job { status: "pending".into(), kind: "property_photos".into(), parameters_json, ..a_job(None) }
}

async fn asked(body: Value) -> pb::CreateJobRequest {
    let world = World::start().await;
    world.job.on("create_job", made());
    world.post(PATH, body).await.ok(201);
    world.job.asked_once("create_job")
}

#[tokio::test]
async fn a_job_of_a_campaign_answers_every_member_of_the_contract() {
    let world = World::start().await;
    world.job.on("create_job", made());
    let body = world.post(PATH, json!({})).await.ok(201);
    for (member, value) in [
        ("id", json!(43)),
        ("type", json!("property_photos")),
        ("status", json!("pending")),
        ("campaign_id", json!("c-1")),
        ("asset_count", json!(6)),
        ("scene_count", json!(2)),
        ("parameters", json!({"campaign_id": "c-1", "asset_count": 6, "style": "modern"})),
        ("video_name", json!("Spring 2")),
    ] {
        assert_eq!(body["data"][member], value, "{member}");
    }
    let links = &body["links"];
    assert_eq!((&links["self"], &links["status"]), (&json!("/api/v3/jobs/43"), &json!("/api/v3/jobs/43")));
    assert_eq!(links["approve"], "/api/v3/jobs/43/approve");
}

#[tokio::test]
async fn q21_wishes_of_a_campaigns_job_go_the_way_of_every_other() {
    let request = asked(json!({})).await;
    assert_eq!((request.kind.as_str(), request.campaign_id.as_str()), ("property_photos", "c-1"));
    assert_eq!((request.num_pairs, request.clip_duration), (Some(4), Some(4.0)));
    assert_eq!((request.style.as_deref(), request.music_genre.as_deref()), (Some("modern"), Some("upbeat")));
    assert_eq!((request.total_seconds, request.keep_campaign), (Some(16.0), true));
    let request = asked(json!({"durationSeconds": 30, "style": "art deco", "music_genre": "swing",
        "videoModel": "hailuo-02", "client_id": "cl-2", "aspect_ratio": "9:16"}));
    let request = request.await;
    assert_eq!((request.num_pairs, request.clip_duration, request.total_seconds), (None, None, Some(30.0)));
    assert_eq!((request.style.as_deref(), request.music_genre.as_deref()), (Some("art deco"), Some("swing")));
    assert_eq!(
        (request.video_model.as_deref(), request.client_id.as_deref()),
        (Some("hailuo-02"), Some("cl-2"))
    );
    assert_eq!(asked(json!({"scene_count": 3})).await.num_pairs, Some(3));
    assert_eq!(asked(json!({"num_scenes": "5", "scene_count": 3})).await.num_pairs, Some(5));
}

#[tokio::test]
async fn refusals_are_in_the_words_of_campaigns() {
    let world = World::start().await;
    let refusals: [fn() -> ServiceError; 5] = [
        || ServiceError::new(Code::NotFound, "campaign_not_found", "Campaign not found"),
        || ServiceError::new(Code::Invalid, "no_assets", "Campaign has no assets"),
        || {
            ServiceError::new(Code::Unavailable, "scene_generation_failed", "Failed to generate scenes")
                .fact("details", "API request failed with status 500")
        },
        || ServiceError::validation([("num_pairs", "must be greater than 0")]),
        || ServiceError::new(Code::Conflict, "idempotency_key_reused", "used"),
    ];
    for refusal in refusals {
        world.job.refuse("create_job", refusal);
    }
    let body = world.post(PATH, json!({})).await.problem(404, "campaign_not_found");
    assert_eq!(body["error"], json!({"message": "Campaign not found", "code": "not_found"}));
    let body = world.post(PATH, json!({})).await.problem(422, "no_assets");
    assert_eq!(body["error"], json!({"message": "Campaign has no assets", "code": "no_assets"}));
    let body = world.post(PATH, json!({})).await.problem(503, "scene_generation_failed");
    let details = "API request failed with status 500";
    let wanted = json!({"message": "Failed to generate scenes", "code": "scene_generation_failed", "details": details});
    assert_eq!(body["error"], wanted);
    let body = world.post(PATH, json!({"num_scenes": 0})).await.problem(422, "validation_failed");
    assert!(body["error"]["details"]["num_scenes"].is_array(), "{body}");
    world.post(PATH, json!({})).await.problem(422, "idempotency_key_reused");
    let body =
        world.post(PATH, json!({"style": 3, "num_scenes": []})).await.problem(422, "validation_failed");
    assert_eq!(body["error"]["details"], json!({"num_scenes": ["is invalid"], "style": ["is invalid"]}));
}
