//! What the older backend got wrong at its edge around jobs, one test for each.

use http::Method;
use protos::{common::v1::BlobRef, job::v1 as pb, render::v1 as render};
use serde_json::{Value, json};

use crate::world::{World, a_job, answer};

#[tokio::test]
async fn q02_a_webhook_is_handed_over_with_its_signature_and_an_unsigned_one_has_no_effect() {
    let world = World::start().await;
    world.render.on("receive_webhook", render::ReceiveWebhookReply { accepted: false });
    let body = json!({"id": "p-1", "status": "succeeded", "output": "https://evil.example/a.mp4"});
    let forged = world.post("/api/webhooks/replicate/render/a-1", body.clone()).await;
    assert_eq!(forged.ok(200), json!({"status": "ok"}));
    let asked: render::ReceiveWebhookRequest = world.render.asked_once("receive_webhook");
    assert_eq!(serde_json::from_slice::<Value>(&asked.body).expect("as it came"), body);
    assert!(!asked.headers.contains_key("webhook-signature"), "the service decides on what was sent");
    assert_eq!(world.post("/api/webhooks/replicate", body).await.ok(200), json!({"status": "ok"}));
    assert_eq!(world.render.asked::<render::ReceiveWebhookRequest>("receive_webhook").len(), 1);
}

#[tokio::test]
async fn q15_a_job_id_that_is_no_integer_names_no_job_on_any_route() {
    let world = World::start().await;
    let routes = [
        (Method::GET, ""),
        (Method::POST, "/approve"),
        (Method::POST, "/cancel"),
        (Method::POST, "/actions"),
        (Method::GET, "/sub-jobs"),
        (Method::GET, "/events"),
        (Method::GET, "/scenes"),
        (Method::GET, "/scenes/s-1"),
        (Method::PUT, "/scenes/s-1"),
        (Method::DELETE, "/scenes/s-1"),
        (Method::POST, "/scenes/s-1/regenerate"),
        (Method::PATCH, "/storyboard/scenes/0"),
        (Method::PUT, "/storyboard/order"),
    ];
    for id in ["abc", "1.5", "99999999999999", "12abc"] {
        for (method, rest) in &routes {
            let body = json!({"action": "approve", "order": ["s-1"]});
            let request = world.request(method.clone(), &format!("/api/v3/jobs/{id}{rest}"));
            let request = if *method == Method::GET { request } else { request.json(&body) };
            let body = answer(request).await.problem(404, "job_not_found");
            assert_eq!(
                (&body["error"], &body["job_id"]),
                (&json!("Job not found"), &json!(id)),
                "{method} {rest}"
            );
        }
        for path in ["videos/{}/combined", "videos/{}/thumbnail", "audio/status/{}", "audio/{}/download"] {
            world.get(&format!("/api/v3/{}", path.replace("{}", id))).await.problem(404, "job_not_found");
        }
    }
}

#[tokio::test]
async fn q18_plain_bad_input_for_a_job_is_a_refusal_that_names_the_field() {
    let world = World::start().await;
    for (path, mut body, field) in [
        ("from-property-photos", json!({"property_types": []}), "property_types"),
        ("from-property-photos", json!({"parameters": [1]}), "parameters"),
        ("from-image-pairs", json!({"parameters": "x"}), "parameters"),
        ("from-image-pairs", json!({"num_pairs": 1.5}), "num_pairs"),
    ] {
        body["campaign_id"] = json!("c-1");
        let refused =
            world.post(&format!("/api/v3/jobs/{path}"), body).await.problem(422, "validation_failed");
        assert!(refused["details"][field].is_array(), "{refused}");
    }
}

#[tokio::test]
async fn q27_jobs_and_lists_are_shown_without_a_byte_of_their_media() {
    let world = World::start().await;
    // In no store: whoever reads it fails.
    let blob = |size| BlobRef { sha256: "ab".repeat(32), size, content_type: "video/mp4".into() };
    let job = pb::Job { video: Some(blob(1 << 30)), ..a_job(Some(blob(7))) };
    world.job.on("get_job", job.clone());
    world.job.on("list_jobs", pb::ListJobsReply { jobs: vec![job.clone()], total: 1, next: None });
    world.job.on("list_videos", pb::ListVideosReply { jobs: vec![job], total: 1, next: None });
    let body = world.get("/api/v3/jobs/43").await.ok(200);
    assert_eq!(
        (&body["scenes"][0]["has_video"], &body["scenes"][0]["video_blob_size"]),
        (&json!(true), &json!(7))
    );
    assert_eq!(body["video_url"], "/api/v3/videos/43/combined");
    for list in ["jobs", "generated-videos"] {
        assert_eq!(world.get(&format!("/api/v3/{list}")).await.ok(200)["meta"]["total"], 1);
    }
}

#[tokio::test]
async fn q35_a_job_says_why_it_failed_and_how_far_it_came() {
    let world = World::start().await;
    let error = Some("Every scene failed: no credit".to_owned());
    world.job.on("get_job", pb::Job { status: "failed".into(), error, ..a_job(None) });
    let body = world.get("/api/v3/jobs/43").await.ok(200);
    assert_eq!(body["error"], "Every scene failed: no credit");
    let progress = json!({"percentage": 42, "stage": "starting_render", "total_scenes": 2, "completed_scenes": 1,
        "processing_scenes": 1, "failed_scenes": 0});
    assert_eq!(body["progress"], progress);
    for member in ["scenes", "video_url", "outcome", "actual_cost", "created_at"] {
        assert!(body.get(member).is_some(), "{member}");
    }
}
