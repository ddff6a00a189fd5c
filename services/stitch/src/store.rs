//! SQL of the read tables.

use eventlog::{Append, AppendError, Lease, Log, Migrations, Row, Statement, params};
use jiff::Timestamp;
use protos::common::v1::BlobRef;
use serde::de::DeserializeOwned;

use crate::error::StitchError;
use crate::events::Event;
use crate::product::{Kind, Made, Product, Request, State};

/// The service's tables.
pub const MIGRATIONS: Migrations = Migrations {
    service: "stitch",
    sqlite: &[
        ("0001_product", include_str!("../../../migrations/stitch/sqlite/0001_product.sql")),
        ("0002_frame", include_str!("../../../migrations/stitch/sqlite/0002_frame.sql")),
        ("0003_overlay", include_str!("../../../migrations/stitch/sqlite/0003_overlay.sql")),
    ],
    postgres: &[
        ("0001_product", include_str!("../../../migrations/stitch/postgres/0001_product.sql")),
        ("0002_frame", include_str!("../../../migrations/stitch/postgres/0002_frame.sql")),
        ("0003_overlay", include_str!("../../../migrations/stitch/postgres/0003_overlay.sql")),
    ],
};

const PRODUCT: &str = "SELECT key, kind, job_id, digest, input, state, attempts, video, poster, duration_ms, \
                       reason, traceparent, working FROM product";

/// Appends an event with what follows from it in the tables, under a lease if there is one. `false`: the tables
/// have moved on, or the lease is lost; the caller has to look again.
///
/// # Errors
/// The log failed.
pub async fn append(
    log: &Log,
    event: &Event,
    lease: Option<&Lease>,
    at: Timestamp,
) -> Result<bool, StitchError> {
    let stored = event.to_stored(at)?;
    let follows = statement(event, stored.meta.traceparent.as_deref(), at)?;
    let append = Append::to(event.of().key).event(stored).statement(follows);
    match log.append(append.statements(lease.map(Lease::guard))).await {
        Ok(_) => Ok(true),
        // The statement's condition stands for an expected version: it names the state that the event follows.
        Err(AppendError::Constraint(_) | AppendError::Conflict { .. }) => Ok(false),
        Err(error) => Err(StitchError::Append(error)),
    }
}

/// What an event changes; it fails the append when the product is not in the state that the event follows.
fn statement(event: &Event, trace: Option<&str>, at: Timestamp) -> Result<Statement, serde_json::Error> {
    const CHANGE: &str = "WHERE key = $1 AND state = 'waiting'";
    let statement = match event {
        Event::ProductRequested(Request { key, digest, job_id, input }) => Statement::new(
            "INSERT INTO product (key, kind, job_id, digest, input, state, attempts, due_at, traceparent, \
             requested_at, working) VALUES ($1, $2, $3, $4, $5, 'waiting', 0, $6, $7, $6, 0)",
            params![key, input.kind().as_str(), *job_id, digest, serde_json::to_string(input)?, at, trace],
        ),
        Event::ProductAttemptFailed { of, retry_at, .. } => Statement::new(
            format!("UPDATE product SET attempts = attempts + 1, due_at = $2, working = 0 {CHANGE}"),
            params![&of.key, retry_at],
        ),
        Event::ProductFinished { of, made } => Statement::new(
            format!(
                "UPDATE product SET state = 'ready', video = $2, poster = $3, duration_ms = $4, working = 0 {CHANGE}"
            ),
            params![
                &of.key,
                serde_json::to_string(&made.video)?,
                serde_json::to_string(&made.poster)?,
                made.duration_ms
            ],
        ),
        Event::ProductFailed { of, reason } => Statement::new(
            format!(
                "UPDATE product SET state = 'failed', reason = $2, attempts = attempts + 1, working = 0 {CHANGE}"
            ),
            params![&of.key, reason],
        ),
        Event::ProductCanceled { of, reason } => Statement::new(
            "INSERT INTO product (key, kind, job_id, state, attempts, due_at, reason, requested_at, working) \
             VALUES ($1, $2, $3, 'canceled', 0, $4, $5, $4, 0) ON CONFLICT (key) DO UPDATE \
             SET state = 'canceled', reason = excluded.reason, working = 0 WHERE product.state = 'waiting'",
            params![&of.key, of.kind.as_str(), of.job_id, at, reason],
        ),
    };
    Ok(statement.affecting(1))
}

/// The product of a key.
///
/// # Errors
/// The database failed.
pub async fn product(log: &Log, key: &str) -> Result<Option<Product>, StitchError> {
    let rows = log.query(&format!("{PRODUCT} WHERE key = $1"), params![key]).await?;
    rows.first().map(read).transpose()
}

/// Name of the lease under which a product is made.
#[must_use]
pub fn lease_of(key: &str) -> String {
    format!("{LEASES}{key}")
}

/// What the names of such leases begin with.
pub(crate) const LEASES: &str = "product/";

/// Products that are due by now and that nobody but `owner` is at, the longest waiting first.
///
/// # Errors
/// The database failed.
pub async fn due(log: &Log, owner: &str, now: Timestamp) -> Result<Vec<Product>, StitchError> {
    let clock = log.clock_sql();
    let sql = format!(
        "{PRODUCT} LEFT JOIN lease ON lease.name = $2 || product.key \
         WHERE state = 'waiting' AND due_at <= $1 \
         AND (lease.name IS NULL OR lease.expires_at <= {clock} OR lease.owner = $3) \
         ORDER BY due_at, key LIMIT 100"
    );
    log.query(&sql, params![now, LEASES, owner]).await?.iter().map(read).collect()
}

/// The product of a key if it is still due by now.
///
/// # Errors
/// The database failed.
pub async fn still_due(log: &Log, key: &str, now: Timestamp) -> Result<Option<Product>, StitchError> {
    let sql = format!("{PRODUCT} WHERE key = $1 AND state = 'waiting' AND due_at <= $2");
    log.query(&sql, params![key, now]).await?.first().map(read).transpose()
}

/// When the next product is due, after now.
///
/// # Errors
/// The database failed.
pub async fn next_due(log: &Log, now: Timestamp) -> Result<Option<Timestamp>, StitchError> {
    let sql = "SELECT min(due_at) AS due_at FROM product WHERE state = 'waiting' AND due_at > $1";
    let rows = log.query(sql, params![now]).await?;
    Ok(rows.first().map(|row| row.get::<Option<Timestamp>>("due_at")).transpose()?.flatten())
}

/// Notes that somebody is at it. Coordination: it tells whoever asks, nothing depends on it.
///
/// # Errors
/// The database failed.
pub async fn mark_working(log: &Log, key: &str) -> Result<(), StitchError> {
    let sql = "UPDATE product SET working = 1 WHERE key = $1 AND state = 'waiting'";
    Ok(log.execute(vec![Statement::new(sql, params![key])]).await.map(drop)?)
}

/// The image that was drawn of a video in a size.
///
/// # Errors
/// The database failed.
pub async fn frame(log: &Log, video: &str, size: (u32, u32)) -> Result<Option<BlobRef>, StitchError> {
    let sql = "SELECT sha256, size FROM frame WHERE video_sha256 = $1 AND width = $2 AND height = $3";
    let rows = log.query(sql, params![video, size.0, size.1]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(BlobRef { sha256: row.get("sha256")?, size: row.get("size")?, content_type: JPEG.to_owned() }))
}

/// Remembers it.
///
/// # Errors
/// The database failed.
pub async fn save_frame(
    log: &Log,
    video: &str,
    size: (u32, u32),
    image: &BlobRef,
) -> Result<(), StitchError> {
    let sql = "INSERT INTO frame (video_sha256, width, height, sha256, size) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (video_sha256, width, height) DO UPDATE SET sha256 = excluded.sha256, \
               size = excluded.size";
    let params = params![video, size.0, size.1, &image.sha256, image.size];
    Ok(log.execute(vec![Statement::new(sql, params)]).await.map(drop)?)
}

/// The type of posters and frames.
pub(crate) const JPEG: &str = "image/jpeg";

fn read(row: &Row) -> Result<Product, StitchError> {
    let kind: String = row.get("kind")?;
    let reason = || Ok::<_, StitchError>(row.get::<Option<String>>("reason")?.unwrap_or_default());
    let state = match row.get::<String>("state")?.as_str() {
        "ready" => State::Ready(Made {
            video: json(row, "video")?.unwrap_or_default(),
            poster: json(row, "poster")?.unwrap_or_default(),
            duration_ms: row.get("duration_ms")?,
        }),
        "failed" => State::Failed { reason: reason()? },
        "canceled" => State::Canceled { reason: reason()? },
        _ => State::Waiting { working: row.get::<i64>("working")? == 1 },
    };
    let digest: Option<String> = row.get("digest")?;
    let attempts: i64 = row.get("attempts")?;
    Ok(Product {
        key: row.get("key")?,
        // The column's CHECK allows nothing else.
        kind: Kind::parse(&kind).unwrap_or(Kind::Cut),
        job_id: row.get("job_id")?,
        wanted: digest.zip(json(row, "input")?),
        state,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        traceparent: row.get("traceparent")?,
    })
}

fn json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<Option<T>, StitchError> {
    let text: Option<String> = row.get(column)?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}
