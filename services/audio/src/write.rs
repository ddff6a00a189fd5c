//! The one way to write: a soundtrack's event and its read table, in one append.

use eventlog::{Append, AppendError, Log, Statement};
use jiff::Timestamp;

use crate::error::AudioError;
use crate::events::Event;
use crate::store;

/// Appends the events of one soundtrack; `false` when the tables moved on in the meantime and the caller has to
/// look again.
///
/// # Errors
/// The log failed.
pub async fn append(log: &Log, key: &str, events: &[Event], at: Timestamp) -> Result<bool, AudioError> {
    append_under(log, key, events, at, None).await
}

/// The same by somebody who works under a lease: refused once another process has claimed it.
///
/// # Errors
/// The log failed.
pub async fn append_under(
    log: &Log,
    key: &str,
    events: &[Event],
    at: Timestamp,
    guard: Option<Statement>,
) -> Result<bool, AudioError> {
    let mut append = Append::to(key).statements(guard);
    for event in events {
        append = append.event(event.to_stored(at)?).statement(store::statement(event, at));
    }
    match log.append(append).await {
        Ok(_) => Ok(true),
        // The statements' conditions stand for an expected version: they name the state that the event follows.
        Err(AppendError::Constraint(_) | AppendError::Conflict { .. }) => Ok(false),
        Err(error) => Err(AudioError::Append(error)),
    }
}
