//! Chaos: processes killed at random and at every boundary, servers restarted, old and new replicas side by side,
//! while people make jobs. A bounded run with a fixed seed is one of the tests; `cargo xtask chaos` runs the same
//! for longer.
//!
//! | variable | what it sets |
//! | --- | --- |
//! | `FILMSTRIP_CHAOS_SEED` | the seed of plan and jobs |
//! | `FILMSTRIP_CHAOS_JOBS` | how many jobs are made at least |
//! | `FILMSTRIP_CHAOS_MINUTES` | how long it goes on, by a quarter longer at most when boundaries are left; without it, for one round of the plan |
//! | `FILMSTRIP_CHAOS_REPORT` | the file that the report is also written to |
//! | `FILMSTRIP_CHAOS_UPDATE` | when set, `boundaries.txt` is written anew from what this run crossed |

mod boundaries;
mod checks;
mod driver;
mod holders;
mod jobs;
mod losses;
mod material;
mod people;
mod plan;
mod report;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, stream};
use stack::{Options, Server, Service, Stack};
use tokio::{task::JoinHandle, time::Instant};

use self::{
    boundaries::Boundaries,
    driver::Driver,
    jobs::Jobs,
    losses::{Mortal, Thief},
    people::Lived,
    plan::Plan,
    report::Report,
};
use super::Scaled;

/// Jobs that are made at least, unless it is set.
const JOBS: usize = 60;
/// Jobs that are under way at one moment: more clips than may be rendered at once.
const WIDTH: usize = 12;
/// The share of all boundaries at which a run of one round kills at least; a longer run kills at every one.
const SHARE: f64 = 0.8;
/// A longer run goes on for at most so many times as long as it is to while nobody was killed at some boundary.
const LONGEST: f64 = 1.25;
/// When a run of one round stops making jobs for boundaries that nobody has come to.
const BOUNDED: Duration = Duration::from_secs(100);
/// Longest wait for a job, in the middle of it all; only a hang reaches it.
const PATIENCE: Duration = Duration::from_mins(10);
/// The seed of the run that is one of the tests.
const SEED: u64 = 20_260_301;

/// How a run is set up.
struct Setup {
    seed: u64,
    jobs: usize,
    time: Option<Duration>,
    report: Option<PathBuf>,
    update: bool,
}

impl Setup {
    fn read() -> Self {
        let number = |name: &str| {
            let text = env::var(name).ok().filter(|text| !text.is_empty())?;
            Some(text.parse::<f64>().unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")))
        };
        let seed = env::var("FILMSTRIP_CHAOS_SEED").ok().map(|text| {
            text.parse()
                .unwrap_or_else(|_| panic!("FILMSTRIP_CHAOS_SEED is {text:?}, which is no whole number"))
        });
        Self {
            seed: seed.unwrap_or(SEED),
            jobs: number("FILMSTRIP_CHAOS_JOBS").map_or(JOBS, |jobs| jobs as usize),
            time: number("FILMSTRIP_CHAOS_MINUTES").map(|minutes| Duration::from_secs_f64(minutes * 60.0)),
            report: env::var_os("FILMSTRIP_CHAOS_REPORT").map(PathBuf::from),
            update: env::var_os("FILMSTRIP_CHAOS_UPDATE").is_some(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_killed_restarted_and_replaced_at_every_boundary_nothing_is_lost_and_nothing_is_paid_twice() {
    let setup = Setup::read();
    let scratch = tempfile::tempdir().unwrap();
    let mortal = Mortal::new(scratch.path());
    // Providers come through a balancer, whose address is not known yet.
    let links = [Service::Gateway, Service::Render, Service::Audio]
        .map(|service| (service, "LINK_SECRET".to_owned(), "only known to this test ".repeat(2)));
    let mut variables = links.to_vec();
    variables.push((Service::Stitch, "PATH".to_owned(), mortal.search_path()));
    // Jobs are told to stand still, and to move again, in the middle of it all.
    let patience = ["PERSON", "RENDER", "STITCH", "AUDIO"];
    variables.extend(patience.map(|owner| (Service::Job, format!("WATCH_{owner}"), "2s".to_owned())));
    let options = Options {
        replicas: 0,
        variables,
        directory: Some(scratch.path().to_owned()),
        spares: driver::PLACES,
        named: true,
        log_filter: "info,job=debug,render=debug,stitch=debug,audio=debug,predictions=debug".to_owned(),
        ..Scaled::options()
    };
    let stack = Stack::start(options).await.unwrap_or_else(|error| panic!("{error:#}"));
    // Dropped before what it copies from.
    let kept = Kept { from: stack.directory().to_owned(), seed: setup.seed };
    let boundaries = Boundaries::new(&stack.directory().join("crossings"));
    let report = run(&setup, Driver::new(stack, boundaries, mortal).await).await;
    println!("{report}");
    if let Some(file) = &setup.report {
        fs::write(file, report.to_string()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    assert!(
        report.wrong.is_empty(),
        "seed {}: {} things were wrong, see the report above",
        setup.seed,
        report.wrong.len()
    );
    drop(kept);
}

async fn run(setup: &Setup, mut driver: Driver) -> Report {
    let started = Instant::now();
    let stage = soundstage::client::StageControl::new(driver.stack.soundstage_url());
    stage.faults(serde_json::json!({ "rules": people::faults() })).await.unwrap();
    let more = Arc::new(AtomicBool::new(true));
    let mut living = live(setup, &driver.stack, Arc::clone(&more));
    let disturbed = disturb(setup, &mut driver, &more, &living, started).await;
    let calm = Instant::now();
    // Whatever is wrong with a job is the job's own panic.
    let lived = loop {
        driver.tick().await;
        if living.is_finished() {
            break (&mut living).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        }
    };
    let calmed = calm.elapsed();
    driver.disarm().await;
    let mut wrong: Vec<String> = lived.iter().filter_map(Lived::wrong).collect();
    let mut published = BTreeMap::new();
    for service in stack::Service::WITH_DATABASE {
        published.insert(service, checks::published(&driver.stack, service, &mut wrong).await);
    }
    let logs = checks::logs(&driver.stack).await;
    checks::unbroken(&logs, &mut wrong);
    let ledger = settled(&stage).await;
    let bought = checks::bought(&ledger, &logs, &lived, &mut wrong);
    driver.look_at_all();
    enough(setup, &driver, lived.len(), &mut wrong);
    let Driver { stack, boundaries, tally, wrong: seen, .. } = driver;
    wrong.extend(seen);
    if let Err(error) = stack.stop().await {
        wrong.push(format!("{error:#}"));
    }
    let mut jobs = BTreeMap::new();
    for done in &lived {
        *jobs.entry((done.wanted.kind, done.outcome)).or_default() += 1;
    }
    let boundaries = boundaries.kills().map(|(boundary, kills)| (boundary.clone(), kills)).collect();
    let (seed, asked, took) = (setup.seed, setup.time, started.elapsed());
    Report { seed, asked, took, disturbed, calmed, tally, jobs, bought, published, boundaries, wrong }
}

/// The people: as many jobs as there have to be, and then for as long as `more` says.
fn live(setup: &Setup, stack: &Stack, more: Arc<AtomicBool>) -> JoinHandle<Vec<Lived>> {
    let clients: Vec<_> =
        stack.gateways().iter().map(|gateway| filmstrip::client::Client::new(gateway).unwrap()).collect();
    let (seed, least, thief) = (setup.seed, setup.jobs, Thief::new(stack));
    tokio::spawn(async move {
        let scratch = tempfile::tempdir().unwrap();
        let world = people::World::new(clients, thief, scratch.path()).await;
        let wanted = Jobs::new(seed).take_while(|job| job.number <= least || more.load(Ordering::SeqCst));
        let living = stream::iter(wanted).map(|job| people::live(&world, job));
        living.buffer_unordered(WIDTH).collect().await
    })
}

/// Disturbs until the plan is done, or the time is over, and there are jobs enough; returns how long that took.
async fn disturb(
    setup: &Setup,
    driver: &mut Driver,
    more: &AtomicBool,
    living: &JoinHandle<Vec<Lived>>,
    started: Instant,
) -> Duration {
    let mut plan = Plan::new(setup.seed);
    let mut left = Plan::ROUND;
    let mut step = plan.next().unwrap();
    let mut last = Instant::now();
    loop {
        driver.tick().await;
        let going_on = match setup.time {
            Some(time) => {
                driver.hand_over();
                let most = if driver.boundaries.all_left().is_empty() { time } else { time.mul_f64(LONGEST) };
                started.elapsed() < most
            }
            None => left > 0,
        };
        let wanting = started.elapsed() < BOUNDED && !driver.boundaries.all_left().is_empty();
        more.store(going_on || (setup.time.is_none() && wanting), Ordering::SeqCst);
        if living.is_finished() || !going_on && !wanting {
            return started.elapsed();
        }
        if going_on && last.elapsed() >= step.after {
            driver.disturb(step).await;
            (left, last) = (left.saturating_sub(1), Instant::now());
            step = plan.next().unwrap();
        }
    }
}

/// The ledger, as soon as nothing is under way at the providers.
async fn settled(stage: &soundstage::client::StageControl) -> soundstage::report::Ledger {
    let until = Instant::now() + PATIENCE / 5;
    loop {
        let ledger = stage.ledger().await.unwrap();
        let over = ledger.predictions.iter().all(|prediction| prediction.completed_at.is_some());
        if over || Instant::now() > until {
            return ledger;
        }
        crate::world::pause().await;
    }
}

/// A run that disturbs too little proves too little.
fn enough(setup: &Setup, driver: &Driver, jobs: usize, wrong: &mut Vec<String>) {
    let Driver { boundaries, tally, .. } = driver;
    if jobs < setup.jobs {
        wrong.push(format!("only {jobs} jobs were made"));
    }
    for (what, least) in [("killed at random", 6), ("replaced", 3)] {
        if tally.of(what) < least {
            wrong.push(format!("only {} processes were {what}", tally.of(what)));
        }
    }
    for server in [Server::Postgres, Server::Nats, Server::S3] {
        if tally.restarts(server) == 0 {
            wrong.push(format!("{server} was not restarted"));
        }
    }
    if setup.update {
        fs::write(boundaries::list_file(), boundaries.list()).unwrap();
        return;
    }
    let (unknown, left) = (boundaries.unknown(), boundaries.all_left());
    if !unknown.is_empty() {
        wrong.push(format!(
            "boundaries that are not in boundaries.txt (write it anew with FILMSTRIP_CHAOS_UPDATE=1): {}",
            unknown.join(", ")
        ));
    }
    let all = boundaries.kills().count();
    let allowed = if setup.time.is_some() { 0.0 } else { all as f64 * (1.0 - SHARE) };
    if left.len() as f64 > allowed {
        wrong.push(format!("boundaries at which no process was killed: {}", left.join(", ")));
    }
}

/// Copies what the processes logged out of the scratch directory when the test fails.
struct Kept {
    from: PathBuf,
    seed: u64,
}

impl Drop for Kept {
    #[allow(clippy::print_stdout, reason = "what a failed test says is read by a person")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let to = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/chaos/{}", self.seed));
        for part in ["logs", "crossings"] {
            let copied = fs::create_dir_all(to.join(part)).and_then(|()| {
                for entry in fs::read_dir(self.from.join(part))? {
                    let entry = entry?;
                    fs::copy(entry.path(), to.join(part).join(entry.file_name()))?;
                }
                Ok(())
            });
            if let Err(error) = copied {
                println!("keeping the {part}: {error}");
            }
        }
        println!("seed {}: the logs of all processes are in {}", self.seed, to.display());
    }
}
