//! What orchestration costs: the real job service, on durable databases, over gRPC, between workers that deliver at
//! once and make no media. All time is ours.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `world` | the job service, its databases and its bus |
//! | `workers`, `assets` | what is around it |
//! | `moments` | when each thing happened |
//! | `fill` | many finished jobs |
//! | `report` | the tables |

mod assets;
mod fill;
mod moments;
mod report;
mod workers;
mod world;

use std::time::Instant;

use futures::future::try_join_all;

use crate::{process, series::Series};
use moments::Parts;
use world::{Place, World};

/// How often and how much.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Jobs that run one after the other.
    #[arg(long, default_value_t = 30)]
    jobs: usize,
    /// Jobs that are approved at one time.
    #[arg(long, default_value_t = 200)]
    burst: usize,
    /// How often that is done.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Finished jobs in the database while the cost of one more is measured.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 1_000, 10_000])]
    stored: Vec<i64>,
    /// Leave PostgreSQL and NATS out.
    #[arg(long)]
    standalone_only: bool,
}

/// Jobs before anything is measured.
const WARM_UP: usize = 5;

/// How the workers tell their results.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// In the reply, as steps that run inline would.
    InTheReply,
    /// By a published message, as the real workers do.
    ByMessage,
}

impl Told {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InTheReply => "in the reply",
            Self::ByMessage => "by message",
        }
    }
}

/// Jobs that ran at one time, over several runs.
#[derive(Debug, Default)]
pub(crate) struct Burst {
    pub(crate) jobs_per_second: Series,
    pub(crate) events_per_commit: Series,
    pub(crate) cpu_ms_per_job: Series,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    println!("## The pipeline");
    println!(
        "\nThe job service between workers in the same process that deliver at once; ten scenes and a soundtrack a job."
    );
    let places: &[Place] =
        if args.standalone_only { &[Place::Standalone] } else { &[Place::Standalone, Place::Scaled] };
    let (mut one, mut many, mut memory) =
        (report::one_job(), report::many_jobs(args.burst), report::memory());
    for &place in places {
        let world = World::new(place).await?;
        for told in [Told::InTheReply, Told::ByMessage] {
            world.workers.tell_inline(matches!(told, Told::InTheReply));
            in_turn(&world, WARM_UP).await?;
            memory.measured(place, "idle, after the first jobs");
            one.measured(place, told, &in_turn(&world, args.jobs).await?);
            many.measured(place, told, &bursts(&world, args).await?);
            memory.measured(
                place,
                &format!("after {} × {} jobs at once, told {}", args.runs, args.burst, told.name()),
            );
        }
        world.stop().await;
    }
    one.print();
    many.print();
    for &place in places {
        flat(args, place).await?;
        memory.measured(place, &format!("with {} jobs stored", args.stored.last().copied().unwrap_or(0)));
    }
    memory.print();
    Ok(())
}

/// One job after the other.
async fn in_turn(world: &World, jobs: usize) -> anyhow::Result<Vec<Parts>> {
    let mut parts = Vec::with_capacity(jobs);
    for _ in 0..jobs {
        let job = world.create().await?;
        world.run(job).await?;
        parts.push(world.clockwork.take(job)?);
    }
    Ok(parts)
}

async fn bursts(world: &World, args: &Args) -> anyhow::Result<Burst> {
    let mut burst = Burst::default();
    for _ in 0..args.runs {
        at_once(world, args.burst, &mut burst).await?;
    }
    Ok(burst)
}

/// All at one time; only from the first approval to the last end counts.
#[allow(clippy::cast_precision_loss, reason = "rates")]
async fn at_once(world: &World, jobs: usize, burst: &mut Burst) -> anyhow::Result<()> {
    let mut ids = Vec::with_capacity(jobs);
    for _ in 0..jobs {
        ids.push(world.create().await?);
    }
    let (before, cpu, started) = (world.log.stats(), process::cpu_ms(), Instant::now());
    try_join_all(ids.iter().map(|&id| world.run(id))).await?;
    let (took, cpu, after) = (started.elapsed().as_secs_f64(), process::cpu_ms() - cpu, world.log.stats());
    for id in ids {
        world.clockwork.take(id)?;
    }
    burst.jobs_per_second.push(jobs as f64 / took);
    let commits = (after.commits - before.commits).max(1) as f64;
    burst.events_per_commit.push((after.events - before.events) as f64 / commits);
    burst.cpu_ms_per_job.push(cpu / jobs as f64);
    Ok(())
}

/// What one more job costs with ever more jobs in the database.
async fn flat(args: &Args, place: Place) -> anyhow::Result<()> {
    let world = World::new(place).await?;
    let model = world.create().await?;
    world.run(model).await?;
    in_turn(&world, WARM_UP).await?;
    let mut table = report::stored(place);
    for &stored in &args.stored {
        fill::up_to(&world.log, model, stored).await?;
        let parts = in_turn(&world, args.jobs).await?;
        let mut burst = Burst::default();
        at_once(&world, args.burst, &mut burst).await?;
        table.measured(stored, &parts, &burst);
    }
    table.print();
    world.stop().await;
    Ok(())
}
