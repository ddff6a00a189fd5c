//! Several processes on one database: one works, any answers, and whoever takes over goes on where the last one was.

use std::time::Duration;

use predictions::{Outcome, state::Stage};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::scripted::{Course, DEADLINE, Running, World, meta, order, signed};

const RATE: u32 = 60;
const SLOTS: u32 = 10;
const HUGE: usize = 100;
const MEDIUM: usize = 12;
const SMALL: usize = 8;

/// Short leases, a provider that takes its time.
async fn busy_world() -> World {
    let mut world = World::on_postgres().await;
    world.account = predictions::Account { max_in_flight: SLOTS, starts_per_second: RATE };
    world.config.post_timeout = Duration::from_millis(750);
    world.policy.lease = Duration::from_millis(1500);
    world.script([], (0..HUGE + MEDIUM + SMALL).map(|_| Course::Lasts(Duration::from_millis(250))));
    world
}

/// Replicas with names that nobody had before.
struct Fleet {
    running: Vec<(String, Running)>,
    born: usize,
}

impl Fleet {
    async fn grow(&mut self, world: &World) {
        let owner = format!("replica-{}", self.born);
        self.born += 1;
        self.running.push((owner.clone(), world.replica(&owner).await));
    }

    /// Ends whoever leads, with or without handing over, and puts another in its place.
    async fn lose_the_leader(&mut self, world: &World, handing_over: bool) {
        let leader = world.leader(|owner| self.running.iter().any(|(name, _)| name == owner)).await;
        let at = self.running.iter().position(|(owner, _)| *owner == leader).unwrap();
        let (_, running) = self.running.remove(at);
        if handing_over {
            running.stop().await;
        } else {
            running.kill();
        }
        self.grow(world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_four_replicas_and_kills_the_accounts_limits_hold_and_campaigns_take_turns() {
    let world = busy_world().await;
    let mut fleet = Fleet { running: Vec::new(), born: 0 };
    for _ in 0..4 {
        fleet.grow(&world).await;
    }
    let mut dice = StdRng::seed_from_u64(11);
    for (campaign, count) in [("huge", HUGE), ("medium", MEDIUM)] {
        for n in 0..count {
            let (_, replica) = &fleet.running[dice.random_range(0..4)];
            replica.engine.place(order(&format!("{campaign}-{n}"), campaign), meta()).await.unwrap();
        }
    }
    world.until("the slots are in use", |memory| memory.most_in_flight == SLOTS as usize).await;
    for round in 0..4 {
        let more = world.provider.memory.lock().creates.len() + dice.random_range(4..10);
        world.until("it goes on", |memory| memory.creates.len() >= more).await;
        fleet.lose_the_leader(&world, round % 2 == 0).await;
    }
    let before = world.provider.memory.lock().creates.len();
    for n in 0..SMALL {
        fleet.running[n % 4].1.engine.place(order(&format!("small-{n}"), "small"), meta()).await.unwrap();
    }
    for (campaign, count) in [("small", SMALL), ("medium", MEDIUM), ("huge", HUGE)] {
        for n in 0..count {
            let view = fleet.running[0].1.settled(&format!("{campaign}-{n}")).await;
            assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{campaign}-{n}: {view:?}");
        }
    }
    for (_, running) in fleet.running {
        running.stop().await;
    }
    let open = "SELECT id FROM prediction_attempt WHERE over_at IS NULL";
    assert!(world.log.query(open, eventlog::params![]).await.unwrap().is_empty(), "a slot leaked");

    let memory = world.provider.memory.lock();
    assert_eq!(memory.most_in_flight, SLOTS as usize);
    assert_eq!(memory.charged.len(), HUGE + MEDIUM + SMALL, "one charge each");
    // Within one slot's time: those that were about to start, then its turn.
    let turn = memory.creates.iter().skip(before).position(|create| create.input["prompt"] == "small-0");
    assert!(turn.is_some_and(|turn| turn <= 2 * SLOTS as usize), "{turn:?} after {before}");
    // Spread, however many processes started them; a busy machine may hold up as many as there are slots.
    for (n, first) in memory.created_at.iter().enumerate() {
        let second = *first + jiff::SignedDuration::from_secs(1);
        let within = memory.created_at[n..].iter().filter(|at| **at < second).count();
        assert!(within <= (RATE + SLOTS) as usize, "{within} starts in a second");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stops_hands_over_at_once() {
    let mut world = World::on_postgres().await;
    // Nobody could wait for it to run out.
    world.policy.lease = Duration::from_secs(3600);
    let one = world.replica("one").await;
    world.leader(|owner| owner == "one").await;
    let two = world.replica("two").await;
    two.engine.place(order("a", "c"), meta()).await.unwrap();
    two.settled("a").await;
    one.stop().await;
    two.engine.place(order("b", "c"), meta()).await.unwrap();
    two.settled("b").await;
    assert_eq!(world.leader(|_| true).await, "two");
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_placed_on_several_replicas_at_once_is_bought_once() {
    let world = World::on_postgres().await;
    let (one, two) = (world.replica("one").await, world.replica("two").await);
    for n in 0..10 {
        let key = format!("o{n}");
        let placed = [&one, &two, &one, &two].map(|replica| replica.engine.place(order(&key, "c"), meta()));
        for view in futures::future::join_all(placed).await {
            assert!(view.unwrap().order.is_some());
        }
        two.settled(&key).await;
    }
    assert_eq!((world.charges(), world.provider.memory.lock().creates.len()), (10, 10));
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancels_and_webhooks_work_on_any_replica() {
    let mut world = World::on_postgres().await;
    // Nothing but being woken makes it ask.
    world.policy.poll_first = Duration::from_secs(3600);
    world.policy.poll_most = Duration::from_secs(3600);
    world.script([], [Course::Runs, Course::Runs]);
    let leader = world.replica("leader").await;
    world.leader(|owner| owner == "leader").await;
    let other = world.replica("other").await;
    for key in ["a", "b"] {
        other.engine.place(order(key, "c"), meta()).await.unwrap();
        let runs = async {
            while other.engine.get(key).await.unwrap().unwrap().stage != Stage::Running {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, runs).await.unwrap();
    }
    let sql = "SELECT id FROM prediction_attempt WHERE order_key = 'a'";
    let attempt: String = world.log.query(sql, eventlog::params![]).await.unwrap()[0].get("id").unwrap();
    world.provider.memory.lock().predictions[0].1 = Course::Succeeds;
    let body = br#"{"id":"p0","status":"succeeded"}"#;
    assert!(other.engine.webhook(&attempt, &signed(body), body).await.unwrap());
    let view = other.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    other.engine.cancel("b", "enough", meta()).await.unwrap();
    let view = other.settled("b").await;
    assert_eq!(view.outcome, Some(Outcome::Canceled { reason: "enough".into() }));
    assert_eq!(world.provider.memory.lock().canceled, ["p1"]);
    leader.stop().await;
    other.stop().await;
}
