//! What orchestration costs: the real job service, on durable databases, over gRPC, between workers that deliver at
//! once and make no media. All time is ours.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `world` | the job service and all that is around it |
//! | `service` | the job service on a runtime of its own |
//! | `place` | the databases and the bus |
//! | `workers`, `assets` | what the job service asks |
//! | `moments`, `usage` | when each thing happened; what it took |
//! | `flat`, `fill`, `counted` | the cost of a job beside many stored ones |
//! | `report` | the tables |

mod assets;
mod counted;
mod fill;
mod flat;
mod moments;
mod place;
mod report;
mod service;
mod usage;
mod workers;
mod world;

use std::time::Instant;

use futures::future::try_join_all;

use crate::{machine::Disk, progress, series::Series};
use fill::Model;
use moments::Parts;
use place::Place;
use report::{Burst, OneJob};
use world::World;

/// How often and how much.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Jobs of one run that come one after the other [default: 10, quick: 5].
    #[arg(long)]
    jobs: Option<usize>,
    /// Jobs that are approved at one time [default: 200, quick: 50].
    #[arg(long)]
    burst: Option<usize>,
    /// Runs of each figure [default: 5, quick: 3].
    #[arg(long)]
    runs: Option<usize>,
    /// Finished jobs in the database while the cost of one more is measured [default: 10,100,1000,10000, quick:
    /// 10,1000].
    #[arg(long, value_delimiter = ',')]
    stored: Vec<i32>,
    /// Fewer jobs, runs and levels.
    #[arg(long)]
    quick: bool,
    /// Leave PostgreSQL and NATS out.
    #[arg(long)]
    standalone_only: bool,
}

impl Args {
    fn jobs(&self) -> usize {
        self.jobs.unwrap_or(if self.quick { 5 } else { 10 }).max(1)
    }

    fn burst(&self) -> usize {
        self.burst.unwrap_or(if self.quick { 50 } else { 200 }).max(1)
    }

    fn runs(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    fn stored(&self) -> &[i32] {
        match (self.stored.is_empty(), self.quick) {
            (false, _) => &self.stored,
            (true, false) => &[10, 100, 1_000, 10_000],
            (true, true) => &[10, 1_000],
        }
    }
}

/// Jobs before anything is measured.
const WARM_UP: usize = 5;

/// How the workers tell their results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// In the reply, as steps that run inline would.
    InTheReply,
    /// By a published message, as the real workers do.
    ByMessage,
}

impl Told {
    const ALL: [Self; 2] = [Self::InTheReply, Self::ByMessage];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::InTheReply => "in the reply",
            Self::ByMessage => "by message",
        }
    }
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    println!("\n## The pipeline");
    let places: &[Place] =
        if args.standalone_only { &[Place::Standalone] } else { &[Place::Standalone, Place::Scaled] };
    let mut disk = Disk::new()?;
    let (mut one, mut many) = (report::one_job(), report::many_jobs(args.burst()));
    let mut model = None;
    for &place in places {
        let world = World::new(place).await?;
        if model.is_none() {
            model = Some(finished(&world).await?);
        }
        // Ways of telling take turns, so that what disturbs one disturbs both.
        let mut figures = Told::ALL.map(|told| (told, OneJob::default(), Burst::default()));
        for told in Told::ALL {
            world.tell(told);
            in_turn(&world, WARM_UP).await?;
        }
        for round in 0..args.runs() {
            for (told, job, burst) in &mut figures {
                progress!("{}, results told {}, run {}", place.name(), told.name(), round + 1);
                world.tell(*told);
                one_after_the_other(&world, args.jobs(), disk.sample()?, job).await?;
                disk.sample()?;
                at_once(&world, args.burst(), burst).await?;
            }
        }
        for (told, job, burst) in figures {
            one.measured(place, told, &job);
            many.measured(place, told, &burst);
        }
        world.stop().await;
    }
    one.print();
    many.print();
    if let Some(model) = model {
        for &place in places {
            Box::pin(flat::run(args, place, &model, &mut disk)).await?;
        }
    }
    disk.print();
    Ok(())
}

impl World {
    fn tell(&self, told: Told) {
        self.workers.tell_inline(told == Told::InTheReply);
    }
}

/// The first job of all, finished, with the messages that a real one has.
async fn finished(world: &World) -> anyhow::Result<Model> {
    world.tell(Told::ByMessage);
    let job = world.create().await?;
    world.run(job).await?;
    world.clockwork.take(job)?;
    Model::of(&world.log, job).await
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

/// The middle of each part.
fn medians(parts: &[Parts]) -> Parts {
    let middle = |part: fn(&Parts) -> f64| parts.iter().map(part).collect::<Series>().median();
    Parts {
        to_all_requested: middle(|parts| parts.to_all_requested),
        to_cut_requested: middle(|parts| parts.to_cut_requested),
        to_mix_requested: middle(|parts| parts.to_mix_requested),
        to_completed: middle(|parts| parts.to_completed),
        whole: middle(|parts| parts.whole),
    }
}

/// Jobs that are there already run one after the other: what creating them takes is not in it.
async fn one_after_the_other(
    world: &World,
    jobs: usize,
    sync_ms: f64,
    figures: &mut OneJob,
) -> anyhow::Result<()> {
    let ids = created(world, jobs).await?;
    let before = world.usage();
    let mut parts = Vec::with_capacity(jobs);
    for id in ids {
        world.run(id).await?;
        parts.push(world.clockwork.take(id)?);
    }
    figures.push(&parts, world.usage() - before, sync_ms);
    Ok(())
}

/// All at one time; only from the first approval to the last end counts.
async fn at_once(world: &World, jobs: usize, burst: &mut Burst) -> anyhow::Result<()> {
    let ids = created(world, jobs).await?;
    let (before, started) = (world.usage(), Instant::now());
    try_join_all(ids.iter().map(|&id| world.run(id))).await?;
    let took = started.elapsed();
    burst.push(took, world.usage() - before, jobs);
    for id in ids {
        world.clockwork.take(id)?;
    }
    Ok(())
}

async fn created(world: &World, jobs: usize) -> anyhow::Result<Vec<i32>> {
    let mut ids = Vec::with_capacity(jobs);
    for _ in 0..jobs {
        ids.push(world.create().await?);
    }
    Ok(ids)
}
