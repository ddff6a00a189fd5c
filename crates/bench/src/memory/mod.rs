//! What each process of the product keeps in memory: every service as a process of its own, on PostgreSQL, NATS and
//! S3, with stand-in providers; before, during and after a burst of jobs that come in through the gateway.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `api` | the few calls of the public API that a job needs |
//! | `watch` | the memory of the processes, looked at again and again |

mod api;
mod watch;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use stack::{Options, Service, Stack};

use crate::{progress, table::Table};
use api::Api;
use watch::{Memory, Watch};

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
        ..Options::default()
    };
    let stack = Stack::start(options).await?;
    let watch = Watch::new(Service::ALL.map(Service::program))?;
    tokio::time::sleep(rest).await;
    let idle = watch.look();
    let gateway = stack.gateways().into_iter().next().context("there is no gateway")?;
    let api = Api::new(&gateway)?;
    let campaign = api.campaign().await?;
    progress!("{jobs} jobs of {} scenes at once", args.scenes);
    watch.forget_peaks();
    let (peak, took) = watch.during(burst(&api, &campaign, jobs, args.scenes)).await?;
    progress!("they took {:.0} s", took.as_secs_f64());
    tokio::time::sleep(rest).await;
    print(&watch, [&idle, &peak, &watch.look()], jobs, args.scenes);
    stack.stop().await
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

fn print(watch: &Watch, [idle, peak, after]: [&[Memory]; 3], jobs: usize, scenes: usize) {
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
    println!("\n## Memory");
    table.print(&format!("Memory of each process; the burst: {jobs} jobs of {scenes} scenes at once"));
}
