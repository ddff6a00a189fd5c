//! One part by itself, without its peers: what a profiler is to look at.

use clap::ValueEnum;
use eventlog::{Log, open_log, testing::NO_TABLES};
use testservers::PostgresServer;

use super::{Args, appends, reading};
use crate::progress;

/// What is done alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Alone {
    AppendsOnPostgres,
    AppendsOnSqlite,
    ReadingOnPostgres,
    ReadingOnSqlite,
}

impl Alone {
    fn on_postgres(self) -> bool {
        matches!(self, Self::AppendsOnPostgres | Self::ReadingOnPostgres)
    }

    fn appends(self) -> bool {
        matches!(self, Self::AppendsOnPostgres | Self::AppendsOnSqlite)
    }
}

/// Does the part over and over for as long as a figure is measured, and prints how fast it was.
pub(super) async fn run(args: &Args, what: Alone) -> anyhow::Result<()> {
    if what.on_postgres() {
        let server = PostgresServer::start_durable().await?;
        let url = format!("{}?schema=bench", server.superuser_url());
        part(args, what, &open_log(&url, &NO_TABLES).await?).await
    } else {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("log.db");
        part(args, what, &open_log(&path.to_string_lossy(), &NO_TABLES).await?).await
    }
}

async fn part(args: &Args, what: Alone, log: &Log) -> anyhow::Result<()> {
    if what.appends() {
        for writers in &args.writers {
            progress!("begins");
            let measured = appends::run(log, *writers, args.each()).await?;
            println!(
                "{writers} writers: {:.0} events/s, {:.1} a commit",
                measured.per_second, measured.per_commit
            );
        }
        return Ok(());
    }
    reading::fill(log, args.events).await?;
    progress!("begins");
    println!("the whole log: {} events/s", reading::whole(args, log).await?);
    Ok(())
}
