//! Several processes on one database before one provider, and what happens to them.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use blobs::{BlobError, Blobs};
use eventlog::{
    Log,
    testing::{Dice, Gate, simulated_log},
};
use jiff::{SignedDuration, Timestamp};
use kit::Clock;
use predictions::{Buyer, Engine, Order, Policy, Rejected, ReplicateConfig, Usable, engine::EngineParts};
use protos::common::v1::BlobRef;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    process::ProcessProvider,
    provider::{Account, Weather},
    reins::watched,
};
use crate::scripted::{MIGRATIONS, meta, order};

pub(super) const LEASE: Duration = Duration::from_secs(4);
pub(super) const POST_TIMEOUT: Duration = Duration::from_secs(1);
pub(super) const MARGIN: Duration = Duration::from_secs(3);
/// How far clocks may be from the true time, each way.
pub(super) const SKEW: i64 = 200;
/// How long a call may be under way, and how long it may be missing in the list after that. A call is cut off at its
/// time-out; whatever clocks show, all three together end before the search may conclude.
pub(super) const SLOW: Duration = Duration::from_millis(340);
pub(super) const LAG: Duration = Duration::from_millis(1840);
/// How long everything may take to end once nothing goes wrong any more.
const SETTLING: Duration = Duration::from_secs(10 * 60);

/// What a simulation is about.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) seed: u64,
    pub(super) replicas: usize,
    pub(super) limit: u32,
    pub(super) starts_per_second: u32,
    pub(super) weather: Weather,
    /// Words of a hundred to the database that come to nothing.
    pub(super) lost: u32,
    pub(super) policy: Policy,
    /// Whether it lasts so long that the provider may forget.
    pub(super) forgetful: bool,
}

impl Scene {
    pub(super) fn new(seed: u64) -> Self {
        let policy = Policy {
            backoff_first: Duration::from_secs(1),
            backoff_most: Duration::from_secs(4),
            attempt_deadline: Duration::from_secs(60),
            cancel_grace: Duration::from_secs(10),
            poll_most: Duration::from_secs(2),
            memory: Duration::from_secs(500),
            lease: LEASE,
            ..Policy::default()
        };
        Self {
            seed,
            replicas: 2,
            limit: 3,
            starts_per_second: 5,
            weather: Weather::fair(),
            lost: 0,
            policy,
            forgetful: false,
        }
    }
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Place {
        key: String,
        campaign: String,
    },
    Cancel {
        key: String,
    },
    /// A process dies; it comes back after a time, under its own name or another.
    Crash {
        process: usize,
        down: Duration,
        renamed: bool,
    },
    /// A process is told to stop, and comes back.
    Stop {
        process: usize,
        down: Duration,
    },
    Start {
        process: usize,
        renamed: bool,
    },
    Pause {
        process: usize,
        time: Duration,
    },
    SetClock {
        process: usize,
    },
    /// So many of a hundred words to the database are lost for a time.
    BadLine {
        process: usize,
        lost: u32,
        time: Duration,
    },
    GoodLine {
        process: usize,
    },
}

struct Running {
    cancel: CancellationToken,
    task: JoinHandle<()>,
    engine: Engine,
    gate: Arc<Gate>,
}

struct Process {
    name: String,
    lives: usize,
    clock: Clock,
    ahead: i64,
    running: Option<Running>,
}

/// Takes everything, and keeps nothing.
struct Anyone;

#[async_trait]
impl Buyer for Anyone {
    fn name(&self) -> &'static str {
        "scratch"
    }

    async fn check(&self, _order: &Order, _file: &Path) -> anyhow::Result<Result<Usable, Rejected>> {
        Ok(Ok(Usable { content_type: "video/mp4".into(), found: Value::Null }))
    }

    async fn keep(&self, _blobs: &Blobs, _file: &Path, content_type: &str) -> Result<BlobRef, BlobError> {
        Ok(BlobRef { sha256: "ab".repeat(32), size: 6, content_type: content_type.into() })
    }
}

/// Everything together.
pub(super) struct World {
    pub(super) scene: Scene,
    pub(super) log: Log,
    pub(super) account: Arc<Account>,
    pub(super) dice: Dice,
    pub(super) began: Instant,
    pub(super) keys: Vec<String>,
    processes: Vec<Process>,
    events: BTreeMap<(Duration, usize), Event>,
}

fn origin() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A directory for files that are gone at once; one for all seeds.
fn blobs() -> Blobs {
    static BLOBS: OnceLock<(Blobs, TempDir)> = OnceLock::new();
    let made = BLOBS.get_or_init(|| {
        // In memory where that can be had.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        (Blobs::local(dir.path()).unwrap(), dir)
    });
    made.0.clone()
}

/// Runs `story` in a world under a virtual clock.
pub(super) fn simulate<F: Future<Output = T>, T>(scene: Scene, story: impl FnOnce(World) -> F) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async { story(World::new(scene)).await })
}

impl World {
    fn new(scene: Scene) -> Self {
        let mut dice = Dice::new(scene.seed);
        let began = Instant::now();
        let log = simulated_log(&MIGRATIONS, move || {
            origin().as_millisecond() + i64::try_from(began.elapsed().as_millis()).unwrap()
        });
        let account = Account::new(dice.split(), scene.weather, origin(), scene.limit);
        let mut world = Self {
            log,
            account,
            dice,
            began,
            keys: Vec::new(),
            processes: Vec::new(),
            events: BTreeMap::new(),
            scene,
        };
        for n in 0..world.scene.replicas {
            let ahead = world.dice.between(-SKEW, SKEW);
            let clock = Clock::simulated(origin() + SignedDuration::from_millis(ahead));
            let name = format!("replica-{n}");
            world.processes.push(Process { name, lives: 0, clock, ahead, running: None });
        }
        for n in 0..world.scene.replicas {
            world.start(n, false);
        }
        world
    }

    /// Has something happen at a time.
    pub(super) fn at(&mut self, time: Duration, event: Event) {
        let n = self.events.len() + self.keys.len() + self.processes.iter().map(|p| p.lives).sum::<usize>();
        let mut place = (time, n);
        while self.events.contains_key(&place) {
            place.1 += 1;
        }
        self.events.insert(place, event);
    }

    /// Goes through everything that is to happen until `until`.
    pub(super) async fn run_until(&mut self, until: Duration) {
        while let Some(((time, _), event)) = self.events.pop_first() {
            if time > until {
                self.events.insert((time, 0), event);
                break;
            }
            tokio::time::sleep_until(self.began + time).await;
            self.happen(event).await;
            self.check();
        }
        tokio::time::sleep_until(self.began + until).await;
        self.check();
    }

    /// All goes well from now on; every process runs. Everything ends within a bounded time.
    pub(super) async fn settle(&mut self) {
        self.account.calm_down();
        for running in self.processes.iter().filter_map(|process| process.running.as_ref()) {
            running.gate.heal();
        }
        for n in 0..self.processes.len() {
            self.start(n, false);
        }
        for event in std::mem::take(&mut self.events).into_values() {
            if let Event::Place { key, campaign } = event {
                self.place(key, campaign);
            }
        }
        let deadline = Instant::now() + SETTLING;
        while self.unsettled().await > 0 {
            self.check();
            assert!(Instant::now() < deadline, "not everything ends: {:#?}", self.states().await);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        // Late words still arrive.
        tokio::time::sleep(LEASE).await;
        for process in &mut self.processes {
            if let Some(running) = process.running.take() {
                running.cancel.cancel();
                running.task.await.unwrap();
            }
        }
        self.check();
    }

    async fn unsettled(&self) -> usize {
        let sql = "SELECT COUNT(*) AS n FROM prediction_order WHERE phase = 'settled'";
        let rows = self.log.query(sql, eventlog::params![]).await.unwrap();
        self.keys.len() - usize::try_from(rows[0].get::<i64>("n").unwrap()).unwrap()
    }

    async fn states(&self) -> Vec<String> {
        let sql = "SELECT state FROM prediction_order WHERE phase <> 'settled'";
        let rows = self.log.query(sql, eventlog::params![]).await.unwrap();
        rows.iter().map(|row| row.get("state").unwrap()).collect()
    }

    /// Nothing that must not happen has happened.
    pub(super) fn check(&self) {
        let violations = &self.account.books.lock().violations;
        assert!(violations.is_empty(), "{violations:?}");
    }

    async fn happen(&mut self, event: Event) {
        match event {
            Event::Place { key, campaign } => self.place(key, campaign),
            Event::Cancel { key } => {
                if let Some(engine) = self.anybody().filter(|_| self.keys.contains(&key)) {
                    tokio::spawn(async move { drop(engine.cancel(&key, "enough", meta()).await) });
                }
            }
            Event::Crash { process, down, renamed } => {
                if let Some(running) = self.processes[process].running.take() {
                    running.task.abort();
                    drop(running.task.await);
                    let back = self.began.elapsed() + down;
                    self.at(back, Event::Start { process, renamed });
                }
            }
            Event::Stop { process, down } => {
                if let Some(running) = self.processes[process].running.take() {
                    running.cancel.cancel();
                    let back = self.began.elapsed() + down;
                    self.at(back, Event::Start { process, renamed: true });
                }
            }
            Event::Start { process, renamed } => self.start(process, renamed),
            Event::Pause { process, time } => {
                if let Some(running) = &self.processes[process].running {
                    running.gate.pause(time);
                }
            }
            Event::BadLine { process, lost, time } => {
                if let Some(running) = &self.processes[process].running {
                    running.gate.lose(lost);
                    let good = self.began.elapsed() + time;
                    self.at(good, Event::GoodLine { process });
                }
            }
            Event::GoodLine { process } => {
                if let Some(running) = &self.processes[process].running {
                    running.gate.lose(self.scene.lost);
                }
            }
            Event::SetClock { process } => {
                let ahead = self.dice.between(-SKEW, SKEW);
                let process = &mut self.processes[process];
                process.clock.set_by(SignedDuration::from_millis(ahead - process.ahead));
                process.ahead = ahead;
            }
        }
    }

    fn start(&mut self, n: usize, renamed: bool) {
        if self.processes[n].running.is_some() {
            return;
        }
        let (gate_dice, mut engine_dice) = (self.dice.split(), self.dice.split());
        let gate = Gate::new(gate_dice, if self.account.is_calm() { 0 } else { self.scene.lost });
        let process = &mut self.processes[n];
        process.lives += 1;
        if renamed {
            process.name = format!("replica-{n}-{}", process.lives);
        }
        let mut replicate = ReplicateConfig::soundstage("http://127.0.0.1:1".parse().unwrap());
        replicate.post_timeout = POST_TIMEOUT;
        replicate.orphan_margin = MARGIN;
        replicate.skew = Duration::from_secs(60);
        let parts = EngineParts {
            log: watched(&self.log, &gate, &self.account, &process.name),
            blobs: blobs(),
            clock: process.clock.clone(),
            provider: Arc::new(ProcessProvider { account: self.account.clone(), gate: gate.clone() }),
            replicate,
            account: predictions::Account {
                max_in_flight: self.scene.limit,
                starts_per_second: self.scene.starts_per_second,
            },
            policy: self.scene.policy,
            owner: process.name.clone(),
            buyer: Arc::new(Anyone),
        };
        let dice = parking_lot::Mutex::new(move || engine_dice.unit());
        let engine = Engine::with_dice(parts, Box::new(move || (*dice.lock())()));
        let cancel = CancellationToken::new();
        let (runner, token) = (engine.clone(), cancel.clone());
        let task = tokio::spawn(async move { runner.run(token).await.unwrap() });
        process.running = Some(Running { cancel, task, engine, gate });
    }

    /// The engine of a process that runs.
    fn anybody(&mut self) -> Option<Engine> {
        let running: Vec<&Running> =
            self.processes.iter().filter_map(|process| process.running.as_ref()).collect();
        if running.is_empty() {
            return None;
        }
        let n = self.dice.below(running.len() as u64) as usize;
        Some(running[n].engine.clone())
    }

    /// Asked again until it is known to be placed.
    fn place(&mut self, key: String, campaign: String) {
        let Some(engine) = self.anybody() else {
            let soon = self.began.elapsed() + Duration::from_secs(1);
            return self.at(soon, Event::Place { key, campaign });
        };
        self.keys.push(key.clone());
        let wish = Order { media: Vec::new(), mark_seed: Some("seed".into()), ..order(&key, &campaign) };
        tokio::spawn(async move {
            while engine.place(wish.clone(), meta()).await.is_err() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
}
