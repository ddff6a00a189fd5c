//! Predictions: accepted, started, ended. Each step is one conditional statement, so that none happens twice.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::{LedgerDb, Result};
use crate::clock::rfc3339;
use crate::faults::Fate;
use crate::report::{InFlight, LedgerEntry};

/// What is known when a prediction is accepted.
pub(crate) struct NewPrediction {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) model: String,
    pub(crate) version: String,
    pub(crate) input: Value,
    pub(crate) prompt: String,
    pub(crate) price_usd: f64,
    pub(crate) webhook: Option<String>,
    pub(crate) webhook_events: Vec<String>,
    pub(crate) fate: Fate,
    pub(crate) accepted_at: i64,
    pub(crate) visible_at: i64,
}

/// One prediction as stored.
#[derive(Debug, Clone)]
pub(crate) struct Prediction {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) model: String,
    pub(crate) version: String,
    pub(crate) input: Value,
    pub(crate) prompt: String,
    pub(crate) price_usd: f64,
    pub(crate) webhook: Option<String>,
    pub(crate) webhook_events: Vec<String>,
    pub(crate) fate: Fate,
    pub(crate) status: String,
    pub(crate) error: Option<String>,
    /// The name of the medium in the media store.
    pub(crate) output: Option<String>,
    pub(crate) accepted_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) completed_at: Option<i64>,
    pub(crate) released: bool,
    pub(crate) charged: bool,
    pub(crate) answer_dropped: bool,
}

/// How a prediction ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    pub(crate) status: String,
    pub(crate) error: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) charged: bool,
}

/// One page of the list, newest first.
pub(crate) struct Page {
    pub(crate) results: Vec<Prediction>,
    /// The `seq` to go on below, when there is more.
    pub(crate) more_below: Option<i64>,
}

const COLUMNS: &str = "seq, id, kind, model, version, input, prompt, price_usd, webhook, webhook_events, fate, \
                       status, error, output, accepted_at, started_at, completed_at, released, charged, answer_dropped";

impl LedgerDb {
    /// Stores an accepted prediction and moves the high-water mark.
    pub(crate) fn accept(&self, new: &NewPrediction) -> Result<()> {
        let mut conn = self.conn.lock();
        let tx = conn.transaction()?;
        tx.prepare_cached(
            "INSERT INTO prediction (id, kind, model, version, input, prompt, price_usd, webhook, webhook_events, fate,
               status, accepted_at, visible_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'starting', ?11, ?12)",
        )?
        .execute(params![
            new.id,
            new.kind,
            new.model,
            new.version,
            new.input.to_string(),
            new.prompt,
            new.price_usd,
            new.webhook,
            new.webhook_events.join(","),
            serde_json::to_string(&new.fate).unwrap_or_default(),
            new.accepted_at,
            new.visible_at,
        ])?;
        tx.prepare_cached(
            "INSERT INTO high_water (kind, count)
             SELECT ?1, count(*) FROM prediction WHERE kind = ?1 AND completed_at IS NULL
             ON CONFLICT (kind) DO UPDATE SET count = max(count, excluded.count)",
        )?
        .execute([new.kind])?;
        tx.commit()
    }

    /// `starting` → `processing`. False when it was not `starting` any more.
    pub(crate) fn begin(&self, id: &str, now: i64) -> Result<bool> {
        self.change(
            "UPDATE prediction SET status = 'processing', started_at = ?2
             WHERE id = ?1 AND status = 'starting' AND completed_at IS NULL",
            params![id, now],
        )
    }

    /// Ends it. False when it was over already.
    pub(crate) fn finish(&self, id: &str, end: &Ending, now: i64) -> Result<bool> {
        self.change(
            "UPDATE prediction SET status = ?2, error = ?3, output = ?4, charged = ?5, completed_at = ?6
             WHERE id = ?1 AND completed_at IS NULL",
            params![id, end.status, end.error, end.output, end.charged, now],
        )
    }

    /// Ends it as `canceled`, charged when it had started. False when it was over already.
    pub(crate) fn cancel(&self, id: &str, now: i64) -> Result<bool> {
        self.change(
            "UPDATE prediction SET status = 'canceled', charged = (started_at IS NOT NULL), completed_at = ?2
             WHERE id = ?1 AND completed_at IS NULL",
            params![id, now],
        )
    }

    pub(crate) fn mark_answer_dropped(&self, id: &str) -> Result<bool> {
        self.change("UPDATE prediction SET answer_dropped = 1 WHERE id = ?1", params![id])
    }

    /// Lets all unfinished held predictions go.
    pub(crate) fn release_held(&self) -> Result<usize> {
        self.conn.lock().execute(
            "UPDATE prediction SET released = 1
             WHERE completed_at IS NULL AND released = 0 AND fate ->> '$.hold' IS NOT NULL",
            [],
        )
    }

    pub(crate) fn prediction(&self, id: &str) -> Result<Option<Prediction>> {
        self.conn
            .lock()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM prediction WHERE id = ?1"))?
            .query_row([id], read)
            .optional()
    }

    /// The ids of all that are not over, oldest first.
    pub(crate) fn unfinished(&self) -> Result<Vec<String>> {
        let conn = self.conn.lock();
        let mut query = conn.prepare("SELECT id FROM prediction WHERE completed_at IS NULL ORDER BY seq")?;
        query.query_map([], |row| row.get(0))?.collect()
    }

    /// The names of media that predictions completed before `before` hold.
    pub(crate) fn outputs_before(&self, before: i64) -> Result<Vec<String>> {
        let conn = self.conn.lock();
        let mut query = conn.prepare(
            "SELECT DISTINCT output FROM prediction WHERE output IS NOT NULL AND completed_at < ?1
             AND output NOT IN (SELECT output FROM prediction WHERE output IS NOT NULL AND completed_at >= ?1)",
        )?;
        query.query_map([before], |row| row.get(0))?.collect()
    }

    /// Up to `size` predictions that are visible at `now`, newest first, below `below`, accepted within the bounds.
    pub(crate) fn page(&self, below: i64, now: i64, bounds: (i64, i64), size: usize) -> Result<Page> {
        let conn = self.conn.lock();
        let mut query = conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM prediction
             WHERE seq < ?1 AND visible_at <= ?2 AND accepted_at > ?3 AND accepted_at < ?4
               AND model NOT LIKE 'elevenlabs/%'
             ORDER BY seq DESC LIMIT ?5"
        ))?;
        let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
        let rows = query.query_map(params![below, now, bounds.0, bounds.1, limit], read)?;
        let mut results = rows.collect::<Result<Vec<_>>>()?;
        let more = results.len() > size;
        results.truncate(size);
        let more_below = results.last().filter(|_| more).map(|last| last.seq);
        Ok(Page { results, more_below })
    }

    /// Everything for the control plane, except the deliveries.
    pub(crate) fn report(&self) -> Result<(Vec<LedgerEntry>, InFlight, BTreeMap<String, u64>)> {
        let conn = self.conn.lock();
        let mut query = conn.prepare(&format!("SELECT {COLUMNS} FROM prediction ORDER BY seq"))?;
        let entries = query.query_map([], read)?.map(|row| row.map(entry)).collect::<Result<Vec<_>>>()?;
        let mut query = conn.prepare("SELECT kind, count FROM high_water")?;
        let marks = query.query_map([], pair)?.collect::<Result<BTreeMap<_, _>>>()?;
        let mut query = conn.prepare("SELECT route, count FROM request")?;
        let requests = query.query_map([], pair)?.collect::<Result<_>>()?;
        let mark = |kind| marks.get(kind).copied().unwrap_or(0);
        Ok((entries, InFlight { video: mark("video"), music: mark("music") }, requests))
    }

    fn change(&self, sql: &str, values: impl rusqlite::Params) -> Result<bool> {
        Ok(self.conn.lock().prepare_cached(sql)?.execute(values)? > 0)
    }
}

fn pair(row: &Row<'_>) -> Result<(String, u64)> {
    let count: i64 = row.get(1)?;
    Ok((row.get(0)?, count.unsigned_abs()))
}

fn read(row: &Row<'_>) -> Result<Prediction> {
    let input: String = row.get("input")?;
    let fate: String = row.get("fate")?;
    let events: String = row.get("webhook_events")?;
    Ok(Prediction {
        seq: row.get("seq")?,
        id: row.get("id")?,
        kind: row.get("kind")?,
        model: row.get("model")?,
        version: row.get("version")?,
        input: serde_json::from_str(&input).unwrap_or_default(),
        prompt: row.get("prompt")?,
        price_usd: row.get("price_usd")?,
        webhook: row.get("webhook")?,
        webhook_events: events.split(',').filter(|e| !e.is_empty()).map(str::to_owned).collect(),
        fate: serde_json::from_str(&fate).unwrap_or_default(),
        status: row.get("status")?,
        error: row.get("error")?,
        output: row.get("output")?,
        accepted_at: row.get("accepted_at")?,
        started_at: row.get("started_at")?,
        completed_at: row.get("completed_at")?,
        released: row.get("released")?,
        charged: row.get("charged")?,
        answer_dropped: row.get("answer_dropped")?,
    })
}

fn entry(row: Prediction) -> LedgerEntry {
    LedgerEntry {
        canceled: row.status == "canceled",
        cost_usd: if row.charged { row.price_usd } else { 0.0 },
        accepted_at: rfc3339(row.accepted_at),
        started_at: row.started_at.map(rfc3339),
        completed_at: row.completed_at.map(rfc3339),
        id: row.id,
        kind: row.kind,
        model: row.model,
        status: row.status,
        prompt: row.prompt,
        input: row.input,
        charged: row.charged,
        answer_dropped: row.answer_dropped,
        error: row.error,
    }
}
