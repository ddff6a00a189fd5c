//! `cargo xtask bench`: how fast the parts are, beside a peer or a limit measured in the same run.
//!
//! | module | what it measures |
//! | --- | --- |
//! | `eventlog` | appends, loads and tailing on PostgreSQL and SQLite, beside plain INSERTs |
//! | `pipeline` | what the job service adds to a job whose providers take no time |
//! | `memory` | what each process of the product keeps in memory |
//! | `gateway` | bytes out beside nginx, JSON beside a bare handler, bytes in beside a copy |
//! | `import` | an older database brought over, beside a plain copy of its bytes |
//! | `machine` | what the figures were taken on, its disk's sync above all |
//! | `process` | memory and processor time of processes and threads |
//! | `series` | several runs of one figure: median and spread |
//! | `table`, `progress` | how the figures are printed, and what is being done |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what it is for")]

mod eventlog;
mod gateway;
mod import;
mod machine;
mod memory;
mod pipeline;
mod process;
mod progress;
mod series;
mod table;

use clap::{Parser, Subcommand};

use progress::progress;

/// Measures the parts of Filmstrip beside their peers.
#[derive(Parser)]
#[command(name = "filmstrip-bench")]
struct Cli {
    /// Print the tables and nothing else, to be put into docs/PERFORMANCE.md.
    #[arg(long, global = true)]
    markdown: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The event log on PostgreSQL and SQLite, beside plain INSERTs through the same drivers.
    Eventlog(eventlog::Args),
    /// The job service between workers that deliver at once: one job, many at once, many stored.
    Pipeline(pipeline::Args),
    /// The memory of each process of the product: idle, under a burst of jobs, and after it.
    Memory(memory::Args),
    /// The gateway beside nginx, a bare handler and a plain copy.
    Gateway(gateway::Args),
    /// Bringing over an older database, beside a plain copy of its bytes.
    Import(import::Args),
    /// A process of the bench itself.
    #[command(subcommand, hide = true)]
    Role(gateway::Role),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if cli.markdown {
        progress::silence();
    }
    if let What::Role(role) = cli.what {
        return Box::pin(gateway::play(role)).await;
    }
    machine::print();
    match cli.what {
        What::Eventlog(args) => eventlog::run(&args).await,
        What::Pipeline(args) => Box::pin(pipeline::run(&args)).await,
        What::Memory(args) => memory::run(&args).await,
        What::Gateway(args) => Box::pin(gateway::run(&args)).await,
        What::Import(args) => import::run(&args),
        What::Role(_) => Ok(()),
    }
}
