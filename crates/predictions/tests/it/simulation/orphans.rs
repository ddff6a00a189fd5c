//! The orphan search: create calls whose answers are lost at every point, lists that lag and come in small pages,
//! clocks that differ and are set, processes that die before, in and after the call. Nothing is bought twice, what was
//! bought is adopted, and an absence is not believed before it is certain.

use std::time::Duration;

use eventlog::testing::each_seed;
use jiff::SignedDuration;

use super::{
    provider::Weather,
    slots::trouble,
    world::{Event, LAG, SLOW, Scene, World, simulate},
};

const SECOND: Duration = Duration::from_secs(1);

/// Most answers are lost. A call that has left arrives, and is listed, within less than the margin that the search
/// waits, clocks included.
fn mute(seed: u64) -> Scene {
    let ahead = i64::try_from(seed % 117).unwrap() - 58;
    let weather = Weather {
        refused: 2,
        throttled: 3,
        unheard: 8,
        broken: 8,
        dropped: 30,
        silent: 30,
        unreadable: 12,
        fails: 5,
        slow: SLOW,
        lag: LAG,
        page: 1 + (seed % 4) as usize,
        skew: SignedDuration::from_secs(ahead),
        ..Weather::fair()
    };
    Scene { replicas: 2 + (seed % 2) as usize, limit: 4, weather, lost: 4, ..Scene::new(seed) }
}

async fn orders_with_lost_answers(mut world: World) {
    let count = world.dice.inclusive(1, 5);
    for n in 0..count {
        let at = world.dice.millis(0, 4_000);
        world.at(at, Event::Place { key: format!("o{n}"), campaign: "c".into() });
    }
    let troubles = world.dice.below(6);
    trouble(&mut world, troubles, 10 * SECOND);
    world.run_until(10 * SECOND).await;
    world.settle().await;
    world.check_the_books().await;
}

#[test]
fn nothing_is_bought_twice_or_forgotten_when_answers_are_lost() {
    each_seed(2000, |seed| simulate(mute(seed), orders_with_lost_answers));
}

/// Nobody is there for longer than the provider remembers, or for almost as long.
async fn away_for_long(mut world: World) {
    let count = world.dice.inclusive(1, 4);
    for n in 0..count {
        let at = world.dice.millis(0, 2_000);
        world.at(at, Event::Place { key: format!("o{n}"), campaign: "c".into() });
    }
    let crash = world.dice.millis(300, 3_000);
    let down = SECOND * u32::try_from(world.dice.inclusive(400, 700)).unwrap();
    for process in 0..world.scene.replicas {
        world.at(crash, Event::Crash { process, down, renamed: true });
    }
    world.run_until(crash + down + SECOND).await;
    world.settle().await;
    world.check_the_books().await;
}

#[test]
fn what_the_provider_has_forgotten_is_unknown_and_not_bought_again() {
    each_seed(500, |seed| {
        let scene = Scene { forgetful: true, ..mute(seed) };
        simulate(scene, away_for_long);
    });
}
