//! A provider that misbehaves: every job ends, with a reason a person can act on, and nothing is paid twice.

use serde_json::{Value, json};

use crate::world::{ServerOptions, Stage, World, approved_job, campaign, finished};

/// A job of two scenes under these faults; what became of it and how many videos were charged.
async fn job_under(faults: Value) -> (Value, usize) {
    // Both clocks run fast, so that waits a provider asks for are short.
    let options = ServerOptions { flags: vec!["--time-scale".into(), "60".into()], ..Default::default() };
    let world = World::with(&["--draft", "--instant", "--time-scale", "60"], options).await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    world.stage.faults(faults).await;
    let job = approved_job(&client, &campaign, 2).await;
    let done = finished(&client, job).await;
    let charged =
        world.stage.control().ledger().await.unwrap().charged().filter(|p| p.kind == "video").count();
    (done, charged)
}

fn reason(job: &Value) -> &str {
    job["error"].as_str().unwrap_or_else(|| panic!("no reason: {job}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_calls_transient_is_tried_again() {
    let fault = json!({"fault": "fail", "error": "Timeout starting prediction", "code": "E6716"});
    let (job, charged) = job_under(json!([{"when": {"kind": "video", "times": 2}, "then": fault}])).await;
    assert_eq!((&job["outcome"], charged), (&json!("full"), 2), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_start_waits_and_goes_on() {
    let fault = json!({"fault": "status", "code": 429, "retry_after": 1});
    let (job, charged) = job_under(json!([{"when": {"kind": "video", "times": 3}, "then": fault}])).await;
    assert_eq!((&job["outcome"], charged), (&json!("full"), 2), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_breaks_after_accepting_is_not_paid_twice() {
    let fault = json!({"fault": "status", "code": 502, "accepted": true});
    let (job, charged) = job_under(json!([{"when": {"kind": "video", "times": 2}, "then": fault}])).await;
    assert_eq!((&job["outcome"], charged), (&json!("full"), 2), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_never_answers_ends_in_a_reason() {
    let (job, _) = job_under(json!([{"when": {"kind": "video"}, "then": {"fault": "never_answers"}}])).await;
    assert_eq!(job["status"], "failed", "{job}");
    assert!(!reason(&job).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_talks_nonsense_ends_in_a_reason() {
    let (job, charged) =
        job_under(json!([{"when": {"kind": "video"}, "then": {"fault": "garbage_json", "accepted": false}}]))
            .await;
    assert_eq!((&job["status"], charged), (&json!("failed"), 0), "{job}");
    assert!(!reason(&job).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_ends_in_a_reason() {
    let (job, charged) =
        job_under(json!([{"when": {"kind": "download"}, "then": {"fault": "wrong_media"}}])).await;
    assert_eq!((&job["status"], charged), (&json!("failed"), 2), "{job}");
    assert!(!reason(&job).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_nobody_knows_ends_in_a_reason() {
    let (job, _) = job_under(json!([{"when": {"kind": "video"}, "then": {"fault": "unknown_status"}}])).await;
    assert_eq!(job["status"], "failed", "{job}");
    assert!(!reason(&job).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_music_the_video_is_finished_silent_and_says_so() {
    let fault = json!({"fault": "fail", "error": "The input was flagged as sensitive", "code": "E005"});
    let (job, charged) = job_under(json!([{"when": {"kind": "music"}, "then": fault}])).await;
    assert_eq!((&job["status"], &job["outcome"], charged), (&json!("completed"), &json!("full"), 2), "{job}");
    assert!(job["warnings"].as_array().is_some_and(|warnings| !warnings.is_empty()), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_planner_is_a_503_and_stores_nothing() {
    let world = World::with(Stage::INSTANT, ServerOptions::default()).await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 4).await;
    world.stage.faults(json!([{"when": {"kind": "chat"}, "then": {"fault": "malformed_plan"}}])).await;
    let body = json!({"campaign_id": campaign, "num_pairs": 2});
    let answer =
        client.call(reqwest::Method::POST, "/api/v3/jobs/from-image-pairs", Some(body)).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body["error"]), (503, &json!("Failed to generate scenes")));
    world.stage.control().reset().await.unwrap();
    assert_eq!(crate::world::new_job(&client, &campaign, 2).await, 1, "no number was used up");
}
