//! Scratch logs for the tests of everything that has one.

use tempfile::TempDir;

use crate::{Log, LogError, Migrations, open_log};

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
