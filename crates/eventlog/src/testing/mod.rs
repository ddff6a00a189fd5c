//! Scratch logs for the tests of everything that has one, and what simulations have in common.

mod distant;
mod seeds;
mod wrapped;

use std::sync::Arc;

use tempfile::TempDir;

pub use self::{
    distant::{DistantLog, Gate},
    seeds::{Dice, each_seed},
    wrapped::{Around, Trap, Wrapped},
};
use crate::{Log, LogError, Migrations, open_log, sqlite::MemoryLog};

/// A service without tables of its own.
pub const NO_TABLES: Migrations = Migrations { service: "scratch", sqlite: &[], postgres: &[] };

/// A new log in a directory of its own, which goes away with the second value.
///
/// # Panics
/// When the directory or the log cannot be made: a test cannot go on without.
pub async fn scratch_log(migrations: &Migrations) -> (Log, TempDir) {
    let made = async {
        let directory =
            tempfile::tempdir().map_err(|error| LogError::database("making a directory", error))?;
        let path = directory.path().join("log.db");
        let log = open_log(&path.to_string_lossy(), migrations).await?;
        Ok::<_, LogError>((log, directory))
    };
    #[allow(clippy::panic, reason = "only tests call this")]
    match made.await {
        Ok(made) => made,
        Err(error) => panic!("no scratch log: {error:?}"),
    }
}

/// A new log in memory for a simulation: each call is carried out at once on the caller's thread, so that one thread
/// with a paused clock runs the same way each time. `now` is the database's clock, milliseconds since 1970.
///
/// # Panics
/// When a migration does not fit: a test cannot go on without.
pub fn simulated_log(migrations: &Migrations, now: impl Fn() -> i64 + Send + Sync + 'static) -> Log {
    #[allow(clippy::panic, reason = "only tests call this")]
    match MemoryLog::new(migrations, Box::new(now)) {
        Ok(log) => Arc::new(log),
        Err(error) => panic!("no simulated log: {error:?}"),
    }
}
