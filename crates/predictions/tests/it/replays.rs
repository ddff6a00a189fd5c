//! Webhooks that the provider signed once, sent again by somebody who kept them.

use std::time::Duration;

use jiff::SignedDuration;
use kit::Clock;
use predictions::{Outcome, state::Stage};

use crate::scripted::{Course, DEADLINE, Running, SECRET, World, meta, order, signed, signed_at};

const NEWS: &[u8] = br#"{"id":"p0","status":"succeeded"}"#;

/// A world in which only a webhook brings news within the test, its engine, and an attempt that runs.
async fn waiting() -> (World, Running, String) {
    let mut world = World::new().await;
    world.policy.poll_first = Duration::from_secs(3600);
    world.policy.poll_most = Duration::from_secs(3600);
    world.script([], [Course::Runs]);
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let runs = async {
        while running.engine.get("a").await.unwrap().unwrap().stage != Stage::Running {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, runs).await.unwrap();
    let rows = world.log.query("SELECT id FROM prediction_attempt", eventlog::params![]).await.unwrap();
    let attempt = rows[0].get("id").unwrap();
    (world, running, attempt)
}

/// The attempt succeeds at the provider, and nobody is told.
fn succeeds(world: &World) {
    world.provider.memory.lock().predictions[0].1 = Course::Succeeds;
}

/// How many events there are, and how often the provider was asked for anything.
async fn traces(world: &World) -> (usize, usize) {
    let events = world.log.load("order-a", 0).await.unwrap().len();
    (events, world.provider.memory.lock().traces.len())
}

#[tokio::test]
async fn a_webhook_of_another_time_has_no_effect_however_well_it_is_signed() {
    let (world, running, attempt) = waiting().await;
    assert!(
        !running
            .engine
            .webhook(&attempt, &signed_at(jiff::Timestamp::UNIX_EPOCH, SECRET, NEWS), NEWS)
            .await
            .unwrap()
    );
    // While it runs, looking at it writes nothing: the engine may look once more of its own accord.
    let (before, _) = traces(&world).await;
    for minutes in [-10, -6, 6, 10] {
        let time = Clock::system().now() + SignedDuration::from_mins(minutes);
        let headers = signed_at(time, SECRET, NEWS);
        assert!(!running.engine.webhook(&attempt, &headers, NEWS).await.unwrap(), "{minutes} minutes");
    }
    assert_eq!(traces(&world).await.0, before);
    assert_eq!(world.provider.memory.lock().secrets_told, 0, "no secret would make them good");
    assert_eq!(running.engine.get("a").await.unwrap().unwrap().stage, Stage::Running);
    // The same news at their time are taken.
    succeeds(&world);
    assert!(running.engine.webhook(&attempt, &signed(NEWS), NEWS).await.unwrap());
    assert!(matches!(running.settled("a").await.outcome, Some(Outcome::Delivered { .. })));
    running.stop().await;
}

#[tokio::test]
async fn a_webhook_that_was_taken_writes_and_asks_nothing_when_it_comes_again() {
    let (world, running, attempt) = waiting().await;
    succeeds(&world);
    let headers = signed(NEWS);
    assert!(running.engine.webhook(&attempt, &headers, NEWS).await.unwrap());
    let view = running.settled("a").await;
    let before = traces(&world).await;
    for _ in 0..3 {
        assert!(running.engine.webhook(&attempt, &headers, NEWS).await.unwrap());
    }
    running.stop().await;
    // What it would have set in motion has ended with the engine.
    assert_eq!(traces(&world).await, before);
    assert_eq!(world.engine().get("a").await.unwrap().unwrap(), view);
    assert_eq!(world.charges(), 1);
}
