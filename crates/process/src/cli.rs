//! The commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// What every command can be told.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// A TOML file over the embedded defaults; the environment lies over both.
    #[arg(long, env = "FILMSTRIP_CONFIG", global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The commands of a process with a database.
#[derive(Debug, Parser)]
#[command(name = "filmstrip", version)]
pub(crate) struct ServiceCli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: ServiceCommand,
}

/// The commands of a process without one.
#[derive(Debug, Parser)]
#[command(name = "filmstrip", version)]
pub(crate) struct EdgeCli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: CommonCommand,
}

/// Commands of every process.
#[derive(Debug, Subcommand)]
pub(crate) enum CommonCommand {
    /// Runs until SIGTERM or SIGINT.
    Serve,
    /// Asks the process that listens at the configured address whether it is ready: exit code 0, or 1 and why not.
    Healthcheck(HealthArgs),
    /// The configuration.
    Config(ConfigArgs),
}

/// What to ask a process.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct HealthArgs {
    /// Asks only whether it answers at all, whatever it waits for and also while it stops.
    #[arg(long)]
    pub(crate) live: bool,
}

/// What to do with the configuration.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    /// Prints what is in force as TOML, with the source of each key; secrets are not shown.
    #[arg(long, required = true)]
    pub(crate) dump: bool,
}

/// Commands of a process with a database.
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    #[command(flatten)]
    Common(CommonCommand),
    /// Applies the database migrations that are missing; may be run again at any time.
    Migrate,
    /// Looks after what this service publishes.
    #[command(subcommand)]
    Events(EventsCommand),
}

/// Looking after published events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Compares the stream with the log and says what is missing or different.
    Reconcile,
    /// Removes the stream and has it made again from the log, under the same ids.
    Republish,
    /// Lists messages that no subscription could decode.
    DeadLetters,
    /// Hands a dead letter to its subscription again.
    Replay {
        /// Its number in the list.
        sequence: u64,
    },
}
