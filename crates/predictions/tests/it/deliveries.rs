//! What was paid for is fetched for as long as it can be had.

use std::time::Duration;

use predictions::{Failure, FailureClass, OrderView, Outcome, ProviderError};

use crate::scripted::{Running, World, meta, order};

async fn bought(world: &World) -> (Running, OrderView) {
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    (running, view)
}

fn failure(view: OrderView) -> Failure {
    match view.outcome {
        Some(Outcome::Failed(failure)) => failure,
        other => panic!("not failed: {other:?}"),
    }
}

fn gone() -> ProviderError {
    ProviderError::Refused { status: 404, detail: "not found".into() }
}

fn broken() -> ProviderError {
    ProviderError::Ambiguous("the output broke off".into())
}

#[tokio::test]
async fn an_outage_of_downloads_is_sat_out() {
    let mut world = World::new().await;
    world.policy.backoff_most = Duration::from_millis(20);
    world.provider.memory.lock().failing_downloads.extend((0..60).map(|_| broken()));
    let (running, view) = bought(&world).await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!((world.charges(), world.provider.memory.lock().downloads), (1, 61));
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_fetched_until_the_provider_forgets_it_fails_with_the_reason() {
    let mut world = World::new().await;
    world.policy.memory = Duration::from_millis(300);
    world.provider.memory.lock().failing_downloads.extend((0..10_000).map(|_| broken()));
    let (running, view) = bought(&world).await;
    assert_eq!((view.attempts, world.charges()), (1, 1));
    let failure = failure(view);
    assert_eq!(failure.class, FailureClass::Output);
    assert!(failure.reason.contains("broke off") && failure.retryable(), "{failure:?}");
    running.stop().await;
}

#[tokio::test]
async fn what_is_gone_is_asked_for_a_few_times_only() {
    let world = World::new().await;
    world.provider.memory.lock().failing_downloads.extend((0..100).map(|_| gone()));
    let (running, view) = bought(&world).await;
    let failure = failure(view);
    assert_eq!(failure.class, FailureClass::Output);
    assert!(failure.reason.contains("it is gone"), "{failure:?}");
    assert_eq!(world.provider.memory.lock().downloads, 3);
    running.stop().await;
}

#[tokio::test]
async fn a_question_for_a_new_address_that_fails_does_not_count() {
    let mut world = World::new().await;
    world.policy.max_downloads = 2;
    world.provider.memory.lock().failing_downloads.extend((0..8).map(|_| gone()));
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    world.until("it is fetched", |memory| memory.downloads >= 1).await;
    world.provider.memory.lock().failing_gets.extend((0..6).map(|_| broken()));
    let view = running.settled("a").await;
    let downloads = world.provider.memory.lock().downloads;
    assert!(downloads >= 8, "gave up after {downloads} downloads: {view:?}");
    running.stop().await;
}

#[tokio::test]
async fn an_output_that_the_provider_throttles_is_not_fetched_earlier_and_keeps_nobody_waiting() {
    let mut world = World::new().await;
    world.account.max_in_flight = 10;
    let hour = Duration::from_secs(3600);
    world.provider.memory.lock().failing_downloads.extend((0..4).map(|_| ProviderError::Throttled(hour)));
    let running = world.run();
    for n in 0..4 {
        running.engine.place(order(&format!("throttled-{n}"), "c"), meta()).await.unwrap();
    }
    world.until("all are throttled", |memory| memory.downloads >= 4).await;
    // As many as there are turns wait an hour; the next one is served all the same.
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    assert_eq!(world.provider.memory.lock().downloads, 5);
    running.stop().await;
}
