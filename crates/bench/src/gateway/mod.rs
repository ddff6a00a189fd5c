//! The gateway beside its peers: videos beside nginx that serves the same file, a job beside a bare handler that answers
//! the same bytes, an upload beside a copy that hashes. Each side is a process of its own, so is who asks.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `role` | what this program is when it is started as one of the processes |
//! | `ours`, `nginx`, `bare` | the processes that answer |
//! | `load` | the process that asks: connections that stay open, bytes that are thrown away |
//! | `film` | a video of any size |
//! | `upload` | one large file up, and its copy |
//! | `report` | the tables |

mod bare;
mod film;
mod load;
mod nginx;
mod ours;
mod report;
mod role;
mod upload;

use std::time::Duration;

use anyhow::Context as _;

pub(crate) use role::{Role, play};

use crate::{progress, series::Series};
use bare::Bare;
use load::{Asked, Load};
use nginx::Nginx;
use ours::Ours;
use report::{Pair, Report};

/// How often and how much.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Bytes of the video that is asked for.
    #[arg(long, default_value_t = 40_000_000)]
    video: u64,
    /// Bytes of one range of it.
    #[arg(long, default_value_t = 1_000_000)]
    range: u64,
    /// Bytes of the file that is uploaded [default: 1000000000, quick: 100000000].
    #[arg(long)]
    upload: Option<u64>,
    /// Connections that ask at one time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    connections: Vec<usize>,
    /// Runs of each figure [default: 7, quick: 3].
    #[arg(long)]
    runs: Option<usize>,
    /// Seconds of one run [default: 3, quick: 1].
    #[arg(long)]
    seconds: Option<u64>,
    /// Only these parts.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Part::ALL)]
    only: Vec<Part>,
    /// Fewer and shorter runs, a smaller upload.
    #[arg(long)]
    quick: bool,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Whole,
    Ranges,
    Job,
    Upload,
}

impl Part {
    const ALL: [Self; 4] = [Self::Whole, Self::Ranges, Self::Job, Self::Upload];
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole",
            Self::Ranges => "ranges",
            Self::Job => "job",
            Self::Upload => "upload",
        })
    }
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let runs = args.runs.unwrap_or(if args.quick { 3 } else { 7 });
    let length = Duration::from_secs(args.seconds.unwrap_or(if args.quick { 1 } else { 3 }));
    let scratch = tempfile::tempdir().context("making a scratch directory")?;
    progress!("starting a standalone and nginx");
    let ours = Ours::start(&scratch.path().join("data")).await?;
    let film = scratch.path().join("files/film.mp4");
    film::make(&film, args.video).await?;
    let nginx = Nginx::start(&scratch.path().join("nginx"), &scratch.path().join("files"))?;
    let mut report = Report::new(&ours, nginx.version());
    let bench = Bench { ours: &ours, runs, length };

    let asset = ours.upload(&film).await?;
    let (theirs, mine) = (nginx.asked("/film.mp4"), ours.asked(&format!("/api/v3/assets/{asset}/data")));
    if args.only.contains(&Part::Whole) {
        for &connections in &args.connections {
            progress!("the whole video over {connections} connections");
            report.whole(connections, bench.compare(&theirs, &mine, connections, report::megabytes).await?);
        }
    }
    if args.only.contains(&Part::Ranges) {
        let ranged = |asked: &Asked| Asked { range: Some((args.range, args.video)), ..asked.clone() };
        for &connections in &args.connections {
            progress!("ranges of the video over {connections} connections");
            let pair =
                bench.compare(&ranged(&theirs), &ranged(&mine), connections, report::megabytes).await?;
            report.ranges(connections, pair);
        }
    }
    if args.only.contains(&Part::Job) {
        progress!("making a job");
        let path = ours.job().await?;
        let bare = Bare::start(&ours.bytes(&path).await?, scratch.path()).await?;
        for &connections in &args.connections {
            progress!("the job over {connections} connections");
            let (theirs, mine) = (bare.asked(&path), ours.asked(&path));
            report.job(connections, bench.compare(&theirs, &mine, connections, report::requests).await?);
        }
    }
    if args.only.contains(&Part::Upload) {
        let bytes = args.upload.unwrap_or(if args.quick { 100_000_000 } else { 1_000_000_000 });
        report.upload(bytes, upload::compare(&ours, scratch.path(), bytes, runs).await?);
    }
    report.print(args);
    drop(nginx);
    ours.stop()
}

/// What all comparisons share.
struct Bench<'a> {
    ours: &'a Ours,
    runs: usize,
    length: Duration,
}

impl Bench<'_> {
    /// One side after the other, and again, each as often; a first run of both is not counted.
    async fn compare(
        &self,
        theirs: &Asked,
        mine: &Asked,
        connections: usize,
        figure: impl Fn(&Load) -> f64,
    ) -> anyhow::Result<Pair> {
        let mut pair = Pair::default();
        let warm_up = self.length.min(Duration::from_secs(1));
        for asked in [theirs, mine] {
            load::ask(asked, connections, warm_up).await?;
        }
        self.ours.forget_peak();
        let mut series = [Series::default(), Series::default()];
        for run in 0..self.runs {
            // Who comes first has the machine as the other one left it: they take turns in that too.
            for side in if run % 2 == 0 { [0, 1] } else { [1, 0] } {
                let load = load::ask([theirs, mine][side], connections, self.length).await?;
                series[side].push(figure(&load));
            }
        }
        [pair.theirs, pair.mine] = series;
        pair.most_memory = self.ours.most_memory();
        Ok(pair)
    }
}
