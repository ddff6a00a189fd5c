//! Running statements on a connection: binding, reading rows, sorting errors.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, ffi};

use crate::{Data, LogError, Meta, Row, SqlValue, Statement, StoredEvent};

const COLUMNS: &str = "event_id, stream, version, position, kind, schema_version, data, correlation_id, \
                       causation_id, traceparent, actor, recorded_at";

impl rusqlite::ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(int) => ToSqlOutput::Owned(Value::Integer(*int)),
            Self::Real(real) => ToSqlOutput::Owned(Value::Real(*real)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Bool(bool) => ToSqlOutput::Owned(Value::Integer((*bool).into())),
        })
    }
}

/// Runs a statement that returns nothing; how many rows it changed, checked against what it says.
pub(super) fn execute(connection: &Connection, statement: &Statement) -> Result<u64, LogError> {
    let sql = &statement.sql;
    let mut prepared = prepare(connection, sql, &statement.params)?;
    let changed = prepared.raw_execute().map_err(|error| failed(sql, error))?;
    counted(statement, u64::try_from(changed).unwrap_or(u64::MAX))
}

/// Runs a statement that ends in `RETURNING`.
pub(super) fn execute_returning(
    connection: &Connection,
    statement: &Statement,
) -> Result<Vec<Row>, LogError> {
    let rows = rows(connection, &statement.sql, &statement.params)?;
    counted(statement, u64::try_from(rows.len()).unwrap_or(u64::MAX))?;
    Ok(rows)
}

fn counted(statement: &Statement, changed: u64) -> Result<u64, LogError> {
    match statement.expect_rows {
        Some(expected) if expected != changed => Err(LogError::Constraint(format!(
            "`{}` changed {changed} rows, expected {expected}",
            statement.sql
        ))),
        _ => Ok(changed),
    }
}

/// Runs a query.
pub(super) fn rows(connection: &Connection, sql: &str, params: &[SqlValue]) -> Result<Vec<Row>, LogError> {
    let mut prepared = prepare(connection, sql, params)?;
    let columns: Arc<[String]> = prepared.column_names().map(str::to_owned).collect();
    let mut found = prepared.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(|error| failed(sql, error))? {
        let values = (0..columns.len()).map(|index| {
            let value = row.get_ref(index).map_err(|error| failed(sql, error))?;
            value_of(value).map_err(|error| LogError::column(&columns[index], error))
        });
        rows.push(Row::new(Arc::clone(&columns), values.collect::<Result<_, _>>()?));
    }
    Ok(rows)
}

fn value_of(value: ValueRef<'_>) -> Result<SqlValue, std::str::Utf8Error> {
    Ok(match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(int) => SqlValue::Int(int),
        ValueRef::Real(real) => SqlValue::Real(real),
        ValueRef::Text(text) => SqlValue::Text(std::str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => SqlValue::Blob(bytes.to_vec()),
    })
}

/// SQLite takes `$1` for a name, not a number, so each parameter is looked up by its name.
fn prepare<'a>(
    connection: &'a Connection,
    sql: &str,
    params: &[SqlValue],
) -> Result<CachedStatement<'a>, LogError> {
    let mut prepared = connection.prepare_cached(sql).map_err(|error| failed(sql, error))?;
    let wrong = |reason: String| LogError::Statement { sql: sql.to_owned(), reason };
    if prepared.parameter_count() != params.len() {
        let (wanted, given) = (prepared.parameter_count(), params.len());
        return Err(wrong(format!("takes {wanted} parameters, {given} given")));
    }
    for (index, value) in params.iter().enumerate() {
        let name = format!("${}", index + 1);
        let slot = prepared.parameter_index(&name).map_err(|error| failed(sql, error))?;
        let slot = slot.ok_or_else(|| wrong(format!("does not use {name}")))?;
        prepared.raw_bind_parameter(slot, value).map_err(|error| failed(sql, error))?;
    }
    Ok(prepared)
}

/// Unique and foreign keys are the caller's business, everything else is a fault.
pub(super) fn failed(sql: &str, error: rusqlite::Error) -> LogError {
    if let rusqlite::Error::SqliteFailure(code, Some(message)) = &error
        && matches!(
            code.extended_code,
            ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_FOREIGNKEY
        )
    {
        return LogError::Constraint(message.clone());
    }
    LogError::database(format!("running `{sql}`"), error)
}

/// The events of a stream after a version.
pub(super) fn load(
    connection: &Connection,
    stream: &str,
    after_version: i64,
) -> Result<Vec<StoredEvent>, LogError> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE stream = ?1 AND version > ?2 ORDER BY version");
    events(connection, &sql, (stream, after_version))
}

/// The events of the log after a position.
pub(super) fn read_all(
    connection: &Connection,
    after_position: i64,
    limit: usize,
) -> Result<Vec<StoredEvent>, LogError> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE position > ?1 ORDER BY position LIMIT ?2");
    events(connection, &sql, (after_position, i64::try_from(limit).unwrap_or(i64::MAX)))
}

/// The last position.
pub(super) fn head(connection: &Connection) -> Result<i64, LogError> {
    let sql = "SELECT coalesce(max(position), 0) FROM event";
    let mut statement = connection.prepare_cached(sql).map_err(|error| failed(sql, error))?;
    statement.query_row((), |row| row.get(0)).map_err(|error| failed(sql, error))
}

fn events(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<StoredEvent>, LogError> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| failed(sql, error))?;
    let mut rows = statement.query(params).map_err(|error| failed(sql, error))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(|error| failed(sql, error))? {
        events.push(event(row)?);
    }
    Ok(events)
}

fn event(row: &rusqlite::Row<'_>) -> Result<StoredEvent, LogError> {
    let get = |error| LogError::database("reading an event", error);
    let id: String = row.get(0).map_err(get)?;
    let data = row.get_ref(6).map_err(get)?.as_str().map_err(|error| LogError::column("data", error))?;
    let recorded_at: String = row.get(11).map_err(get)?;
    Ok(StoredEvent {
        id: id.parse().map_err(|error| LogError::column("event_id", error))?,
        stream: row.get(1).map_err(get)?,
        version: row.get(2).map_err(get)?,
        position: row.get(3).map_err(get)?,
        kind: row.get(4).map_err(get)?,
        schema_version: row.get(5).map_err(get)?,
        data: Data::stored(data),
        meta: Meta {
            correlation_id: row.get(7).map_err(get)?,
            causation_id: row.get(8).map_err(get)?,
            traceparent: row.get(9).map_err(get)?,
            actor: row.get(10).map_err(get)?,
        },
        recorded_at: recorded_at.parse().map_err(|error| LogError::column("recorded_at", error))?,
    })
}
