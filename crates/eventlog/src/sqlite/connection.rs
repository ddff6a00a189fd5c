//! Opening connections: settings, and the migrations that a file lacks.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};

use crate::LogError;
use crate::migrations::{Migrations, Recorded, complete, pending};

/// How long a connection waits for another process that holds the file's lock.
const BUSY: Duration = Duration::from_secs(10);

/// Prepared statements kept per connection.
const STATEMENTS: usize = 128;

const REMEDY: &str = "run `migrate` first";

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
  name            TEXT NOT NULL PRIMARY KEY,
  checksum        TEXT NOT NULL,
  applied_at      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  contract_since  TEXT
)";

/// A column that earlier builds made the table without.
const CONTRACTS: &str = "contract_since";

/// The one connection that writes. Makes the file and its directory when they are missing.
pub(super) fn open_writer(path: &Path, migrations: &Migrations) -> Result<Connection, LogError> {
    let mut connection = open_or_create(path)?;
    migrate(&mut connection, migrations)?;
    Ok(connection)
}

/// A database that lies in no file and ends with its connection.
pub(super) fn in_memory(migrations: &Migrations) -> Result<Connection, LogError> {
    let failed = |error| LogError::database("opening a database in memory", error);
    let mut connection = Connection::open_in_memory().map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;").map_err(failed)?;
    migrate(&mut connection, migrations)?;
    Ok(connection)
}

fn open_or_create(path: &Path) -> Result<Connection, LogError> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory)
            .map_err(|error| LogError::database(format!("making {}", directory.display()), error))?;
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    set_up(&connection, path)?;
    Ok(connection)
}

/// Applies what is missing, in a file that is made when it is missing; what it applied.
pub(super) fn migrate_file(path: &Path, migrations: &Migrations) -> Result<Vec<String>, LogError> {
    let mut connection = open_or_create(path)?;
    migrate(&mut connection, migrations)
}

/// The one connection that writes, to a file that has every migration already; nothing is made or applied.
pub(super) fn open_checked(path: &Path, migrations: &Migrations) -> Result<Connection, LogError> {
    let wanted = migrations.for_sqlite()?;
    if !path.exists() {
        complete(wanted.clone(), &[], REMEDY)?;
    }
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let failed = |error| LogError::database("reading the applied migrations", error);
    let any = connection.table_exists(None, "migration").map_err(failed)?;
    let recorded = if any { recorded(&connection).map_err(failed)? } else { Vec::new() };
    complete(wanted, &recorded, REMEDY)?;
    set_up(&connection, path)?;
    Ok(connection)
}

fn set_up(connection: &Connection, path: &Path) -> Result<(), LogError> {
    // FULL: a commit is on the disk before it is answered. Recursive triggers: REPLACE then runs the trigger
    // that refuses to remove an event.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA recursive_triggers = ON;",
        )
        .map_err(|error| LogError::database(format!("opening {}", path.display()), error))
}

/// A connection that can only read. The writer has opened the file before.
pub(super) fn open_reader(path: &Path) -> Result<Connection, LogError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // One megabyte each: many services share a process.
    connection
        .pragma_update(None, "cache_size", -1024)
        .map_err(|error| LogError::database("opening a reader", error))?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, LogError> {
    let failed = |error| LogError::database(format!("opening {}", path.display()), error);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    // Without this guarantee each new value of a parameter makes SQLite plan a kept statement anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// All that is missing is applied in one transaction, so that two processes opening one file do not meet.
fn migrate(connection: &mut Connection, migrations: &Migrations) -> Result<Vec<String>, LogError> {
    let wanted = migrations.for_sqlite()?;
    let failed = |error| LogError::database("reading the applied migrations", error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    transaction.execute_batch(TABLE).map_err(failed)?;
    if !transaction.column_exists(None, "migration", CONTRACTS).map_err(failed)? {
        let add = format!("ALTER TABLE migration ADD COLUMN {CONTRACTS} TEXT");
        transaction.execute_batch(&add).map_err(failed)?;
    }
    let recorded = recorded(&transaction).map_err(failed)?;
    let mut applied = Vec::new();
    for migration in pending(wanted, &recorded)? {
        let failed = |error: rusqlite::Error| LogError::Migration {
            name: migration.name.clone(),
            reason: error.to_string(),
        };
        transaction.execute_batch(migration.sql).map_err(failed)?;
        transaction
            .execute(
                "INSERT INTO migration (name, checksum, contract_since) VALUES (?1, ?2, ?3)",
                (&migration.name, &migration.checksum, migration.recorded_since()),
            )
            .map_err(failed)?;
        applied.push(migration.name);
    }
    transaction.commit().map_err(|error| LogError::database("committing the migrations", error))?;
    Ok(applied)
}

/// What was applied, also where no build has added the column of contracts yet.
fn recorded(connection: &Connection) -> rusqlite::Result<Vec<Recorded>> {
    let since = if connection.column_exists(None, "migration", CONTRACTS)? { CONTRACTS } else { "NULL" };
    let mut statement = connection.prepare(&format!("SELECT name, checksum, {since} FROM migration"))?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Recorded { name: row.get(0)?, checksum: row.get(1)?, contract_since: row.get(2)? })
    };
    statement.query_map((), read)?.collect()
}
