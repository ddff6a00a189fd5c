//! Relays that die, stop, are paused in the middle of publishing and wake up, with messages and answers that are late,
//! lost or doubled: whatever the interleaving, the stream is the beginning of the log, in set and order, and in the
//! end all of it.

use std::{sync::Arc, time::Duration};

use bus::{Tuning, nats::relay::Relay, subjects};
use eventlog::{
    Append, Log, NewEvent,
    testing::{Dice, DistantLog, Gate, NO_TABLES, each_seed, simulated_log},
};
use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::json;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::stream::{Server, Troubles};
use crate::world::translate;

/// How long the stream may take to have everything once nothing goes wrong any more.
const SETTLING: Duration = Duration::from_secs(120);
const TUNING: Tuning = Tuning {
    relay_lease: Duration::from_secs(3),
    relay_renew: Duration::from_millis(900),
    ack_wait: Duration::from_secs(60),
    unacknowledged: 256,
};

struct Process {
    gate: Arc<Gate>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

struct World {
    dice: Dice,
    log: Log,
    server: Arc<Server>,
    processes: Vec<Option<Process>>,
    lost: u32,
    appended: u64,
    /// What the stream must hold in the end, in this order.
    published: Vec<(Uuid, i64)>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let began = Instant::now();
        let now = move || 1_700_000_000_000 + i64::try_from(began.elapsed().as_millis()).unwrap();
        let log = simulated_log(&NO_TABLES, now);
        let troubles = Troubles { lost: 2, twice: 3, late: 2, breaks: 2, silent: 3 };
        let server = Server::new(dice.split(), troubles);
        let replicas = dice.inclusive(2, 3);
        let mut world =
            Self { dice, log, server, processes: Vec::new(), lost: 2, appended: 0, published: Vec::new() };
        for n in 0..replicas as usize {
            world.processes.push(None);
            world.start(n);
        }
        world
    }

    fn start(&mut self, n: usize) {
        if self.processes[n].is_some() {
            return;
        }
        let gate = Gate::new(self.dice.split(), self.lost);
        let (server, at_gate) = (self.server.clone(), gate.clone());
        let open = move || {
            let target = server.connect(at_gate.clone());
            async move { Ok(target) }.boxed()
        };
        let log = Arc::new(DistantLog::new(self.log.clone(), gate.clone()));
        let source = subjects::source::RENDER;
        let name = format!("replica-{n}");
        let relay = Relay::new(Box::new(open), source, &name, log, translate, TUNING);
        let cancel = CancellationToken::new();
        let task = tokio::spawn(relay.run(cancel.clone()));
        self.processes[n] = Some(Process { gate, cancel, task });
    }

    async fn step(&mut self) {
        let n = self.dice.below(self.processes.len() as u64) as usize;
        match self.dice.below(12) {
            0..=4 => self.append().await,
            5 => {
                let time = self.dice.millis(100, 9_000);
                if let Some(process) = &self.processes[n] {
                    process.gate.pause(time);
                }
            }
            6 => {
                if let Some(process) = self.processes[n].take() {
                    process.task.abort();
                }
            }
            7 => {
                if let Some(process) = self.processes[n].take() {
                    process.cancel.cancel();
                }
            }
            8 | 9 => {
                let (server, at) = (self.server.clone(), self.dice.millis(0, 60));
                self.append().await;
                tokio::spawn(async move {
                    tokio::time::sleep(at).await;
                    server.stored.lock().take_foreign();
                });
            }
            _ => self.start(n),
        }
        // Often at once, sometimes after the lease of a dead one.
        let time = if self.dice.chance(20) { self.dice.millis(500, 5_000) } else { self.dice.millis(0, 40) };
        tokio::time::sleep(time).await;
    }

    async fn append(&mut self) {
        let mut events = Vec::new();
        for _ in 0..self.dice.inclusive(1, 8) {
            self.appended += 1;
            let finished = self.dice.chance(75);
            let (id, kind) = (Uuid::now_v7(), if finished { "Finished" } else { "Noted" });
            events.push(NewEvent::new(id, kind, json!({ "number": self.appended }), Timestamp::UNIX_EPOCH));
            // One log alone: positions are numbers from 1.
            self.published.extend(finished.then_some((id, self.appended as i64)));
        }
        let done = self.log.append(Append::to("e").events(events)).await.unwrap();
        assert_eq!(done.last_position, self.appended as i64);
    }

    /// Whether the stream has everything; it never has anything else.
    fn is_whole(&self) -> bool {
        let stored = self.server.stored.lock().relayed();
        let begins = self.published.starts_with(&stored);
        assert!(begins, "{stored:?} is not the beginning of {:?}", self.published);
        stored.len() == self.published.len()
    }

    /// Nothing goes wrong any more.
    async fn settle(&mut self) {
        self.lost = 0;
        self.server.calm_down();
        for n in 0..self.processes.len() {
            match &self.processes[n] {
                Some(process) => process.gate.heal(),
                None => self.start(n),
            }
        }
        self.append().await;
        let deadline = Instant::now() + SETTLING;
        while !self.is_whole() {
            assert!(Instant::now() < deadline, "the stream never equals the log");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        for process in self.processes.drain(..).flatten() {
            process.cancel.cancel();
            process.task.await.unwrap();
        }
        // What is late still arrives, twice or out of time, and changes nothing.
        tokio::time::sleep(Duration::from_secs(1300)).await;
        assert!(self.is_whole());
    }
}

async fn relays(seed: u64) -> (Vec<i64>, usize, usize) {
    let mut world = World::new(seed);
    for _ in 0..world.dice.inclusive(8, 25) {
        world.step().await;
        world.is_whole();
    }
    world.settle().await;
    let stored = world.server.stored.lock();
    (stored.relayed().iter().map(|(_, position)| *position).collect(), stored.fenced, stored.duplicates)
}

fn simulate<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(story)
}

#[test]
fn the_stream_equals_the_log_however_relays_die_and_wake() {
    each_seed(2000, |seed| {
        simulate(relays(seed));
    });
}

#[test]
fn late_relays_are_fenced_and_a_simulation_goes_the_same_way_each_time() {
    let runs: Vec<_> = (0..20).map(|seed| simulate(relays(seed))).collect();
    assert!(runs.iter().any(|(_, fenced, _)| *fenced > 0), "nobody was fenced");
    assert!(runs.iter().any(|(_, _, duplicates)| *duplicates > 0), "nothing came twice");
    for (seed, run) in runs.iter().enumerate().take(3) {
        assert_eq!(simulate(relays(seed as u64)), *run, "seed {seed}");
    }
}
