//! This program as one of the processes of its own bench.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use tokio::process::{Child, Command};

use super::{bare, load, ours, upload};

/// What a process is.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Role {
    /// A standalone on a free port.
    Standalone {
        #[arg(long)]
        data_dir: PathBuf,
    },
    /// A handler that answers the bytes of a file.
    Bare {
        #[arg(long)]
        file: PathBuf,
    },
    /// Who asks.
    Load(load::Args),
    /// Who uploads a file.
    Upload(upload::Args),
}

/// Plays a role until it is over, or until the process is ended.
pub(crate) async fn play(role: Role) -> anyhow::Result<()> {
    match role {
        Role::Standalone { data_dir } => Box::pin(ours::serve(data_dir)).await,
        Role::Bare { file } => bare::serve(&file).await,
        Role::Load(args) => load::run(&args),
        Role::Upload(args) => upload::run(&args),
    }
}

/// This program in a role; ended when it is dropped.
pub(super) fn process(arguments: &[&str]) -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut command = Command::new(program);
    command.arg("role").args(arguments).kill_on_drop(true).stdin(std::process::Stdio::null());
    Ok(command)
}

/// A server: the process, and the address that it says on its first line.
pub(super) async fn server(command: &mut Command) -> anyhow::Result<(Child, String)> {
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    const PATIENCE: Duration = Duration::from_secs(60);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().context("starting a process")?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("a process does not start")?;
    let line = line.context("listening to a process")?.context("a process ended at its start")?;
    Ok((child, line.trim().to_owned()))
}
