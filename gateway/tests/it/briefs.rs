//! Jobs from creative briefs.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::{Value, json};

use crate::world::{World, a_job};

fn brief() -> Value {
    json!({
        "context": {"clientId": "cl-1", "campaignId": "c-1"},
        "adBasics": {"product": "A lodge", "targetAudience": "Families", "keyMessage": "Rest", "callToAction": "Book"},
        "creative": {"videoSpecs": {"duration": 30}, "direction": {"style": "modern"}}
    })
}

#[tokio::test]
async fn a_brief_makes_a_job_that_both_apis_can_read() {
    let world = World::start().await;
    world.job.on("create_job", pb::Job { status: "pending".into(), ..a_job(None) });
    let reply = world.post("/api/v3/jobs", brief()).await.ok(201);
    assert_eq!((&reply["job_id"], &reply["total_assets"]), (&json!(43), &json!(4)));
    let data = &reply["data"];
    for (member, value) in [
        ("id", json!("43")),
        ("jobId", json!(43)),
        ("status", json!("pending")),
        ("estimatedCost", json!(2.4)),
        ("assetIds", json!(["a-1", "a-2"])),
        ("scenes", json!([{"title": "Pool"}])),
        ("createdAt", json!("2026-03-04T05:00:00Z")),
    ] {
        assert_eq!(data[member], value, "{member}");
    }
    assert_eq!(reply["meta"]["timestamp"], "2026-03-04T05:00:00Z");
    let asked: pb::CreateJobRequest = world.job.asked_once("create_job");
    assert_eq!((asked.kind.as_str(), asked.campaign_id.as_str()), ("image_pairs", "c-1"));
    assert_eq!((asked.total_seconds, asked.soundtrack), (Some(30.0), None));
    assert!(asked.brief.starts_with("Shown: A lodge"));
}

#[tokio::test]
async fn a_brief_is_priced_without_making_anything() {
    let world = World::start().await;
    let job = pb::Job { price_micros_per_second: 200_000, ..a_job(None) };
    let valid_until = "2026-03-04T23:59:59Z".to_owned();
    let estimate = pb::Estimate { job: Some(job), planned: true, planner: "template".into(), valid_until };
    world.job.on("get_estimate", estimate);
    let mut with_flag = brief();
    with_flag["dryRun"] = json!(true);
    for (path, body) in [("/api/v3/jobs/dry-run", brief()), ("/api/v3/jobs", with_flag)] {
        let reply = world.post(path, body).await.ok(200);
        let breakdown =
            json!({"storyboard_generation": 0.0, "image_generation": 0.0, "video_rendering": 2.4});
        let data = json!({"estimatedCost": 2.4, "currency": "USD", "breakdown": breakdown, "validUntil": "2026-03-04T23:59:59Z"});
        assert_eq!(reply["data"], data);
        assert_eq!((&reply["dry_run"], &reply["scene_count"]), (&json!(true), &json!(2)));
    }
    assert!(world.job.asked::<pb::CreateJobRequest>("create_job").is_empty());
}

#[tokio::test]
async fn what_a_brief_lacks_is_named_in_its_own_words() {
    let world = World::start().await;
    let mut nobody = brief();
    nobody["context"] = json!({"clientId": "cl-1"});
    for path in ["/api/v3/jobs", "/api/v3/jobs/dry-run"] {
        let body = world.post(path, nobody.clone()).await.problem(400, "missing_field");
        assert_eq!(body["error"], "campaign_id is required");
        let mut poor = brief();
        poor["adBasics"]["product"] = json!("");
        let body = world.post(path, poor).await.problem(422, "validation_failed");
        assert_eq!(body["violations"][0]["pointer"], "#/adBasics/product");
    }
    world.job.refuse("create_job", || ServiceError::validation([("aspect_ratio", "is not supported")]));
    world.job.refuse("create_job", || {
        ServiceError::new(Code::NotFound, "campaign_not_found", "Campaign not found")
    });
    let body = world.post("/api/v3/jobs", brief()).await.problem(422, "validation_failed");
    assert!(body["details"]["creative.videoSpecs.format"].is_array(), "{body}");
    world.post("/api/v3/jobs", brief()).await.problem(404, "campaign_not_found");
}
