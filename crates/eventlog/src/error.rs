//! What can go wrong with a log.

use std::error::Error;
use std::sync::Arc;

use uuid::Uuid;

use crate::Expected;

/// The database failed, or was asked something that it cannot do. Cheap to clone: one failed commit answers
/// every append that shared it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The address names no backend that this build knows.
    #[error("cannot open the log at {url}: {reason}")]
    Address {
        /// The address without credentials.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database refused; `doing` says at what.
    #[error("the database failed while {doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// The driver's error.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// The shared commit failed: none of the writes in it is stored.
    #[error("the commit failed, nothing of this write is stored")]
    Commit(#[source] Arc<dyn Error + Send + Sync>),
    /// A coordination statement broke a constraint or changed another number of rows than it had to.
    #[error("constraint: {0}")]
    Constraint(String),
    /// A migration cannot be applied.
    #[error("migration {name}: {reason}")]
    Migration {
        /// `<service>/<file name>`.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A statement and its parameters do not fit together.
    #[error("statement `{sql}`: {reason}")]
    Statement {
        /// The statement's text.
        sql: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A row does not hold what the caller reads from it.
    #[error("column {column}: {reason}")]
    Column {
        /// The column's name.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The writer is gone; the process is about to end.
    #[error("the log is closed")]
    Closed,
}

impl LogError {
    /// A [`LogError::Database`].
    pub(crate) fn database(
        doing: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Database { doing: doing.into(), source: Arc::from(source.into()) }
    }

    /// A [`LogError::Column`].
    pub(crate) fn column(column: &str, reason: impl std::fmt::Display) -> Self {
        Self::Column { column: column.to_owned(), reason: reason.to_string() }
    }
}

/// Why an append was refused. Nothing of it is stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The stream has moved: load, decide and append again.
    #[error("stream {stream} is at version {actual}, expected {expected}")]
    Conflict {
        /// The stream.
        stream: String,
        /// What the append expected.
        expected: Expected,
        /// The version of the stream's last event, 0 without any.
        actual: i64,
    },
    /// A read table refused: a unique or foreign key is violated, or a statement changed another number of rows
    /// than it said. Decide again on what the tables hold now.
    #[error("constraint: {0}")]
    Constraint(String),
    /// An event with this id is stored already.
    #[error("event {0} is stored already")]
    DuplicateEvent(Uuid),
    /// The command was carried out before; this is the reply it got.
    #[error("the command was carried out before")]
    Repeated(Vec<u8>),
    /// The command's id was used before, with another content.
    #[error("the command id was used before for a different command")]
    Reused,
    /// The append has no events.
    #[error("an append needs at least one event")]
    Empty,
    /// The database failed.
    #[error(transparent)]
    Log(#[from] LogError),
}
