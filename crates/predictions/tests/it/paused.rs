//! A process that is paused as a whole for longer than its lease, and goes on as if nothing had happened: it writes
//! nothing, buys nothing, and what it had bought is found by its mark.

use std::{thread::JoinHandle, time::Duration};

use predictions::{Engine, Outcome};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::scripted::{DEADLINE, Frozen, Pause, World, meta, order};

/// An engine in a thread of its own, so that all of it can be stopped at once.
struct Process {
    thread: JoinHandle<()>,
    stop: CancellationToken,
    /// Lets it go on.
    thaw: std::sync::mpsc::Sender<()>,
    frozen: oneshot::Receiver<()>,
}

impl Process {
    /// One that will be paused at this point.
    fn start(world: &World, owner: &str, at: Pause) -> Self {
        let (thaw, until) = std::sync::mpsc::channel();
        let (reached, frozen) = oneshot::channel();
        world.provider.memory.lock().frozen = Some(Frozen { at, until, reached });
        let (mut parts, opening) = (world.parts(owner, world.log.clone()), world.opening());
        let stop = CancellationToken::new();
        let token = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                parts.log = opening.await;
                Engine::new(parts).run(token).await.unwrap();
            });
        });
        Self { thread, stop, thaw, frozen }
    }

    async fn is_paused(&mut self) {
        tokio::time::timeout(DEADLINE, &mut self.frozen).await.expect("it is paused").unwrap();
    }

    /// It goes on, and is told to stop once `done` is over.
    async fn goes_on(self, done: impl Future<Output = ()>) {
        drop(self.thaw);
        done.await;
        self.stop.cancel();
        let ended = tokio::task::spawn_blocking(move || self.thread.join().unwrap());
        tokio::time::timeout(DEADLINE, ended).await.expect("it ends").unwrap();
    }
}

async fn world() -> World {
    let mut world = World::on_postgres().await;
    world.config.post_timeout = Duration::from_millis(1000);
    world.policy.lease = Duration::from_millis(2000);
    world.policy.max_lost = 50;
    world
}

/// Pauses a process in the middle of an order and lets another one take over; what the provider was asked.
async fn paused(at: Pause) -> usize {
    let world = world().await;
    let mut old = Process::start(&world, "old", at);
    world.leader(|owner| owner == "old").await;
    // By one that does not run: nobody else may take the order up before.
    world.engine().place(order("a", "c"), meta()).await.unwrap();
    old.is_paused().await;
    let new = world.replica("new").await;
    world.leader(|owner| owner == "new").await;
    let view = new.settled("a").await;
    assert!(matches!(view.outcome, Some(Outcome::Delivered { .. })), "{view:?}");
    let events = world.log.load("order-a", 0).await.unwrap().len();
    old.goes_on(async {
        // It is at work again as soon as it has read the database; more orders are served meanwhile.
        for key in ["b", "c", "d"] {
            new.engine.place(order(key, "c"), meta()).await.unwrap();
            new.settled(key).await;
        }
    })
    .await;
    assert_eq!(world.log.load("order-a", 0).await.unwrap().len(), events, "the old one wrote something");
    assert_eq!(world.charges(), 4);
    new.stop().await;
    let memory = world.provider.memory.lock();
    memory.creates.iter().filter(|create| create.input["prompt"] == "a").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_paused_before_its_call_makes_none_when_it_wakes() {
    assert_eq!(paused(Pause::Upload).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_process_paused_in_its_call_has_bought_is_adopted() {
    assert_eq!(paused(Pause::Create).await, 1);
}
