//! The list of jobs.

use kit::ServiceError;
use protos::job::v1 as pb;
use serde_json::json;

use crate::world::{World, a_job};

#[tokio::test]
async fn jobs_are_listed_with_what_a_list_shows() {
    let world = World::start().await;
    let job = pb::Job { scenes: Vec::new(), error: Some("no credit".into()), ..a_job(None) };
    world.job.on("list_jobs", pb::ListJobsReply { jobs: vec![job], total: 7, next: None });
    let body = world.get("/api/v3/jobs").await.ok(200);
    assert_eq!(body["meta"], json!({"count": 1, "total": 7, "limit": 25, "offset": 0, "next_cursor": null}));
    let line = &body["data"][0];
    for (member, value) in [
        ("job_id", json!(43)),
        ("type", json!("image_pairs")),
        ("status", json!("processing")),
        ("video_name", json!("Spring 2")),
        ("campaign_id", json!("c-1")),
        ("client_id", json!("cl-1")),
        ("estimated_cost", json!(2.4)),
        ("actual_cost", json!(1.0)),
        ("progress_percentage", json!(42)),
        ("error", json!("no credit")),
        ("video_url", json!(null)),
        ("created_at", json!("2026-03-04T05:00:00Z")),
    ] {
        assert_eq!(line[member], value, "{member}");
    }
    assert_eq!(line["links"]["self"], "/api/v3/jobs/43");
    for large in ["storyboard", "parameters", "scenes"] {
        assert!(line.get(large).is_none(), "{large}");
    }
}

#[tokio::test]
async fn filters_reach_the_service_and_are_bound_into_the_cursor() {
    let world = World::start().await;
    world.job.on("list_jobs", pb::ListJobsReply { jobs: vec![a_job(None)], total: 9, next: Some(43) });
    let filters =
        "status=pending&campaignId=c-1&client_id=cl-1&type=image_pairs&created_after=2026-03-04T00:00:00Z";
    let body = world.get(&format!("/api/v3/jobs?{filters}&limit=500&created_before=")).await.ok(200);
    let asked: pb::ListJobsRequest = world.job.asked_once("list_jobs");
    let wanted = pb::ListJobsRequest {
        status: Some("pending".into()),
        campaign_id: Some("c-1".into()),
        client_id: Some("cl-1".into()),
        kind: Some("image_pairs".into()),
        created_after: Some("2026-03-04T00:00:00Z".into()),
        limit: 100,
        ..Default::default()
    };
    assert_eq!(asked, wanted);
    let cursor = body["meta"]["next_cursor"].as_str().expect("a cursor");
    world.get(&format!("/api/v3/jobs?{filters}&cursor={cursor}")).await.ok(200);
    assert_eq!(world.job.asked::<pb::ListJobsRequest>("list_jobs")[1].after, Some(43));
    for other in ["", "status=failed", "client_id=cl-1"] {
        world.get(&format!("/api/v3/jobs?{other}&cursor={cursor}")).await.problem(400, "bad_request");
    }
}

#[tokio::test]
async fn a_filter_that_is_not_understood_is_refused() {
    let world = World::start().await;
    world
        .job
        .refuse("list_jobs", || ServiceError::validation([("status", "is invalid; use one of pending")]));
    let body = world.get("/api/v3/jobs?status=done").await.problem(422, "validation_failed");
    assert!(body["details"]["status"].is_array());
}
