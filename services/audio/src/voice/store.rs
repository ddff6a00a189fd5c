//! SQL of the voices' read table, and the one way to write.

use eventlog::{Append, AppendError, Log, LogError, Params, Row, Statement, params};
use jiff::Timestamp;
use kit::work::Work;
use serde_json::Value;

use super::events::Event;
use super::state::{State, Voice};
use crate::error::AudioError;

const VOICE: &str = "SELECT key, digest, request, state, attempt, due_at, audio, duration_ms, reason, retryable, \
                     cost_micros FROM voice";

/// Appends an event with what follows from it, under a lease if there is one; `false` when the table moved on, or the
/// lease is lost, and the caller has to look again.
///
/// # Errors
/// The log failed.
pub async fn append(
    log: &Log,
    event: &Event,
    at: Timestamp,
    guard: Option<Statement>,
) -> Result<bool, AudioError> {
    append_all(log, std::slice::from_ref(event), at, guard).await
}

/// The same of several events of one voice: all of them or none.
///
/// # Errors
/// The log failed.
pub async fn append_all(
    log: &Log,
    events: &[Event],
    at: Timestamp,
    guard: Option<Statement>,
) -> Result<bool, AudioError> {
    let Some(first) = events.first() else { return Ok(true) };
    let mut append = Append::to(first.key()).statements(guard);
    for event in events {
        append = append.event(event.to_stored(at)?).statement(statement(event, at)?);
    }
    match log.append(append).await {
        Ok(_) => Ok(true),
        // The statement's condition stands for an expected version: it names the state that the event follows.
        Err(AppendError::Constraint(_) | AppendError::Conflict { .. }) => Ok(false),
        Err(error) => Err(AudioError::Append(error)),
    }
}

/// What an event changes; it fails the append when the voice is not in the state that the event follows.
fn statement(event: &Event, at: Timestamp) -> Result<Statement, serde_json::Error> {
    let statement = match event {
        Event::VoiceRequested(request) => Statement::new(
            "INSERT INTO voice (key, digest, request, state, due_at) VALUES ($1, $2, $3, 'waiting', $4)",
            params![&request.key, &request.digest, serde_json::to_value(request)?, at],
        ),
        Event::VoiceCalled { key, attempt } => Statement::new(
            "UPDATE voice SET state = 'speaking', attempt = $2 WHERE key = $1 AND state = 'waiting'",
            params![key, *attempt],
        ),
        Event::VoiceDelayed { key, retry_at, reason, .. } => Statement::new(
            "UPDATE voice SET state = 'waiting', due_at = $2, reason = $3 WHERE key = $1 AND state = 'speaking'",
            params![key, *retry_at, reason],
        ),
        Event::VoiceCanceled { key, reason } => Statement::new(
            "UPDATE voice SET state = 'failed', reason = $2 WHERE key = $1 AND state = 'waiting'",
            params![key, reason],
        ),
        Event::VoiceSpoken { key, audio, duration_ms, cost_micros } => Statement::new(
            "UPDATE voice SET state = 'ready', audio = $2, duration_ms = $3, cost_micros = $4 \
             WHERE key = $1 AND state = 'speaking'",
            params![key, serde_json::to_value(audio)?, *duration_ms, *cost_micros],
        ),
        Event::VoiceReused { key, audio, duration_ms, .. } => Statement::new(
            "UPDATE voice SET state = 'ready', audio = $2, duration_ms = $3 WHERE key = $1 AND state = 'waiting'",
            params![key, serde_json::to_value(audio)?, *duration_ms],
        ),
        Event::VoiceFailed { key, reason, retryable, cost_micros } => Statement::new(
            "UPDATE voice SET state = 'failed', reason = $2, retryable = $3, cost_micros = $4 \
             WHERE key = $1 AND state IN ('waiting', 'speaking')",
            params![key, reason, *retryable, *cost_micros],
        ),
    };
    Ok(statement.affecting(1))
}

/// The voice under this key.
///
/// # Errors
/// The database failed, or holds what cannot be read.
pub async fn voice(log: &Log, key: &str) -> Result<Option<Voice>, LogError> {
    Ok(select(log, "WHERE key = $1", params![key]).await?.pop())
}

/// How many voices wait for a call that is due, and for how many one is out.
///
/// # Errors
/// The database failed.
pub async fn work(log: &Log, now: Timestamp) -> Result<Work, LogError> {
    let sql = "SELECT COUNT(*) AS voices, COUNT(due) AS due, MIN(due) AS since, COUNT(later) AS later FROM (\
               SELECT CASE WHEN state = 'waiting' AND due_at <= $1 THEN due_at END AS due, \
               CASE WHEN state = 'waiting' AND due_at > $1 THEN due_at END AS later \
               FROM voice WHERE state IN ('waiting', 'speaking')) AS unfinished";
    let rows = log.query(sql, params![now]).await?;
    let Some(row) = rows.first() else { return Ok(Work::default()) };
    let (voices, due, later): (u64, u64, u64) = (row.get("voices")?, row.get("due")?, row.get("later")?);
    Ok(Work::since(due, voices - due - later, row.get("since")?, now))
}

/// The trace of whoever asked for a voice, as it was stored with its first event.
///
/// # Errors
/// The database failed.
pub async fn traceparent(log: &Log, key: &str) -> Result<Option<String>, LogError> {
    let events = log.load(key, 0).await?;
    Ok(events.into_iter().next().and_then(|event| event.meta.traceparent))
}

/// The voices of a job that are there or may still come.
///
/// # Errors
/// The database failed, or holds what cannot be read.
pub async fn of_job(log: &Log, job_id: i32) -> Result<Vec<Voice>, LogError> {
    select(log, "WHERE key LIKE $1 AND state <> 'failed'", params![format!("job-{job_id}/%")]).await
}

/// Everything that is not at its end, what is due first.
///
/// # Errors
/// The database failed, or holds what cannot be read.
pub async fn unfinished(log: &Log) -> Result<Vec<Voice>, LogError> {
    select(log, "WHERE state IN ('waiting', 'speaking')", Vec::new()).await
}

async fn select(log: &Log, filter: &str, params: Params) -> Result<Vec<Voice>, LogError> {
    let rows = log.query(&format!("{VOICE} {filter} ORDER BY due_at, key"), params).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Voice, LogError> {
    let reason = || row.get::<Option<String>>("reason").map(Option::unwrap_or_default);
    let state = match row.get::<String>("state")?.as_str() {
        "waiting" => State::Waiting,
        "speaking" => State::Speaking,
        "ready" => State::Ready { audio: json(row, "audio")?, duration_ms: row.get("duration_ms")? },
        "failed" => State::Failed { reason: reason()?, retryable: row.get("retryable")? },
        other => return Err(unreadable("state", format!("{other:?} is no state of a voice"))),
    };
    Ok(Voice {
        request: json(row, "request")?,
        state,
        attempt: row.get("attempt")?,
        due_at: row.get("due_at")?,
        cost_micros: row.get("cost_micros")?,
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<T, LogError> {
    serde_json::from_value(row.get::<Value>(column)?).map_err(|error| unreadable(column, error.to_string()))
}

fn unreadable(column: &str, reason: String) -> LogError {
    LogError::Column { column: column.to_owned(), reason }
}
