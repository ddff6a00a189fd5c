//! Clocks.

use std::time::Duration;

use jiff::Timestamp;
use kit::Clock;

fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_manual_clock_stands_until_it_is_moved() {
    let clock = Clock::manual(noon());
    assert_eq!(clock.now(), noon());
    clock.advance(Duration::from_secs(90));
    assert_eq!(clock.now().duration_since(noon()).as_secs(), 90);
}

#[tokio::test]
async fn sleeping_on_a_manual_clock_ends_when_it_is_moved_past() {
    let clock = Clock::manual(noon());
    let sleeper = tokio::spawn({
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_hours(1)).await;
            clock.now()
        }
    });
    // However late the sleeper begins, moving on gets it there.
    while !sleeper.is_finished() {
        clock.advance(Duration::from_mins(30));
        tokio::task::yield_now().await;
    }
    assert!(sleeper.await.unwrap().duration_since(noon()).as_secs() >= 3600);
}

#[tokio::test]
async fn a_scaled_clock_runs_faster_than_the_wall() {
    let (plain, fast) = (Clock::system(), Clock::scaled(1000.0));
    let before = (plain.now(), fast.now());
    fast.sleep(Duration::from_secs(20)).await;
    let passed = fast.now().duration_since(before.1);
    assert!(passed.as_secs() >= 20, "{passed}");
    assert!(plain.now().duration_since(before.0) < passed);
}

#[tokio::test]
async fn sleeping_until_a_past_moment_returns_at_once() {
    let clock = Clock::manual(noon());
    clock.sleep_until(noon() - Duration::from_secs(1)).await;
}
