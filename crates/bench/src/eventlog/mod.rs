//! The event log beside plain INSERTs through the same drivers, with everything durable.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `sample` | the event that everybody stores |
//! | `appends` | one event an append, by 1, 16 and 64 writers |
//! | `postgres` | the peers on PostgreSQL: one INSERT a transaction, one INSERT for many rows |
//! | `sqlite` | the peers on SQLite |
//! | `alone` | one of these by itself, for a profiler |
//! | `reading` | loads of a stream, the whole log, and following it under load |

mod alone;
mod appends;
mod postgres;
mod reading;
mod sample;
mod sqlite;

use std::time::Duration;

use anyhow::Context as _;
use eventlog::{Log, open_log, testing::NO_TABLES};
use testservers::PostgresServer;

use crate::{
    series::Series,
    table::{Table, verdict},
};

/// How long and how often it is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs of each figure; the peers take turns within a run.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Milliseconds that one figure of one run is measured for.
    #[arg(long, default_value_t = 2000)]
    millis: u64,
    /// Events in the log that is read whole.
    #[arg(long, default_value_t = 100_000)]
    events: u64,
    /// Which of 1, 16 and 64 writers at one time; with `--alone` any number.
    #[arg(long, value_delimiter = ',', default_values_t = WRITERS)]
    writers: Vec<usize>,
    /// Only this part, without its peers: for a profiler.
    #[arg(long)]
    alone: Option<alone::Alone>,
}

impl Args {
    fn each(&self) -> Duration {
        Duration::from_millis(self.millis)
    }

    /// The writers asked for that there is an aim for, and the aims.
    fn aimed(&self) -> impl Iterator<Item = (usize, (f64, f64))> {
        WRITERS.into_iter().zip(AIMS).filter(|(writers, _)| self.writers.contains(writers))
    }
}

/// Writers at one time, where there is an aim.
const WRITERS: [usize; 3] = [1, 16, 64];
/// How many times the plain INSERT an append is to be, on PostgreSQL and on SQLite, with as many writers.
const AIMS: [(f64, f64); 3] = [(0.9, 0.9), (2.5, 5.0), (4.0, 5.0)];

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    if let Some(what) = args.alone {
        return alone::run(args, what).await;
    }
    let server = PostgresServer::start_durable().await?;
    let url = format!("{}?schema=bench", server.superuser_url());
    let log = open_log(&url, &NO_TABLES).await.context("opening the log on PostgreSQL")?;
    let peers = postgres::Peers::new(&server.superuser_url()).await?;
    println!("## The event log");
    println!("\nMedians of {} runs with the least and the most; ratios are taken run by run.", args.runs);
    on_postgres(args, &log, &peers).await?;
    reading::run(args, "PostgreSQL", &log, Some(&peers)).await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("log.db");
    let log = open_log(&path.to_string_lossy(), &NO_TABLES).await.context("opening the log on SQLite")?;
    on_sqlite(args, &log, directory.path()).await?;
    reading::run(args, "SQLite", &log, None).await
}

async fn on_postgres(args: &Args, log: &Log, peers: &postgres::Peers) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "writers",
        "append, events/s",
        "plain INSERT, rows/s",
        "one INSERT of as many rows, rows/s",
        "append / plain",
        "aim",
        "",
        "append / one INSERT",
        "events per commit",
    ]);
    for (writers, (aim, _)) in args.aimed() {
        let (mut ours, mut plain, mut many, mut grouped) =
            (Series::default(), Series::default(), Series::default(), Series::default());
        for _ in 0..args.runs {
            plain.push(peers.plain(writers, args.each()).await?);
            let measured = appends::run(log, writers, args.each()).await?;
            ours.push(measured.per_second);
            grouped.push(measured.per_commit);
            many.push(peers.many(writers, args.each()).await?);
        }
        let ratio = ours.over(&plain);
        table.row(vec![
            writers.to_string(),
            ours.to_string(),
            plain.to_string(),
            many.to_string(),
            ratio.to_string(),
            format!("≥ {aim}"),
            verdict(ratio.median() >= aim),
            ours.over(&many).to_string(),
            grouped.to_string(),
        ]);
    }
    table.print("Appends on PostgreSQL (fsync and synchronous_commit on)");
    Ok(())
}

async fn on_sqlite(args: &Args, log: &Log, directory: &std::path::Path) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "writers",
        "append, events/s",
        "one commit an event, rows/s",
        "append / one commit an event",
        "aim",
        "",
        "events per commit",
    ]);
    for (writers, (_, aim)) in args.aimed() {
        let (mut ours, mut plain, mut grouped) = (Series::default(), Series::default(), Series::default());
        for run in 0..args.runs {
            let file = directory.join(format!("plain-{writers}-{run}.db"));
            plain.push(sqlite::plain(&file, args.each()).await?);
            let measured = appends::run(log, writers, args.each()).await?;
            ours.push(measured.per_second);
            grouped.push(measured.per_commit);
        }
        let ratio = ours.over(&plain);
        table.row(vec![
            writers.to_string(),
            ours.to_string(),
            plain.to_string(),
            ratio.to_string(),
            format!("≥ {aim}"),
            verdict(ratio.median() >= aim),
            grouped.to_string(),
        ]);
    }
    table.print("Appends on SQLite (WAL, synchronous=FULL; its peer is one writer, because SQLite has one)");
    Ok(())
}
