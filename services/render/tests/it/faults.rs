//! A provider that misbehaves between wish and prediction.

use std::time::Duration;

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_accepted_take_whose_answer_was_dropped_is_adopted_and_paid_once() {
    let world = World::new().await;
    world
        .faults(json!({"rules": [
            {"when": {"kind": "video", "nth": 1}, "then": {"fault": "accept_then_drop"}},
            {"when": {"kind": "video", "nth": 2}, "then": {"fault": "status", "code": 500, "accepted": true}},
            {"when": {"kind": "video", "nth": 3}, "then": {"fault": "garbage_json"}},
        ]}))
        .await;
    let service = world.service().await;
    for scene in 1..=3 {
        let wish = world.wish(scene);
        service.request(wish.clone()).await;
        let render = service.settled(&wish.key).await;
        assert_eq!((render.state.as_str(), render.attempts), ("rendered", 1), "{render:?}");
    }
    let ledger = world.ledger().await;
    assert_eq!((ledger.predictions.len(), ledger.charged().count()), (3, 3));
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_a_minute_late_is_adopted() {
    let mut world = World::at_pace(10.0).await;
    world.settings.replicate.post_timeout = Duration::from_secs(30);
    world.settings.replicate.orphan_margin = Duration::from_secs(90);
    world.settings.policy.poll_most = Duration::from_secs(4);
    world
        .faults(json!({"rules": [
            {"when": {"kind": "video"}, "then": {"fault": "delayed_answer", "seconds": 60}},
        ]}))
        .await;
    let service = world.service().await;
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.attempts), ("rendered", 1), "{render:?}");
    let ledger = world.ledger().await;
    assert_eq!((ledger.predictions.len(), ledger.charged().count()), (1, 1));
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_timeout_at_the_providers_start_gets_a_fresh_attempt() {
    let world = World::new().await;
    world
        .faults(json!({"rules": [
            {"when": {"kind": "video", "times": 2}, "then": {"fault": "fail", "code": "E6716"}},
        ]}))
        .await;
    let service = world.service().await;
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.attempts, render.cost_micros), ("rendered", 3, 800_000));
    let ledger = world.ledger().await;
    assert_eq!((ledger.predictions.len(), ledger.charged().count()), (3, 1));
    let marks: std::collections::HashSet<_> =
        ledger.predictions.iter().map(|made| made.input["image"].to_string()).collect();
    assert_eq!(marks.len(), 3, "each attempt has a frame address of its own");
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn refused_content_is_not_tried_again() {
    let world = World::new().await;
    let refusal = "The input or output was flagged as sensitive. Please try again with different inputs.";
    world
        .faults(json!({"rules": [
            {"when": {"kind": "video"}, "then": {"fault": "fail", "error": refusal, "code": "E005"}},
        ]}))
        .await;
    let service = world.service().await;
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.attempts, render.retryable), ("failed", 1, false));
    assert!(render.reason.as_deref().unwrap().contains(refusal), "{render:?}");
    assert_eq!(render.cost_micros, 0);
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_rate_limit_is_obeyed_and_costs_no_attempt() {
    let world = World::new().await;
    world
        .faults(json!({"rules": [
            {"when": {"kind": "video", "nth": 1}, "then": {"fault": "status", "code": 429, "retry_after": 1}},
        ]}))
        .await;
    let service = world.service().await;
    let (first, second) = (world.wish(1), world.wish(2));
    service.request(first.clone()).await;
    service.request(second.clone()).await;
    for wish in [&first, &second] {
        let render = service.settled(&wish.key).await;
        assert_eq!((render.state.as_str(), render.attempts), ("rendered", 1), "{render:?}");
    }
    let ledger = world.ledger().await;
    assert_eq!((ledger.predictions.len(), ledger.charged().count()), (2, 2));
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn every_other_end_settles_with_a_reason() {
    let world = World::new().await;
    world.faults(json!({"rules": [
        {"when": {"kind": "video", "prompt_contains": "scene-1/"}, "then": {"fault": "cancel"}},
        {"when": {"kind": "video", "prompt_contains": "scene-2/"}, "then": {"fault": "abort"}},
        {"when": {"kind": "video", "prompt_contains": "scene-3/"}, "then": {"fault": "unknown_status", "status": "paused"}},
        {"when": {"kind": "video", "prompt_contains": "scene-4/"}, "then": {"fault": "no_output"}},
        {"when": {"kind": "video", "prompt_contains": "scene-5/"}, "then": {"fault": "status", "code": 402, "detail": "Insufficient credit"}},
        {"when": {"kind": "video", "prompt_contains": "scene-6/"}, "then": {"fault": "fail", "error": "CUDA out of memory"}},
    ]}))
    .await;
    let service = world.service().await;
    let expected = [
        ("canceled at the provider", 800_000),
        ("aborted", 0),
        ("paused", 0),
        ("delivered nothing", 800_000),
        ("Insufficient credit", 0),
        ("CUDA out of memory", 0),
    ];
    for (scene, (reason, cost)) in (1..).zip(expected) {
        let wish = world.wish(scene);
        service.request(wish.clone()).await;
        let render = service.settled(&wish.key).await;
        assert_eq!((render.state.as_str(), render.retryable), ("failed", true), "{render:?}");
        assert!(render.reason.as_deref().unwrap().contains(reason), "{render:?}");
        assert_eq!(render.cost_micros, cost, "{reason}");
    }
    let paid = world.ledger().await.total_usd();
    assert!((paid - 1.6).abs() < 1e-9, "our books agree with the provider's: {paid}");
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up_on() {
    let mut world = World::at_pace(30.0).await;
    world.settings.policy.max_lost = 2;
    world.settings.policy.poll_most = Duration::from_secs(4);
    world.faults(json!({"rules": [{"when": {"kind": "video"}, "then": {"fault": "never_answers"}}]})).await;
    let service = world.service().await;
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.attempts, render.retryable), ("failed", 2, true), "{render:?}");
    assert!(render.reason.as_deref().unwrap().contains("did not take it on"), "{render:?}");
    assert!(world.ledger().await.predictions.is_empty());
    service.stop().await;
    world.stop().await;
}

#[tokio::test]
async fn a_prediction_that_never_ends_is_stopped_at_its_deadline() {
    let mut world = World::new().await;
    world.settings.policy.attempt_deadline = Duration::from_secs(2);
    world.faults(json!({"rules": [{"when": {"kind": "video"}, "then": {"fault": "hold"}}]})).await;
    let service = world.service().await;
    let wish = world.wish(1);
    service.request(wish.clone()).await;
    let render = service.settled(&wish.key).await;
    assert_eq!((render.state.as_str(), render.retryable), ("failed", true), "{render:?}");
    assert!(render.reason.as_deref().unwrap().contains("did not finish within"), "{render:?}");
    let ledger = world.ledger().await;
    assert!(ledger.predictions[0].canceled);
    service.stop().await;
    world.stop().await;
}
