//! `cargo xtask bench`: how fast the parts are, beside a peer or a limit measured in the same run.
//!
//! | module | what it measures |
//! | --- | --- |
//! | `eventlog` | appends, loads and tailing on PostgreSQL and SQLite, beside plain INSERTs |
//! | `pipeline` | what the job service adds to a job whose providers take no time |
//! | `process` | memory and processor time of this process |
//! | `series` | several runs of one figure: median and spread |
//! | `table` | how the figures are printed |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what it is for")]

mod eventlog;
mod pipeline;
mod process;
mod series;
mod table;

use clap::{Parser, Subcommand};

/// Measures the parts of Filmstrip beside their peers.
#[derive(Parser)]
#[command(name = "filmstrip-bench")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The event log on PostgreSQL and SQLite, beside plain INSERTs through the same drivers.
    Eventlog(eventlog::Args),
    /// The job service between workers that deliver at once: one job, many at once, many stored.
    Pipeline(pipeline::Args),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().what {
        What::Eventlog(args) => eventlog::run(&args).await,
        What::Pipeline(args) => Box::pin(pipeline::run(&args)).await,
    }
}
