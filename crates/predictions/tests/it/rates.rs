//! The pauses: how they grow and spread, and how far starts are from each other, whoever makes them.

use std::time::Duration;

use jiff::Timestamp;
use kit::Clock;
use predictions::{Policy, answers::backoff};
use proptest::prelude::*;

use crate::scripted::{Running, World, meta, order};

#[test]
fn a_pause_doubles_up_to_the_longest_one() {
    let policy = Policy { backoff_first: Duration::from_secs(2), ..Policy::default() };
    let longest: Vec<u64> = (0..8).map(|failures| backoff(&policy, failures, 1.0).as_secs()).collect();
    assert_eq!(longest, [2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(backoff(&policy, usize::MAX, 1.0), policy.backoff_most);
}

proptest! {
    #[test]
    fn a_pause_is_spread_over_the_upper_half_of_its_longest(failures in 0_usize..40, jitter in 0.0_f64..1.0) {
        let policy = Policy::default();
        let longest = backoff(&policy, failures, 1.0);
        let pause = backoff(&policy, failures, jitter);
        prop_assert!(pause >= longest / 2 && pause <= longest, "{pause:?} of {longest:?}");
        prop_assert!(backoff(&policy, failures, jitter / 2.0) <= pause);
    }
}

/// Moves time in small steps until the order is over.
async fn settled(running: &Running, clock: &Clock, key: &str) {
    let moving = async {
        loop {
            clock.advance(Duration::from_millis(10));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = running.settled(key) => {}
        () = moving => {}
    }
}

async fn starts(world: &World) -> Vec<Timestamp> {
    let sql = "SELECT intended_at FROM prediction_attempt ORDER BY intended_at";
    let rows = world.log.query(sql, eventlog::params![]).await.unwrap();
    rows.iter().map(|row| row.get("intended_at").unwrap()).collect()
}

#[tokio::test]
async fn starts_keep_their_distance_also_over_a_change_of_process() {
    let clock = Clock::manual(Clock::system().now());
    let mut world = World::new().await.at(clock.clone());
    world.account.starts_per_second = 2;
    // The clock is moved faster than the machine's runs, and a write may take its time.
    world.config.post_timeout = Duration::from_secs(20);
    world.config = world.config.clone().scaled_for(100.0);
    let first = world.run_as("one");
    for key in ["a", "b", "c"] {
        first.engine.place(order(key, "c"), meta()).await.unwrap();
    }
    settled(&first, &clock, "c").await;
    first.stop().await;
    let second = world.run_as("two");
    second.engine.place(order("d", "c"), meta()).await.unwrap();
    settled(&second, &clock, "d").await;
    second.stop().await;
    let starts = starts(&world).await;
    assert_eq!(starts.len(), 4);
    for pair in starts.windows(2) {
        let distance = pair[1].duration_since(pair[0]);
        assert!(distance >= jiff::SignedDuration::from_millis(500), "{distance:?}");
    }
}

#[test]
fn a_call_takes_the_machines_time_whatever_the_services_clock_does() {
    let config = predictions::ReplicateConfig::soundstage("http://127.0.0.1:1".parse().unwrap());
    let timing = config.clone().scaled_for(60.0).timing();
    assert_eq!(timing.post_timeout, config.post_timeout * 60);
    assert_eq!(timing.orphan_margin, config.orphan_margin * 60);
    assert_eq!(config.scaled_for(60.0).post_timeout, Duration::from_secs(10));
}

#[tokio::test]
async fn a_slow_answer_is_waited_for_when_the_clock_runs_fast() {
    let mut world = World::new().await.at(Clock::scaled(1000.0));
    world.config.post_timeout = Duration::from_secs(20);
    world.config = world.config.clone().scaled_for(1000.0);
    // All is well as long as the machine's twenty seconds are not over, however many the clock counts.
    world.policy.memory = Duration::from_secs(7 * 24 * 3600);
    world.policy.attempt_deadline = world.policy.memory;
    let running = world.run();
    running.engine.place(order("a", "c"), meta()).await.unwrap();
    let view = running.settled("a").await;
    assert_eq!((view.attempts, world.provider.memory.lock().lists), (1, 0), "{view:?}");
    running.stop().await;
}
