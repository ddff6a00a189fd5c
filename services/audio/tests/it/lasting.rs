//! What survives: a stop at any moment, a cancel, a provider that fails.

use serde_json::json;

use crate::world::{World, wanted};

const KEY: &str = "job-43/soundtrack-1";

fn nth_music(nth: u64, then: serde_json::Value) -> serde_json::Value {
    json!({"rules": [{"when": {"kind": "music", "nth": nth}, "then": then}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_second_segment_buys_nothing_twice() {
    let world = World::new().await;
    world.control.faults(nth_music(2, json!({"fault": "hold"}))).await.unwrap();
    let audio = world.start().await;
    audio.request(wanted(KEY, 40)).await.unwrap();
    audio.until_events("AttemptAccepted", 2).await;
    audio.stop().await;

    let audio = world.start().await;
    assert_eq!(audio.get(KEY).await.segments_done, 1, "the first segment is lost");
    world.control.release().await.unwrap();
    let ready = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 160_000), "{ready:?}");
    assert_eq!(world.bought().await.len(), 2);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_after_any_event_buys_nothing_twice() {
    let world = World::new().await;
    let mut audio = world.start().await;
    audio.request(wanted(KEY, 31)).await.unwrap();
    let mut position = 0;
    let mut starts = 1;
    while audio.get(KEY).await.state != "ready" {
        position = audio.beyond(position).await;
        audio.stop().await;
        audio = world.start().await;
        starts += 1;
    }
    assert!(starts > 4, "it was hardly ever stopped");
    let bought = world.bought().await;
    assert_eq!(bought.len(), 2, "{bought:?}");
    assert_eq!(audio.get(KEY).await.cost_micros, 160_000);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_found_and_not_bought_again() {
    let world = World::new().await;
    world.control.faults(nth_music(1, json!({"fault": "accept_then_drop"}))).await.unwrap();
    let audio = world.start().await;
    audio.request(wanted(KEY, 5)).await.unwrap();
    let ready = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 80_000), "{ready:?}");
    assert_eq!(world.bought().await.len(), 1);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_the_prediction_and_tells_what_it_cost() {
    let world = World::new().await;
    world.control.faults(nth_music(1, json!({"fault": "hold"}))).await.unwrap();
    let audio = world.start().await;
    audio.request(wanted(KEY, 40)).await.unwrap();
    audio.until(KEY, &["generating"]).await;
    audio.cancel(KEY).await;
    let canceled = audio.until(KEY, &["canceled"]).await;
    assert_eq!(canceled.reason.as_deref(), Some("not wanted"));
    let bought = world.bought().await;
    assert_eq!((bought.len(), bought[0].canceled), (1, true), "{bought:?}");
    let cost = if bought[0].charged { 80_000 } else { 0 };
    assert_eq!(canceled.cost_micros, cost);
    assert_eq!(audio.published(1).await[0].0, "soundtrack_canceled");
    // Canceled stays canceled.
    assert_eq!(audio.request(wanted(KEY, 40)).await.unwrap().state, "canceled");
    assert_eq!(audio.cancel(KEY).await.state, "canceled");
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_before_the_request_refuses_it() {
    let world = World::new().await;
    let audio = world.start().await;
    assert_eq!(audio.cancel(KEY).await.state, "canceled");
    let late = audio.request(wanted(KEY, 40)).await.unwrap();
    assert_eq!((late.state.as_str(), late.reason.as_deref()), ("canceled", Some("not wanted")));
    assert!(world.bought().await.is_empty());
    let (name, data) = audio.published(1).await.remove(0);
    assert_eq!((name.as_str(), &data["job_id"]), ("soundtrack_canceled", &json!(43)));
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_fails_the_soundtrack_with_its_reason_and_is_not_tried_again() {
    let world = World::new().await;
    let refusal = json!({"fault": "fail", "error": "NSFW content detected in the prompt"});
    world.control.faults(json!({"rules": [{"when": {"kind": "music"}, "then": refusal}]})).await.unwrap();
    let audio = world.start().await;
    audio.request(wanted(KEY, 40)).await.unwrap();
    let failed = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!(
        (failed.state.as_str(), failed.retryable, failed.cost_micros),
        ("failed", false, 0),
        "{failed:?}"
    );
    assert!(failed.reason().contains("NSFW"), "{failed:?}");
    assert_eq!(world.bought().await.len(), 1);
    let (name, data) = audio.published(1).await.remove(0);
    assert_eq!(name, "soundtrack_failed");
    assert!(data["reason"].as_str().unwrap().contains("NSFW"), "{data}");
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_for_a_moment_gets_a_fresh_attempt() {
    let world = World::new().await;
    let moment = json!({"fault": "fail", "code": "E6716"});
    world.control.faults(nth_music(1, moment)).await.unwrap();
    let audio = world.start().await;
    audio.request(wanted(KEY, 5)).await.unwrap();
    let ready = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 80_000), "{ready:?}");
    assert_eq!(world.bought().await.len(), 2);
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_the_music_is_delivered_when_the_rest_fails() {
    let world = World::new().await;
    let refusal = json!({"fault": "fail", "error": "NSFW content detected in the prompt"});
    world.control.faults(nth_music(2, refusal)).await.unwrap();
    let audio = world.start().await;
    audio.request(wanted(KEY, 50)).await.unwrap();
    let ready = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!((ready.state.as_str(), ready.cost_micros), ("ready", 80_000), "{ready:?}");
    assert!(ready.duration_ms().abs_diff(30_000) < 100, "{ready:?}");
    world.end(audio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn something_that_is_no_music_fails_the_soundtrack() {
    let world = World::new().await;
    let rules = json!({"rules": [{"when": {"kind": "download"}, "then": {"fault": "wrong_media"}}]});
    world.control.faults(rules).await.unwrap();
    let audio = world.start().await;
    audio.request(wanted(KEY, 5)).await.unwrap();
    let failed = audio.until(KEY, &["ready", "failed"]).await;
    assert_eq!(failed.state, "failed", "{failed:?}");
    assert!(failed.reason().len() > 20 && failed.cost_micros >= 80_000, "{failed:?}");
    world.end(audio).await;
}
