//! Many orders, a provider that loses answers and fails, and a process that is killed again and again: every order
//! ends, none is paid twice, and the account's limit holds throughout.

use predictions::{Outcome, ProviderError};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::scripted::{Answer, Course, World, meta, order};

const ORDERS: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_paid_twice_or_lost_over_kills() {
    over_kills(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_paid_twice_or_lost_over_kills_on_postgresql() {
    over_kills(World::on_postgres().await).await;
}

async fn over_kills(mut world: World) {
    let mut dice = StdRng::seed_from_u64(7);
    world.config.post_timeout = std::time::Duration::from_millis(600);
    let answers: Vec<Answer> = (0..ORDERS)
        .map(|_| match dice.random_range(0..6) {
            0 => Answer::Dropped,
            1 => Answer::Silent,
            2 => Answer::Error(ProviderError::Ambiguous("HTTP 502".into())),
            _ => Answer::Taken,
        })
        .collect();
    let courses: Vec<Course> = (0..ORDERS)
        .map(|_| {
            if dice.random_range(0..4) == 0 {
                Course::Fails("Internal error (E1000)")
            } else {
                Course::Succeeds
            }
        })
        .collect();
    world.script(answers, courses);

    let engine = world.engine();
    for n in 0..ORDERS {
        engine.place(order(&format!("o{n}"), &format!("c{}", n % 3)), meta()).await.unwrap();
    }
    for _ in 0..12 {
        let running = world.run();
        let made = world.provider.memory.lock().creates.len();
        let more = made + dice.random_range(1..3);
        let far =
            |memory: &crate::scripted::Memory| memory.creates.len() >= more || memory.charged.len() >= ORDERS;
        world.until("it goes on", far).await;
        running.kill();
    }
    let running = world.run();
    for n in 0..ORDERS {
        let view = running.settled(&format!("o{n}")).await;
        assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "o{n}: {view:?}");
    }
    running.stop().await;

    let memory = world.provider.memory.lock();
    assert!(memory.most_in_flight <= 3, "{} in flight", memory.most_in_flight);
    assert_eq!(memory.charged.len(), ORDERS, "one charge each");
    let mut paid: Vec<String> = memory
        .predictions
        .iter()
        .filter(|(prediction, _)| memory.charged.contains(&prediction.id))
        .map(|(prediction, _)| prediction.input["prompt"].to_string())
        .collect();
    paid.sort();
    paid.dedup();
    assert_eq!(paid.len(), ORDERS, "each for another order");
}
