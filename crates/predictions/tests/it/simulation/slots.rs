//! Slots: whatever happens to processes and calls, never more than the limit is in flight at the provider, a crash
//! costs its slots for no longer than the lease and the search last, and every order ends, charged at most once.

use std::time::Duration;

use eventlog::testing::each_seed;

use super::{
    provider::Weather,
    world::{Event, LAG, LEASE, MARGIN, POST_TIMEOUT, SLOW, Scene, World, simulate},
};

const SECOND: Duration = Duration::from_secs(1);

/// A provider and a network with everything that they do now and then.
fn storm(seed: u64) -> Weather {
    Weather {
        refused: 3,
        throttled: 4,
        unheard: 3,
        broken: 3,
        dropped: 6,
        silent: 5,
        unreadable: 5,
        fails: 10,
        slow: SLOW,
        lag: LAG,
        page: 1 + (seed % 7) as usize,
        ..Weather::fair()
    }
}

/// Orders that come over `time`, some of which are canceled.
pub(super) fn place(world: &mut World, count: u64, campaigns: u64, time: Duration) {
    let most = u64::try_from(time.as_millis()).unwrap();
    for n in 0..count {
        let (key, campaign) = (format!("o{n}"), format!("c{}", world.dice.below(campaigns)));
        let at = world.dice.millis(0, most);
        world.at(at, Event::Place { key: key.clone(), campaign });
        if world.dice.chance(7) {
            let later = at + world.dice.millis(100, 8_000);
            world.at(later, Event::Cancel { key });
        }
    }
}

/// Things that happen to processes, over `time`.
pub(super) fn trouble(world: &mut World, count: u64, time: Duration) {
    let most = u64::try_from(time.as_millis()).unwrap();
    for _ in 0..count {
        let process = world.dice.below(world.scene.replicas as u64) as usize;
        let (at, down) = (world.dice.millis(0, most), world.dice.millis(0, 6_000));
        let renamed = world.dice.chance(50);
        let event = match world.dice.below(9) {
            0..=2 => Event::Crash { process, down, renamed },
            3 => Event::Stop { process, down },
            4 => Event::Pause { process, time: 2 * down },
            // It wakes when its lease is about to be taken, or has just been.
            5 => Event::Pause { process, time: LEASE - SECOND + world.dice.millis(0, 2_500) },
            6..=7 => Event::BadLine { process, lost: world.dice.inclusive(20, 70) as u32, time: down },
            _ => Event::SetClock { process },
        };
        world.at(at, event);
    }
}

fn stormy(seed: u64) -> Scene {
    Scene {
        replicas: 1 + (seed % 4) as usize,
        limit: 1 + (seed / 4 % 5) as u32,
        weather: storm(seed),
        lost: 2,
        ..Scene::new(seed)
    }
}

async fn through_a_storm(mut world: World) -> Vec<(Duration, String)> {
    // One world of five hundred is a big one.
    let count = if world.scene.seed % 500 == 499 { 200 } else { world.dice.inclusive(1, 10) };
    let time = 12 * SECOND;
    place(&mut world, count, 4, time);
    let troubles = world.dice.below(8);
    trouble(&mut world, troubles, time);
    world.run_until(time).await;
    world.settle().await;
    world.check_the_books().await;
    world.account.books.lock().creates.clone()
}

#[test]
fn the_limit_holds_every_order_ends_and_none_is_charged_twice() {
    each_seed(2000, |seed| {
        simulate(stormy(seed), through_a_storm);
    });
}

#[test]
fn a_simulation_goes_the_same_way_each_time() {
    for seed in [3, 17, 42] {
        let run = || simulate(stormy(seed), through_a_storm);
        assert_eq!(run(), run(), "seed {seed}");
    }
}

/// After a crash of every process that runs, with more than enough to do.
async fn after_a_crash(mut world: World) {
    let limit = world.scene.limit as usize;
    for n in 0..(6 * limit) {
        world.at(Duration::ZERO, Event::Place { key: format!("o{n}"), campaign: "c".into() });
    }
    let crash = world.dice.millis(2_500, 5_000);
    for process in 0..world.scene.replicas {
        if process == 0 || world.dice.chance(50) {
            let renamed = world.dice.chance(50);
            world.at(crash, Event::Crash { process, down: SECOND, renamed });
        }
    }
    world.run_until(crash).await;
    world.account.calm_down();
    // Somebody else, or itself, holds the lease again; open intents are proven absent or adopted; slots are given out
    // one after another.
    let starting = SECOND * world.scene.limit / world.scene.starts_per_second;
    let bound = LEASE + POST_TIMEOUT + MARGIN + starting + 6 * SECOND;
    // What runs through the crash does not count.
    let mut now = crash + world.scene.weather.lasts.1;
    while world.account.in_flight() < limit {
        now += SECOND / 10;
        assert!(now < crash + bound, "slots did not come back within {bound:?} of the crash");
        world.run_until(now).await;
    }
}

#[test]
fn slots_come_back_after_a_crash_within_the_lease_and_the_search() {
    each_seed(300, |seed| {
        let weather = Weather { silent: 20, unheard: 10, ..Weather::fair() };
        let scene = Scene {
            replicas: 1 + (seed % 3) as usize,
            limit: 2 + (seed % 3) as u32,
            weather,
            ..Scene::new(seed)
        };
        simulate(scene, after_a_crash);
    });
}
