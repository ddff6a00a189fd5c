//! Several replicas of a producer and of a consumer.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::{
    Backoff, Bus, EventBus as _, NatsBus, Published, TranslateError, Tuning, subjects::source::RENDER,
};
use eventlog::StoredEvent;
use parking_lot::{Condvar, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    nats_world::{Nats, QUICK},
    world::{DEADLINE, DURABLE, number},
};

/// Too long for any test: whoever waits for it fails.
const NEVER: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_is_stopped_hands_over_at_once() {
    let nats = Nats::start().await;
    let patient = Tuning { relay_lease: NEVER, ..QUICK };
    let url = nats.server.url();
    let first = NatsBus::connect_with(&url, "a", patient).await.unwrap();
    let second = NatsBus::connect_with(&url, "b", patient).await.unwrap();
    nats.publish(&first);
    nats.world.append("e", "Finished", 0..10).await;
    nats.published(10).await;
    nats.publish(&second);
    tokio::time::timeout(DEADLINE, first.stop()).await.expect("it does not stop");
    nats.world.append("e", "Finished", 10..20).await;
    assert_eq!(nats.published(20).await, nats.logged().await);
    tokio::time::timeout(DEADLINE, second.stop()).await.expect("it does not stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_stops_while_nats_is_away() {
    let mut nats = Nats::start().await;
    let bus = nats.quick_bus("a").await;
    nats.publish(&bus);
    nats.world.append("e", "Finished", 0..10).await;
    nats.published(10).await;
    nats.server.stop();
    nats.world.append("e", "Finished", 10..20).await;
    tokio::time::timeout(DEADLINE, bus.stop()).await.expect("it does not stop");
    let free = eventlog::lease::claim(&nats.world.producer, "relay/render", "other", DEADLINE).await.unwrap();
    assert!(free.is_some(), "the lease was given back");
}

/// Where a relay stands still between reading an event and publishing it.
struct Gate {
    held: Mutex<Held>,
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Closed,
    Standing,
    Open,
}

static GATE: Gate = Gate { held: Mutex::new(Held::Closed), changed: Condvar::new() };

impl Gate {
    fn pass(&self) {
        tokio::task::block_in_place(|| {
            let mut held = self.held.lock();
            if *held == Held::Closed {
                *held = Held::Standing;
                self.changed.notify_all();
            }
            while *held != Held::Open {
                self.changed.wait(&mut held);
            }
        });
    }

    /// Waits for somebody to stand before it.
    fn reached(&self) {
        let mut held = self.held.lock();
        while *held == Held::Closed {
            assert!(!self.changed.wait_for(&mut held, DEADLINE).timed_out(), "nobody came");
        }
    }

    fn set(&self, to: Held) {
        *self.held.lock() = to;
        self.changed.notify_all();
    }
}

fn paused(event: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    if event.data.value().unwrap()["number"].as_u64().is_some_and(|number| number % 50 == 25) {
        GATE.pass();
    }
    crate::world::translate(event)
}

/// It has read and not published when its lease runs out, another relay takes over and publishes the same and
/// more; then the old one wakes up and publishes what it had read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_paused_relay_that_wakes_up_neither_doubles_nor_reorders() {
    let nats = Nats::start().await;
    let mut count = 0;
    for round in 0..4_u32 {
        GATE.set(Held::Closed);
        let old = nats.quick_bus("old").await;
        old.register(RENDER, nats.world.producer.clone(), paused);
        let first = round * 50;
        nats.world.append("e", "Finished", first..first + 40).await;
        tokio::task::block_in_place(|| GATE.reached());
        let new = nats.quick_bus("new").await;
        nats.publish(&new);
        // In some rounds the new relay is through when the old one wakes, in some it is in the middle.
        count += if round % 2 == 0 { 40 } else { 26 };
        nats.published(count.into()).await;
        let appending = nats.world.append("e", "Finished", first + 40..first + 50);
        let waking = async { GATE.set(Held::Open) };
        futures::join!(waking, appending);
        count = first + 50;
        nats.published(count.into()).await;
        new.stop().await;
        old.stop().await;
        let report = nats.reconcile(&new).await;
        assert!(report.equal, "{report}");
    }
    assert_eq!(nats.published(count.into()).await, nats.logged().await);
}

/// What one replica of a consumer was handed.
struct Replica {
    arrived: mpsc::UnboundedReceiver<u64>,
    cancel: CancellationToken,
    running: tokio::task::JoinHandle<()>,
    /// Whether its handler fails.
    failing: Arc<AtomicBool>,
}

impl Nats {
    fn replica(&self, bus: &Arc<NatsBus>) -> Replica {
        let bus: Bus = bus.clone();
        let (sender, arrived) = mpsc::unbounded_channel();
        let (cancel, failing) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
        let quick = Backoff { min: Duration::from_millis(5), max: Duration::from_millis(50) };
        let subscription = bus.subscribe(RENDER, DURABLE, self.world.consumer.clone()).backoff(quick);
        let fails = failing.clone();
        let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
            let (sender, fails) = (sender.clone(), fails.clone());
            async move {
                anyhow::ensure!(!fails.load(Ordering::SeqCst), "this replica's disk is full");
                Ok(sender.send(number(&message))?)
            }
        }));
        Replica { arrived, cancel, running, failing }
    }
}

/// Takes from both until everything below `count` was handled; what the first one handled.
async fn all(count: u64, first: &mut Replica, second: &mut Replica) -> BTreeSet<u64> {
    let (mut handled, mut by_first) = (BTreeSet::new(), BTreeSet::new());
    let collecting = async {
        while handled.len() < usize::try_from(count).unwrap() {
            tokio::select! {
                Some(number) = first.arrived.recv() => {
                    handled.insert(number);
                    by_first.insert(number);
                }
                Some(number) = second.arrived.recv() => {
                    handled.insert(number);
                }
            }
        }
    };
    tokio::time::timeout(DEADLINE, collecting).await.expect("a message was never handled");
    assert_eq!(handled, (0..count).collect());
    by_first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_of_a_consumer_share_its_messages() {
    let nats = Nats::start().await;
    let (here, there) = (nats.quick_bus("a").await, nats.quick_bus("b").await);
    nats.publish(&here);
    let (mut first, mut second) = (nats.replica(&here), nats.replica(&there));
    nats.world.append("e", "Finished", 0..300).await;
    all(300, &mut first, &mut second).await;
    for replica in [first, second] {
        replica.cancel.cancel();
        replica.running.await.unwrap();
    }
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_cannot_handle_another_one_gets_later() {
    let nats = Nats::start().await;
    let (here, there) = (nats.quick_bus("a").await, nats.quick_bus("b").await);
    let (mut broken, mut well) = (nats.replica(&here), nats.replica(&there));
    broken.failing.store(true, Ordering::SeqCst);
    nats.publish(&here);
    nats.world.append("e", "Finished", 0..100).await;
    let by_broken = all(100, &mut broken, &mut well).await;
    assert!(by_broken.is_empty());
    for replica in [broken, well] {
        replica.cancel.cancel();
        replica.running.await.unwrap();
    }
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_replica_held_goes_to_another_one() {
    let nats = Nats::start().await;
    let (here, there) = (nats.quick_bus("a").await, nats.quick_bus("b").await);
    let mut dead = nats.replica(&here);
    dead.failing.store(true, Ordering::SeqCst);
    nats.publish(&there);
    nats.world.append("e", "Finished", 0..100).await;
    // It holds as many as one consumer may hold, and dies without giving them back.
    let held = async {
        while unacknowledged(&nats).await < usize::from(QUICK.unacknowledged) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, held).await.expect("it does not take what it may");
    dead.running.abort();
    drop(here);
    let mut heir = nats.replica(&there);
    all(100, &mut dead, &mut heir).await;
    heir.cancel.cancel();
    heir.running.await.unwrap();
    there.stop().await;
}

async fn unacknowledged(nats: &Nats) -> usize {
    let Ok(stream) = nats.jetstream().await.get_stream("FILMSTRIP_RENDER").await else { return 0 };
    let pending = stream.consumer_info(DURABLE).await.map_or(0, |info| info.num_ack_pending);
    assert!(pending <= usize::from(QUICK.unacknowledged), "{pending} messages are out");
    pending
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_gives_back_what_it_has_not_handled() {
    let nats = Nats::start().await;
    let patient = Tuning { ack_wait: NEVER, ..QUICK };
    let bus = NatsBus::connect_with(&nats.server.url(), "a", patient).await.unwrap();
    let mut stopping = nats.replica(&bus);
    stopping.failing.store(true, Ordering::SeqCst);
    nats.publish(&bus);
    nats.world.append("e", "Finished", 0..60).await;
    let held = async {
        while unacknowledged(&nats).await < 60 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, held).await.expect("it does not take them");
    stopping.cancel.cancel();
    (&mut stopping.running).await.unwrap();
    let mut heir = nats.replica(&bus);
    all(60, &mut stopping, &mut heir).await;
    heir.cancel.cancel();
    heir.running.await.unwrap();
    bus.stop().await;
}

/// Only so that the next one can tell how far behind it is while NATS is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_leaves_word_of_how_far_it_came() {
    let nats = Nats::start().await;
    let bus = nats.quick_bus("a").await;
    nats.publish(&bus);
    nats.world.append("e", "Finished", 0..10).await;
    nats.world.append("e", "Noted", 10..12).await;
    nats.published(10).await;
    let left = async {
        while eventlog::checkpoint::load(&nats.world.producer, "relay/render").await.unwrap() < 12 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, left).await.expect("it does not say how far it came");
    bus.stop().await;
}
