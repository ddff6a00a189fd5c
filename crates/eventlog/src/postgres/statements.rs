//! Running statements on a connection: binding, reading rows, sorting errors.

use std::{error::Error, sync::Arc};

use bytes::BytesMut;
use futures::{TryStreamExt as _, pin_mut};
use tokio_postgres::{
    Client, Statement as Prepared,
    error::SqlState,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use crate::{Data, LogError, Meta, Row, SqlValue, Statement, StoredEvent};

/// The columns of [`event`], in its order.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT event_id, stream, version, position, kind, schema_version, data, correlation_id, causation_id, ",
            "traceparent, actor, recorded_at FROM event WHERE ",
            $rest
        )
    };
}

const LOAD: &str = select!("stream = $1 AND version > $2 ORDER BY version");
const READ_ALL: &str = select!("position > $1 ORDER BY position LIMIT $2");

/// Events for which room is made before they come.
const PAGE: usize = 1024;

/// A parameter in whatever type the statement infers for it.
#[derive(Debug)]
struct Bound<'a>(&'a SqlValue);

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self.0, ty) {
            (SqlValue::Null, _) => Ok(IsNull::Yes),
            (SqlValue::Int(int), &Type::INT8) => int.to_sql(ty, out),
            (SqlValue::Int(int), &Type::INT4) => i32::try_from(*int)?.to_sql(ty, out),
            (SqlValue::Int(int), &Type::INT2) => i16::try_from(*int)?.to_sql(ty, out),
            (SqlValue::Int(int), &Type::BOOL) => (*int != 0).to_sql(ty, out),
            #[allow(clippy::cast_precision_loss, reason = "such columns hold seconds and amounts")]
            (SqlValue::Int(int), &Type::FLOAT8) => (*int as f64).to_sql(ty, out),
            (SqlValue::Real(real), &Type::FLOAT8) => real.to_sql(ty, out),
            (SqlValue::Bool(bool), &Type::BOOL) => bool.to_sql(ty, out),
            (SqlValue::Bool(bool), &Type::INT8) => i64::from(*bool).to_sql(ty, out),
            (SqlValue::Text(text), &Type::TEXT | &Type::VARCHAR | &Type::UNKNOWN | &Type::NAME) => {
                text.to_sql(ty, out)
            }
            (SqlValue::Blob(bytes), &Type::BYTEA) => bytes.to_sql(ty, out),
            (value, ty) => Err(format!("{value:?} does not fit into {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Runs a prepared statement; how many rows it changed, checked against what it says.
pub(super) async fn execute(
    client: &Client,
    statement: &Statement,
    prepared: &Prepared,
) -> Result<u64, LogError> {
    fitting(&statement.sql, prepared, &statement.params)?;
    let params: Vec<Bound<'_>> = statement.params.iter().map(Bound).collect();
    let changed = client.execute_raw(prepared, &params).await;
    counted(statement, changed.map_err(|error| failed(&statement.sql, &error))?)
}

/// Runs a prepared statement that ends in `RETURNING`.
pub(super) async fn execute_returning(
    client: &Client,
    statement: &Statement,
    prepared: &Prepared,
) -> Result<Vec<Row>, LogError> {
    let rows = rows(client, &statement.sql, prepared, &statement.params).await?;
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

fn fitting(sql: &str, prepared: &Prepared, params: &[SqlValue]) -> Result<(), LogError> {
    let (wanted, given) = (prepared.params().len(), params.len());
    if wanted == given {
        return Ok(());
    }
    Err(LogError::Statement {
        sql: sql.to_owned(),
        reason: format!("takes {wanted} parameters, {given} given"),
    })
}

/// Runs a query.
pub(super) async fn rows(
    client: &Client,
    sql: &str,
    prepared: &Prepared,
    params: &[SqlValue],
) -> Result<Vec<Row>, LogError> {
    fitting(sql, prepared, params)?;
    let columns: Arc<[String]> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    let params: Vec<Bound<'_>> = params.iter().map(Bound).collect();
    let found = client.query_raw(prepared, &params).await.map_err(|error| failed(sql, &error))?;
    pin_mut!(found);
    let mut rows = Vec::new();
    while let Some(row) = found.try_next().await.map_err(|error| failed(sql, &error))? {
        let values = (0..columns.len()).map(|index| value_of(&row, index));
        rows.push(Row::new(Arc::clone(&columns), values.collect::<Result<_, _>>()?));
    }
    Ok(rows)
}

fn value_of(row: &tokio_postgres::Row, index: usize) -> Result<SqlValue, LogError> {
    let column = &row.columns()[index];
    let wrong = |error: tokio_postgres::Error| LogError::column(column.name(), error);
    let value = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map_err(wrong)?.map(SqlValue::Int),
        Type::INT4 => {
            row.try_get::<_, Option<i32>>(index).map_err(wrong)?.map(|int| SqlValue::Int(int.into()))
        }
        Type::INT2 => {
            row.try_get::<_, Option<i16>>(index).map_err(wrong)?.map(|int| SqlValue::Int(int.into()))
        }
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(index).map_err(wrong)?.map(SqlValue::Real),
        Type::BOOL => row.try_get::<_, Option<bool>>(index).map_err(wrong)?.map(SqlValue::Bool),
        Type::TEXT | Type::VARCHAR | Type::NAME => {
            row.try_get::<_, Option<String>>(index).map_err(wrong)?.map(SqlValue::Text)
        }
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map_err(wrong)?.map(SqlValue::Blob),
        ref other => {
            return Err(LogError::column(
                column.name(),
                format!("{other} is not a type that both databases share"),
            ));
        }
    };
    Ok(value.unwrap_or(SqlValue::Null))
}

/// Unique and foreign keys are the caller's business, everything else is a fault.
pub(super) fn failed(sql: &str, error: &tokio_postgres::Error) -> LogError {
    if let Some(state) = error.code()
        && (*state == SqlState::UNIQUE_VIOLATION || *state == SqlState::FOREIGN_KEY_VIOLATION)
    {
        return LogError::Constraint(error.as_db_error().map_or_else(String::new, ToString::to_string));
    }
    LogError::database(format!("running `{sql}`"), Spelled::of(error))
}

/// Whether a read failed only because its connection was gone.
pub(super) fn is_lost(error: &LogError) -> bool {
    let LogError::Database { source, .. } = error else { return false };
    source.downcast_ref::<Spelled>().is_some_and(|spelled| spelled.lost)
}

/// The driver says only "db error" and keeps the server's words behind `source`.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Spelled {
    text: String,
    /// The connection is gone: another one may do better.
    lost: bool,
}

impl Spelled {
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        let text = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        let ending = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW];
        let lost = error.is_closed()
            || error.source().is_some_and(|source| source.is::<std::io::Error>())
            || error.code().is_some_and(|code| ending.contains(code));
        Self { text, lost }
    }

    /// Whether it says that the connection is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }
}

/// The events of a stream after a version.
pub(super) async fn load(
    client: deadpool_postgres::Client,
    stream: &str,
    after_version: i64,
) -> Result<Vec<StoredEvent>, LogError> {
    events(&client, LOAD, [&stream, &after_version], 0).await
}

/// The events of the log after a position.
pub(super) async fn read_all(
    client: deadpool_postgres::Client,
    after_position: i64,
    limit: usize,
) -> Result<Vec<StoredEvent>, LogError> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    events(&client, READ_ALL, [&after_position, &most], limit.min(PAGE)).await
}

/// Reads events while the server still sends the next ones; `likely` is how many there may be.
async fn events(
    client: &deadpool_postgres::Client,
    sql: &'static str,
    params: [&(dyn ToSql + Sync); 2],
    likely: usize,
) -> Result<Vec<StoredEvent>, LogError> {
    let wrong = |error| failed(sql, &error);
    let prepared = client.prepare_cached(sql).await.map_err(wrong)?;
    let rows = client.query_raw(&prepared, params).await.map_err(wrong)?;
    pin_mut!(rows);
    let mut events = Vec::with_capacity(likely);
    while let Some(row) = rows.try_next().await.map_err(wrong)? {
        events.push(event(&row)?);
    }
    Ok(events)
}

/// The last position.
pub(super) async fn head(client: deadpool_postgres::Client) -> Result<i64, LogError> {
    let sql = "SELECT coalesce(max(position), 0) FROM event";
    let row = client.query_one(sql, &[]).await.map_err(|error| failed(sql, &error))?;
    Ok(row.get(0))
}

fn event(row: &tokio_postgres::Row) -> Result<StoredEvent, LogError> {
    let get = |error: tokio_postgres::Error| LogError::database("reading an event", Spelled::of(&error));
    let id: &str = row.try_get(0).map_err(get)?;
    let data: &str = row.try_get(6).map_err(get)?;
    let recorded_at: &str = row.try_get(11).map_err(get)?;
    let schema_version: i32 = row.try_get(5).map_err(get)?;
    Ok(StoredEvent {
        id: id.parse().map_err(|error| LogError::column("event_id", error))?,
        stream: row.try_get(1).map_err(get)?,
        version: row.try_get(2).map_err(get)?,
        position: row.try_get(3).map_err(get)?,
        kind: row.try_get(4).map_err(get)?,
        schema_version: u32::try_from(schema_version)
            .map_err(|error| LogError::column("schema_version", error))?,
        data: Data::stored(data),
        meta: Meta {
            correlation_id: row.try_get(7).map_err(get)?,
            causation_id: row.try_get(8).map_err(get)?,
            traceparent: row.try_get(9).map_err(get)?,
            actor: row.try_get(10).map_err(get)?,
        },
        recorded_at: recorded_at.parse().map_err(|error| LogError::column("recorded_at", error))?,
    })
}
