//! One append inside the shared transaction.

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::statements::{execute, failed};
use crate::value::time_text;
use crate::{Append, AppendError, Appended, CommandRecord, LogError, NewEvent};

const INSERT: &str = "INSERT INTO event (event_id, stream, version, kind, schema_version, data, \
                      correlation_id, causation_id, traceparent, actor, recorded_at) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

/// Stores the append; on an error the caller undoes what it has done so far.
pub(super) fn append(connection: &Connection, append: &Append) -> Result<Appended, AppendError> {
    if let Some(command) = &append.command {
        refuse_repetition(connection, command)?;
    }
    let mut version = version_of(connection, &append.stream)?;
    if !append.expected.allows(version) {
        return Err(conflict(connection, append, version)?);
    }
    let mut position = 0;
    for event in &append.events {
        version += 1;
        position = insert(connection, &append.stream, version, event)?;
    }
    for statement in &append.statements {
        execute(connection, statement).map_err(constraint)?;
    }
    if let Some(command) = &append.command {
        record(connection, command, &append.events)?;
    }
    Ok(Appended { last_position: position, last_version: version })
}

fn constraint(error: LogError) -> AppendError {
    match error {
        LogError::Constraint(reason) => AppendError::Constraint(reason),
        error => error.into(),
    }
}

fn refuse_repetition(connection: &Connection, command: &CommandRecord) -> Result<(), AppendError> {
    let sql = "SELECT digest, reply FROM command WHERE id = ?1";
    let found: Option<(String, Vec<u8>)> = connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.query_row((&command.id,), |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(|error| failed(sql, error))?;
    match found {
        None => Ok(()),
        Some((digest, reply)) if digest == command.digest => Err(AppendError::Repeated(reply)),
        Some(_) => Err(AppendError::Reused),
    }
}

fn version_of(connection: &Connection, stream: &str) -> Result<i64, LogError> {
    let sql = "SELECT coalesce(max(version), 0) FROM event WHERE stream = ?1";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.query_row((stream,), |row| row.get(0)))
        .map_err(|error| failed(sql, error))
}

/// Storing an event again moves its stream first, so a repetition would look like a conflict: say what it is.
fn conflict(connection: &Connection, append: &Append, actual: i64) -> Result<AppendError, LogError> {
    for event in &append.events {
        if exists(connection, event.id)? {
            return Ok(AppendError::DuplicateEvent(event.id));
        }
    }
    Ok(AppendError::Conflict { stream: append.stream.clone(), expected: append.expected, actual })
}

fn exists(connection: &Connection, id: Uuid) -> Result<bool, LogError> {
    let sql = "SELECT 1 FROM event WHERE event_id = ?1";
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| statement.exists((id.to_string(),)))
        .map_err(|error| failed(sql, error))
}

/// The position that the event got.
fn insert(connection: &Connection, stream: &str, version: i64, event: &NewEvent) -> Result<i64, AppendError> {
    let mut statement = connection.prepare_cached(INSERT).map_err(|error| failed(INSERT, error))?;
    let stored = statement.insert((
        &*event.id.hyphenated().encode_lower(&mut Uuid::encode_buffer()),
        stream,
        version,
        &event.kind,
        event.schema_version,
        event.data.as_str(),
        &event.meta.correlation_id,
        &event.meta.causation_id,
        &event.meta.traceparent,
        &event.meta.actor,
        time_text(event.recorded_at),
    ));
    stored.map_err(|error| match failed(INSERT, error) {
        // The version is free in this transaction, so only the event's id can be taken.
        LogError::Constraint(_) => AppendError::DuplicateEvent(event.id),
        error => error.into(),
    })
}

fn record(connection: &Connection, command: &CommandRecord, events: &[NewEvent]) -> Result<(), LogError> {
    let sql = "INSERT INTO command (id, digest, reply, recorded_at) VALUES (?1, ?2, ?3, ?4)";
    let recorded_at = events.first().map(|event| time_text(event.recorded_at));
    connection
        .prepare_cached(sql)
        .and_then(|mut statement| {
            statement.execute((&command.id, &command.digest, &command.reply, recorded_at))
        })
        .map(drop)
        .map_err(|error| failed(sql, error))
}
