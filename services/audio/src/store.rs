//! SQL of the read tables.

use eventlog::{Log, LogError, Migrations, Params, Row, Statement, params};
use kit::work::Work;
use predictions::{Fact, OrderState, Outcome};
use protos::common::v1::BlobRef;
use serde_json::Value;

use crate::events::{Event, Request};
use crate::order::Context;
use crate::plan::Window;
use crate::track::{self, Segment, SegmentEnd, State, Track, TrackVoice, VoiceEnd};
use crate::voice;

/// What the service's database is made of.
pub const MIGRATIONS: Migrations = Migrations {
    service: "audio",
    sqlite: &[
        ("0001_prediction", predictions::SQLITE_MIGRATION),
        ("0002_soundtrack", include_str!("../../../migrations/audio/sqlite/0002_soundtrack.sql")),
        ("0003_coordination", predictions::SQLITE_COORDINATION),
        ("0004_voice", include_str!("../../../migrations/audio/sqlite/0004_voice.sql")),
    ],
    postgres: &[
        ("0001_prediction", predictions::POSTGRES_MIGRATION),
        ("0002_soundtrack", include_str!("../../../migrations/audio/postgres/0002_soundtrack.sql")),
        ("0003_coordination", predictions::POSTGRES_COORDINATION),
        ("0004_voice", include_str!("../../../migrations/audio/postgres/0004_voice.sql")),
    ],
};

const TRACK: &str =
    "SELECT key, digest, job_id, request, state, audio, duration_ms, reason, retryable FROM soundtrack";
const SEGMENT: &str = "SELECT g.key AS key, g.soundtrack_key AS soundtrack_key, g.window_start AS window_start, \
     g.window_end AS window_end, g.taken AS taken, g.state AS state, g.audio AS audio, g.length_ms AS length_ms, \
     g.reason AS reason, g.retryable AS retryable, g.cost_micros AS cost_micros \
     FROM segment g JOIN soundtrack t ON t.key = g.soundtrack_key";

/// The soundtrack under this key.
///
/// # Errors
/// The database failed, or holds what cannot be read.
pub async fn track(log: &Log, key: &str) -> Result<Option<Track>, LogError> {
    Ok(select(log, "WHERE t.key = $1", params![key]).await?.pop())
}

/// Everything that is not at its end, oldest first.
///
/// # Errors
/// The database failed, or holds what cannot be read.
pub async fn unfinished(log: &Log) -> Result<Vec<Track>, LogError> {
    select(log, "WHERE t.state IN ('open', 'canceling')", Vec::new()).await
}

/// How many soundtracks wait for the provider to take their first segment on, and how many are made.
///
/// # Errors
/// The database failed.
pub async fn work(log: &Log, now: jiff::Timestamp) -> Result<Work, LogError> {
    let sql = "SELECT COUNT(*) AS tracks, COUNT(waits) AS due, MIN(waits) AS since FROM (\
               SELECT CASE WHEN t.state = 'open' AND NOT EXISTS \
               (SELECT 1 FROM segment g WHERE g.soundtrack_key = t.key AND g.taken) THEN t.requested_at END AS waits \
               FROM soundtrack t WHERE t.state IN ('open', 'canceling')) AS unfinished";
    let rows = log.query(sql, params![]).await?;
    let Some(row) = rows.first() else { return Ok(Work::default()) };
    let (tracks, due): (u64, u64) = (row.get("tracks")?, row.get("due")?);
    Ok(Work::since(due, tracks - due, row.get("since")?, now))
}

async fn select(log: &Log, filter: &str, params: Params) -> Result<Vec<Track>, LogError> {
    let sql = format!("{TRACK} t {filter} ORDER BY t.requested_at, t.key");
    let rows = log.query(&sql, params.clone()).await?;
    let mut tracks = rows.iter().map(read_track).collect::<Result<Vec<_>, _>>()?;
    if tracks.is_empty() {
        return Ok(tracks);
    }
    for row in log.query(&format!("{SEGMENT} {filter} ORDER BY g.number"), params).await? {
        let owner: String = row.get("soundtrack_key")?;
        if let Some(track) = tracks.iter_mut().find(|track| track.key == owner) {
            track.segments.push(read_segment(&row)?);
        }
    }
    for track in &mut tracks {
        track.voice = voice_of(log, track).await?;
    }
    Ok(tracks)
}

/// The voice over a soundtrack that wants one.
async fn voice_of(log: &Log, track: &Track) -> Result<Option<TrackVoice>, LogError> {
    if track.request.as_ref().is_none_or(|request| request.voice.is_none()) {
        return Ok(None);
    }
    let voice = voice::store::voice(log, &track::voice_key(&track.key)).await?;
    Ok(voice.map(|voice| TrackVoice {
        called: voice.attempt > 0 && voice.state != voice::state::State::Waiting,
        cost_micros: voice.cost_micros,
        end: match voice.state {
            voice::state::State::Ready { audio, .. } => Some(VoiceEnd::Ready(audio)),
            voice::state::State::Failed { reason, .. } => Some(VoiceEnd::Failed(reason)),
            voice::state::State::Waiting | voice::state::State::Speaking => None,
        },
    }))
}

fn read_track(row: &Row) -> Result<Track, LogError> {
    let reason = || row.get::<Option<String>>("reason").map(Option::unwrap_or_default);
    let state = match row.get::<String>("state")?.as_str() {
        "open" => State::Open,
        "canceling" => State::Canceling { reason: reason()? },
        "ready" => State::Ready {
            audio: json(row, "audio")?,
            duration_ms: row.get("duration_ms")?,
            shortfall: row.get("reason")?,
        },
        "failed" => State::Failed { reason: reason()?, retryable: row.get("retryable")? },
        "canceled" => State::Canceled { reason: reason()? },
        other => return Err(unreadable("state", format!("{other:?} is no state of a soundtrack"))),
    };
    let request = match row.get::<Option<String>>("request")? {
        Some(_) => Some(json::<Request>(row, "request")?),
        None => None,
    };
    Ok(Track {
        key: row.get("key")?,
        digest: row.get("digest")?,
        job_id: row.get("job_id")?,
        request,
        state,
        segments: Vec::new(),
        voice: None,
    })
}

fn read_segment(row: &Row) -> Result<Segment, LogError> {
    let end = match row.get::<String>("state")?.as_str() {
        "ordered" => None,
        "delivered" => {
            Some(SegmentEnd::Delivered { audio: json(row, "audio")?, length_ms: row.get("length_ms")? })
        }
        "failed" => Some(SegmentEnd::Failed {
            reason: row.get::<Option<String>>("reason")?.unwrap_or_default(),
            retryable: row.get("retryable")?,
        }),
        "canceled" => Some(SegmentEnd::Canceled),
        other => return Err(unreadable("state", format!("{other:?} is no state of a segment"))),
    };
    let window = match (row.get("window_start")?, row.get("window_end")?) {
        (Some(start), Some(end)) => Some(Window { start, end }),
        _ => None,
    };
    Ok(Segment {
        key: row.get("key")?,
        window,
        taken: row.get("taken")?,
        end,
        cost_micros: row.get("cost_micros")?,
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &Row, column: &str) -> Result<T, LogError> {
    serde_json::from_value(row.get::<Value>(column)?).map_err(|error| unreadable(column, error.to_string()))
}

fn unreadable(column: &str, reason: String) -> LogError {
    LogError::Column { column: column.to_owned(), reason }
}

/// What an event changes in the read tables. The conditions refuse an event that came too late.
#[must_use]
pub fn statement(event: &Event, at: jiff::Timestamp) -> Statement {
    match event {
        Event::SoundtrackRequested(request) => Statement::new(
            "INSERT INTO soundtrack (key, digest, job_id, request, state, requested_at) \
             VALUES ($1, $2, $3, $4, 'open', $5)",
            params![
                &request.key,
                &request.digest,
                request.job_id,
                serde_json::to_value(request).unwrap_or_default(),
                at
            ],
        ),
        Event::SoundtrackCancelRequested { key, job_id, reason } => Statement::new(
            "INSERT INTO soundtrack (key, digest, job_id, state, reason, requested_at) \
             VALUES ($1, '', $2, 'canceling', $3, $4) \
             ON CONFLICT (key) DO UPDATE SET state = 'canceling', reason = excluded.reason \
             WHERE soundtrack.state = 'open'",
            params![key, *job_id, reason, at],
        ),
        Event::SoundtrackFinished { key, audio, duration_ms, shortfall, .. } => Statement::new(
            "UPDATE soundtrack SET state = 'ready', audio = $2, duration_ms = $3, reason = $4 \
             WHERE key = $1 AND state = 'open'",
            params![key, blob(audio), *duration_ms, shortfall.clone()],
        ),
        Event::SoundtrackFailed { key, reason, retryable, .. } => Statement::new(
            "UPDATE soundtrack SET state = 'failed', reason = $2, retryable = $3 \
             WHERE key = $1 AND state = 'open'",
            params![key, reason, *retryable],
        ),
        Event::SoundtrackCanceled { key, .. } => Statement::new(
            "UPDATE soundtrack SET state = 'canceled' WHERE key = $1 AND state = 'canceling'",
            params![key],
        ),
    }
    .affecting(1)
}

/// What a fact of a segment's order changes in the read tables.
#[must_use]
pub fn segment_statement(context: &Context, state: &OrderState, fact: &Fact) -> Option<Statement> {
    let key = context.order_key();
    match fact {
        Fact::OrderPlaced { .. } => Some(
            Statement::new(
                // One that is not to be made any more gets no further segment, whoever still thinks so.
                "INSERT INTO segment (key, soundtrack_key, number, window_start, window_end, state) \
                 SELECT $1, $2, $3, $4, $5, 'ordered' \
                 WHERE EXISTS (SELECT 1 FROM soundtrack WHERE key = $2 AND state = 'open')",
                params![
                    key,
                    &context.soundtrack,
                    context.number,
                    context.window.map(|window| window.start),
                    context.window.map(|window| window.end)
                ],
            )
            .affecting(1),
        ),
        Fact::AttemptAccepted { .. } => {
            Some(Statement::new("UPDATE segment SET taken = TRUE WHERE key = $1", params![key]))
        }
        Fact::AttemptEnded { .. } => Some(Statement::new(
            "UPDATE segment SET cost_micros = $2 WHERE key = $1",
            params![key, state.cost_micros()],
        )),
        Fact::OrderSettled { outcome } => Some(settled(key, state.cost_micros(), outcome)),
        _ => None,
    }
}

fn settled(key: String, cost_micros: i64, outcome: &Outcome) -> Statement {
    let (word, audio, length_ms, reason, retryable) = match outcome {
        Outcome::Delivered { blob: audio, found, .. } => {
            ("delivered", Some(blob(audio)), found.get("length_ms").and_then(Value::as_u64), None, false)
        }
        Outcome::Failed(failure) => ("failed", None, None, Some(failure.reason.clone()), failure.retryable()),
        Outcome::Canceled { reason } => ("canceled", None, None, Some(reason.clone()), false),
    };
    Statement::new(
        "UPDATE segment SET state = $2, audio = $3, length_ms = $4, reason = $5, retryable = $6, cost_micros = $7 \
         WHERE key = $1",
        params![key, word, audio, length_ms, reason, retryable, cost_micros],
    )
    .affecting(1)
}

fn blob(blob: &BlobRef) -> Value {
    serde_json::to_value(blob).unwrap_or_default()
}
