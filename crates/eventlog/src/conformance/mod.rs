//! The suite that every backend of the log passes.
//!
//! A backend's test binary says
//! ```ignore
//! eventlog::event_log_conformance!(sqlite, SqliteScratch::new());
//! ```
//! and gets one test for every rule, each on a database of its own.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a failed assertion is the point")]

mod appends;
mod commands;
mod coordination;
mod migrations;
mod readers;
mod tables;

pub use appends::*;
pub use commands::*;
pub use coordination::*;
pub use migrations::*;
pub use readers::*;
pub use tables::*;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::{Append, Log, LogError, Migrations, NewEvent};

/// One scratch database of the backend under test.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Opens the database, always the same one.
    ///
    /// # Errors
    /// Those of [`crate::open_log`].
    async fn open(&self, migrations: &Migrations) -> Result<Log, LogError>;

    /// Where the database lies, for the role that may migrate it.
    fn url(&self) -> String;

    /// Begins a transaction of somebody else: it has its turn among the writers and has stored `event` as the
    /// first of `stream`, but is neither committed nor rolled back.
    async fn hold(&self, event: Uuid, stream: &str) -> Box<dyn Held>;
}

/// A transaction that is open.
#[async_trait]
pub trait Held: Send {
    /// Commits it.
    async fn commit(self: Box<Self>);
    /// Rolls it back.
    async fn roll_back(self: Box<Self>);
}

/// Read tables that the suite writes to.
pub const TABLES: Migrations =
    Migrations { service: "conformance", sqlite: TABLES_SQL, postgres: TABLES_POSTGRES };

const TABLES_SQL: &[(&str, &str)] = &[(
    "0001_item",
    "CREATE TABLE item (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, label TEXT UNIQUE);
         CREATE TABLE anything (id BIGINT NOT NULL PRIMARY KEY, int BIGINT, real DOUBLE PRECISION, \
         text TEXT, bytes BLOB, yes BOOLEAN)",
)];

const TABLES_POSTGRES: &[(&str, &str)] = &[(
    "0001_item",
    "CREATE TABLE item (id TEXT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, label TEXT UNIQUE);
         CREATE TABLE anything (id BIGINT NOT NULL PRIMARY KEY, int BIGINT, real DOUBLE PRECISION, \
         text TEXT, bytes BYTEA, yes BOOLEAN)",
)];

/// The time of all events of the suite.
const RECORDED_AT: Timestamp = Timestamp::constant(1_764_337_200, 123_456_000);

fn event(number: i64) -> NewEvent {
    NewEvent::new(Uuid::new_v4(), "Counted", json!({ "number": number }), RECORDED_AT)
}

fn one(stream: &str) -> Append {
    Append::to(stream).event(event(1))
}

async fn open(backend: &dyn Backend) -> Log {
    backend.open(&TABLES).await.unwrap()
}

async fn versions(log: &Log, stream: &str) -> Vec<i64> {
    log.load(stream, 0).await.unwrap().iter().map(|event| event.version).collect()
}

/// One test per rule of the event log, in a module named after the backend. The second argument makes a
/// [`Backend`](crate::conformance::Backend).
#[macro_export]
macro_rules! event_log_conformance {
    ($name:ident, $backend:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the backend may be named with its whole path")]
            use super::*;

            $crate::event_log_conformance! { @tests $backend;
                an_append_stores_its_events_in_order,
                of_two_writers_at_one_version_one_wins,
                of_two_handles_at_one_version_one_wins,
                a_conflict_fails_only_its_own_append,
                an_append_without_events_is_refused,
                an_event_id_is_stored_once,
                a_repeated_event_is_told_from_a_conflict,
                appends_that_wait_together_share_commits,
                what_waits_for_another_writer_is_committed_at_once,
                the_database_itself_is_append_only,
                what_was_stored_is_there_after_reopening,
                a_repeated_command_gets_its_first_reply,
                a_command_id_with_another_digest_is_refused,
                a_command_sent_twice_at_once_is_carried_out_once,
                a_refused_append_records_no_command,
                a_table_and_its_event_are_stored_together,
                a_violated_key_leaves_no_event,
                a_wrong_number_of_rows_leaves_no_event,
                a_faulty_statement_leaves_no_event,
                every_value_comes_back_as_it_went_in,
                parameters_must_fit_their_statement,
                several_statements_are_one_transaction,
                a_returning_statement_returns_its_rows,
                a_stream_loads_from_a_version,
                the_log_reads_from_a_position,
                a_tail_under_sixteen_writers_misses_nothing,
                a_tailing_reader_never_skips_a_late_commit,
                what_nobody_announced_is_found_by_looking,
                a_tail_waits_and_ends_when_canceled,
                the_wake_up_names_the_last_position,
                a_checkpoint_is_kept,
                a_checkpoint_is_stored_with_its_append,
                a_lease_is_held_by_one_owner,
                a_lease_expires_and_its_fence_grows,
                an_owner_may_claim_again,
                a_stale_fence_refuses_the_write,
                a_released_lease_is_free_at_once,
                a_renewed_lease_keeps_its_fence,
                a_lease_may_be_claimed_within_an_append,
                held_leases_are_counted_by_their_kind,
                a_migration_is_applied_once,
                migrate_names_what_it_applied,
                a_checked_log_lacks_no_migration,
                a_contracted_log_is_refused_by_those_that_need_what_is_gone,
                a_changed_migration_is_refused,
                a_failing_migration_leaves_nothing,
            }
        }
    };
    (@tests $backend:expr; $($test:ident),+ $(,)?) => {$(
        #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            $crate::conformance::$test(&$backend).await;
        }
    )+};
}
