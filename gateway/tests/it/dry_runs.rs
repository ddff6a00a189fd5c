//! What jobs would be and cost.

use kit::ServiceError;
use protos::job::v1 as pb;
use serde_json::json;

use crate::world::{World, a_job};

fn estimate(planned: bool) -> pb::Estimate {
    let job = pb::Job { id: 0, status: "pending".into(), price_micros_per_second: 200_000, ..a_job(None) };
    pb::Estimate {
        job: Some(job),
        planned,
        planner: if planned { "template".into() } else { "xai".into() },
        valid_until: "2026-03-04T23:59:59Z".into(),
    }
}

#[tokio::test]
async fn a_dry_run_says_what_the_job_would_be_and_makes_none() {
    for path in [
        "/api/v3/jobs/from-image-pairs",
        "/api/v3/jobs/from-property-photos",
        "/api/v3/campaigns/c-1/create-job",
    ] {
        let world = World::start().await;
        world.job.on("get_estimate", estimate(true));
        let body = json!({"campaign_id": "c-1", "dry_run": true, "num_pairs": 2});
        let reply = world.post(path, body).await.ok(200);
        let dry_run = if path.contains("create-job") { &reply["data"] } else { &reply };
        for (member, value) in [
            ("dry_run", json!(true)),
            ("estimated_cost", json!(2.4)),
            ("costs", json!({"estimated": 2.4, "currency": "USD"})),
            ("scene_count", json!(2)),
            ("total_duration", json!(12.0)),
            ("planned", json!(true)),
            ("storyboard", json!({"scenes": [{"title": "Pool"}], "total_duration": 12.0})),
            ("valid_until", json!("2026-03-04T23:59:59Z")),
        ] {
            assert_eq!(dry_run[member], value, "{path}: {member}");
        }
        let parts = &dry_run["breakdown"];
        assert_eq!((&parts["price_per_second"], &parts["video_rendering"]), (&json!(0.2), &json!(2.4)));
        assert_eq!(parts["scenes"][1], json!({"index": 1, "billed_seconds": 6, "cost": 1.2}));
        let asked: pb::GetEstimateRequest = world.job.asked_once("get_estimate");
        assert_eq!((asked.plan, asked.job.expect("a job").num_pairs), (false, Some(2)));
        assert!(world.job.asked::<pb::CreateJobRequest>("create_job").is_empty());
    }
}

#[tokio::test]
async fn a_storyboard_that_a_model_would_draw_is_shown_only_when_it_was_asked() {
    let world = World::start().await;
    world.job.on("get_estimate", estimate(false));
    let body = json!({"campaign_id": "c-1", "dryRun": "true"});
    let reply = world.post("/api/v3/jobs/from-image-pairs", body).await.ok(200);
    assert_eq!((&reply["planned"], &reply["storyboard"]), (&json!(false), &json!(null)));
    assert_eq!((&reply["planner"], &reply["estimated_cost"]), (&json!("xai"), &json!(2.4)));
    let body = json!({"campaign_id": "c-1", "dry_run": true, "plan": true});
    world.post("/api/v3/jobs/from-image-pairs", body).await.ok(200);
    let asked: Vec<pb::GetEstimateRequest> = world.job.asked("get_estimate");
    assert_eq!((asked[0].plan, asked[1].plan), (false, true));
}

#[tokio::test]
async fn a_dry_run_is_refused_as_the_job_would_be() {
    let world = World::start().await;
    world.job.refuse("get_estimate", || ServiceError::validation([("video_model", "is not supported")]));
    let body = json!({"campaign_id": "c-1", "dry_run": true, "video_model": "sora"});
    world.post("/api/v3/jobs/from-image-pairs", body).await.problem(422, "validation_failed");
    let body = json!({"campaign_id": "c-1", "dry_run": "perhaps"});
    let refused = world.post("/api/v3/jobs/from-image-pairs", body).await.problem(422, "validation_failed");
    assert_eq!(refused["details"], json!({"dry_run": ["is invalid"]}));
}
