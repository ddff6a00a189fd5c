//! The main job, whoever of the replicas does which part of it.

use serde_json::json;
use stack::Options;

use super::{Scaled, trace};
use crate::{
    main_job::keeps_every_promise,
    world::{approved_job, campaign},
};

#[tokio::test(flavor = "multi_thread")]
async fn heavy_the_main_job_keeps_every_promise_over_six_processes_of_two_replicas_each() {
    let scaled = Scaled::start(Options { public: true, ..Scaled::options() }).await;
    let webhooks = json!([
        {"when": {"kind": "webhook", "probability": 0.3, "seed": 3}, "then": {"fault": "webhook_duplicate"}},
        {"when": {"kind": "webhook", "probability": 0.3, "seed": 5}, "then": {"fault": "webhook_forged"}},
    ]);
    scaled.faults(webhooks).await;
    // What is written through one gateway is read through the other.
    let campaign = campaign(&scaled.client(0), "Quay House", 8).await;
    let job = approved_job(&scaled.client(0), &campaign, 3).await;
    keeps_every_promise(&scaled.client(1), job, scaled.scratch.path()).await;

    let music = scaled.ledger().await.of_kind("music").count();
    assert!(music >= 1);
    scaled.bought_once(3, music).await;
    assert!(!scaled.ledger().await.webhooks.is_empty(), "providers reach us");
    scaled.published_equals_logged().await;
    trace::one_trace_joins_everything(&scaled).await;
    scaled.stop().await;
}
