//! What each process of the product keeps in memory: every service as a process of its own, on PostgreSQL, NATS and
//! S3, with stand-in providers; before, during and after a burst of jobs that come in through the gateway. Their clips are
//! small; what stitch needs for films of real clips is measured by itself.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `api` | the few calls of the public API that a job needs |
//! | `large` | films of 1080p, asked of stitch itself |
//! | `watch` | the memory of the processes, looked at again and again |

mod api;
mod large;
mod watch;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use stack::{Options, Service, Stack};

use crate::{progress, table::Table};
use api::Api;
use large::Studio;
use watch::{Memory, Watch};

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Every process, under a burst of jobs with small clips.
    Jobs,
    /// Stitch, with films of 1080p.
    Films,
}

/// Threads of each run of ffmpeg: what the manifests' CPU limits come to (4 for stitch, 2 for the others) when they are
/// shared by two runs.
const THREADS: [(Service, &str); 4] =
    [(Service::Asset, "1"), (Service::Render, "1"), (Service::Audio, "1"), (Service::Stitch, "2")];

/// How much is asked of the processes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Jobs that are approved at one time [default: 60, quick: 10].
    #[arg(long)]
    jobs: Option<usize>,
    /// Scenes of each job.
    #[arg(long, default_value_t = 5)]
    scenes: usize,
    /// Seconds of rest before the idle memory is read, and again after the burst [default: 10, quick: 3].
    #[arg(long)]
    rest: Option<u64>,
    /// One part and not the other.
    #[arg(long)]
    alone: Option<Part>,
    /// Where the programs lie; by default beside this one.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Fewer jobs, shorter rests.
    #[arg(long)]
    quick: bool,
}

/// Jobs that are created at one time.
const AT_ONCE: usize = 8;

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let jobs = args.jobs.unwrap_or(if args.quick { 10 } else { 60 });
    let rest = Duration::from_secs(args.rest.unwrap_or(if args.quick { 3 } else { 10 }));
    progress!("starting every process");
    let options = Options {
        replicas: 1,
        draft: true,
        instant: true,
        bin_dir: args.bin_dir.clone(),
        variables: THREADS.map(|(of, count)| (of, "MEDIA_THREADS".to_owned(), count.to_owned())).to_vec(),
        ..Options::default()
    };
    let stack = Stack::start(options).await?;
    println!("\n## Memory");
    let is_wanted = |part| args.alone.is_none_or(|alone| alone == part);
    if is_wanted(Part::Jobs) {
        jobs_at_once(&stack, jobs, args.scenes, rest).await?;
    }
    if is_wanted(Part::Films) {
        films(&stack, rest).await?;
    }
    stack.stop().await
}

/// A burst of jobs, from the gateway on.
async fn jobs_at_once(stack: &Stack, jobs: usize, scenes: usize, rest: Duration) -> anyhow::Result<()> {
    let watch = Watch::new(Service::ALL.map(Service::program))?;
    let gateway = stack.gateways().into_iter().next().context("there is no gateway")?;
    let api = Api::new(&gateway)?;
    tokio::time::sleep(rest).await;
    let idle = watch.look();
    let campaign = api.campaign().await?;
    progress!("{jobs} jobs of {scenes} scenes at once");
    let [peak, after] = most(&watch, burst(&api, &campaign, jobs, scenes), rest).await?;
    let title = format!("Memory of each process; the burst: {jobs} jobs of {scenes} scenes at once");
    print(&watch, [&idle, &peak, &after], &title);
    Ok(())
}

/// Films of real clips, asked of stitch.
async fn films(stack: &Stack, rest: Duration) -> anyhow::Result<()> {
    let watch = Watch::new([Service::Stitch.program()])?;
    let studio = Studio::open(stack).await?;
    tokio::time::sleep(rest).await;
    let idle = watch.look();
    progress!("{} films of 1080p at once", large::FILMS);
    let [peak, after] = most(&watch, studio.films(), rest).await?;
    let title = format!(
        "Memory of stitch with clips of 1080p; the burst: {} films of {} scenes of {} s at once, one scene of another rate",
        large::FILMS,
        large::SCENES,
        large::SECONDS
    );
    print(&watch, [&idle, &peak, &after], &title);
    Ok(())
}

/// The most that each holds until `work` is done, and what it holds after a rest.
async fn most(
    watch: &Watch,
    work: impl Future<Output = anyhow::Result<()>>,
    rest: Duration,
) -> anyhow::Result<[Vec<Memory>; 2]> {
    watch.forget_peaks();
    let (peak, took) = watch.during(work).await?;
    progress!("they took {:.0} s", took.as_secs_f64());
    tokio::time::sleep(rest).await;
    Ok([peak, watch.look()])
}

/// Makes the jobs, approves them, waits until all are over.
async fn burst(api: &Api, campaign: &str, jobs: usize, scenes: usize) -> anyhow::Result<()> {
    let made = (0..jobs).map(|_| api.approved_job(campaign, scenes));
    let made: Vec<i64> = stream::iter(made).buffer_unordered(AT_ONCE).try_collect().await?;
    for job in made {
        api.completed(job).await?;
    }
    Ok(())
}

fn print(watch: &Watch, [idle, peak, after]: [&[Memory]; 3], title: &str) {
    let mut table = Table::new(&[
        "process",
        "idle, resident MB",
        "of it its own",
        "most during the burst, resident MB",
        "its ffmpeg and ffprobe at most, MB",
        "afterwards, resident MB",
        "of it its own",
    ]);
    for (index, name) in watch.names().enumerate() {
        let (idle, peak, after) = (idle[index], peak[index], after[index]);
        let megabytes = |figure: f64| format!("{figure:.0}");
        table.row(vec![
            name.to_owned(),
            megabytes(idle.resident),
            megabytes(idle.own),
            megabytes(peak.resident),
            if peak.children > 0.0 { megabytes(peak.children) } else { "-".to_owned() },
            megabytes(after.resident),
            megabytes(after.own),
        ]);
    }
    table.print(title);
}
