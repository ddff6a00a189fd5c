//! Orders in the owning service's log and tables.

use std::collections::HashMap;

use eventlog::{Append, AppendError, Expected, Log, LogError, Meta, NewEvent, Row, Statement, params};
use jiff::Timestamp;
use kit::work::Work;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{buyer::Buyer, error::OrderError, fact::Fact, fair::Waiting, state::OrderState};

/// An order as the table holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) state: OrderState,
    /// Version of its stream; 0 when the key is new.
    pub(crate) revision: i64,
    /// Where it comes from.
    pub(crate) request: Request,
}

/// The request that an order comes from; its later facts belong to the same story.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) correlation_id: String,
    pub(crate) traceparent: Option<String>,
}

/// Why a write did not happen.
#[derive(Debug)]
pub(crate) enum NotRecorded {
    /// Somebody else wrote first, or the lease is lost, or no slot is free: look again.
    Raced,
    /// It will not work.
    Failed(OrderError),
}

impl From<OrderError> for NotRecorded {
    fn from(error: OrderError) -> Self {
        Self::Failed(error)
    }
}

/// Everything that one write of facts needs besides them.
pub(crate) struct Write<'a> {
    pub(crate) key: &'a str,
    pub(crate) meta: Meta,
    pub(crate) at: Timestamp,
    /// The runner's lease, for what only the runner writes.
    pub(crate) guard: Option<Statement>,
    /// Slots of the account.
    pub(crate) max_in_flight: u32,
}

pub(crate) async fn load(log: &Log, key: &str) -> Result<Stored, OrderError> {
    let rows = log
        .query("SELECT revision, request, state FROM prediction_order WHERE key = $1", params![key])
        .await?;
    let Some(row) = rows.first() else { return Ok(Stored::default()) };
    let text: String = row.get("state")?;
    let unreadable = |source| OrderError::Stored { key: key.to_owned(), source };
    let state = serde_json::from_str(&text).map_err(unreadable)?;
    let request = serde_json::from_str(&row.get::<String>("request")?).map_err(unreadable)?;
    Ok(Stored { state, revision: row.get("revision")?, request })
}

/// Appends `facts` and everything that follows from them, or nothing.
pub(crate) async fn record(
    log: &Log,
    buyer: &dyn Buyer,
    stored: &Stored,
    facts: &[Fact],
    write: Write<'_>,
) -> Result<Stored, NotRecorded> {
    let mut state = stored.state.clone();
    let mut events = Vec::new();
    let mut rows = Vec::new();
    let mut extra = Vec::new();
    for fact in facts {
        state = state.after(fact, write.at);
        events.push(event(fact, &write)?);
        let also = buyer.also(&state, fact, write.at).map_err(OrderError::Buyer)?;
        events.extend(also.events);
        extra.extend(also.statements);
        rows.extend(attempt_row(fact, &write, &state));
    }
    let revision = stored.revision + i64::try_from(events.len()).unwrap_or(i64::MAX);
    let expected = if stored.revision == 0 { Expected::NoStream } else { Expected::Version(stored.revision) };
    let request = if stored.revision == 0 {
        Request {
            correlation_id: write.meta.correlation_id.clone(),
            traceparent: write.meta.traceparent.clone(),
        }
    } else {
        stored.request.clone()
    };
    let order = order_row(write.key, &state, stored.revision, revision, &request)?;
    let append = Append::to(buyer.stream(write.key))
        .expecting(expected)
        .events(events)
        .statements(write.guard)
        .statement(order)
        .statements(rows)
        .statements(extra);
    match log.append(append).await {
        Ok(_) => Ok(Stored { state, revision, request }),
        Err(AppendError::Conflict { .. } | AppendError::Constraint(_)) => Err(NotRecorded::Raced),
        Err(AppendError::Log(error)) => Err(OrderError::Log(error).into()),
        Err(error) => Err(OrderError::Append(error).into()),
    }
}

fn event(fact: &Fact, write: &Write<'_>) -> Result<NewEvent, OrderError> {
    let unreadable = |source| OrderError::Stored { key: write.key.to_owned(), source };
    let mut whole = serde_json::to_value(fact).map_err(unreadable)?;
    let data = whole.get_mut("data").map(serde_json::Value::take).unwrap_or_default();
    Ok(NewEvent::new(Uuid::now_v7(), fact.kind(), data, write.at).meta(write.meta.clone()))
}

fn order_row(
    key: &str,
    state: &OrderState,
    before: i64,
    revision: i64,
    request: &Request,
) -> Result<Statement, OrderError> {
    let unreadable = |source| OrderError::Stored { key: key.to_owned(), source };
    let text = serde_json::to_string(state).map_err(unreadable)?;
    let request = serde_json::to_string(request).map_err(unreadable)?;
    let (digest, campaign) =
        state.order.as_ref().map_or(("", ""), |order| (order.digest.as_str(), order.campaign_id.as_str()));
    let placed_at = state.placed_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let not_before = state.not_before().unwrap_or(Timestamp::UNIX_EPOCH);
    let phase = state.phase().word();
    let statement = if before == 0 {
        Statement::new(
            "INSERT INTO prediction_order (key, digest, campaign_id, phase, not_before, placed_at, revision, request, state) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            params![key, digest, campaign, phase, not_before, placed_at, revision, request, text],
        )
    } else {
        Statement::new(
            "UPDATE prediction_order SET phase = $2, not_before = $3, revision = $4, state = $5 \
             WHERE key = $1 AND revision = $6",
            params![key, phase, not_before, revision, text, before],
        )
    };
    Ok(statement.affecting(1))
}

fn attempt_row(fact: &Fact, write: &Write<'_>, state: &OrderState) -> Option<Statement> {
    let campaign = state.order.as_ref().map_or("", |order| order.campaign_id.as_str());
    match fact {
        // The database itself does not give out more slots than there are, whoever asks.
        Fact::AttemptIntended { attempt, .. } => Some(
            Statement::new(
                "INSERT INTO prediction_attempt (id, order_key, campaign_id, intended_at) \
                 SELECT $1, $2, $3, $4 \
                 WHERE (SELECT COUNT(*) FROM prediction_attempt WHERE over_at IS NULL) < $5",
                params![attempt, write.key, campaign, write.at, write.max_in_flight],
            )
            .affecting(1),
        ),
        Fact::AttemptAccepted { attempt, prediction_id, .. } => Some(
            Statement::new(
                "UPDATE prediction_attempt SET prediction_id = $2 WHERE id = $1",
                params![attempt, prediction_id],
            )
            .affecting(1),
        ),
        Fact::AttemptLost { attempt, .. } | Fact::AttemptEnded { attempt, .. } => Some(Statement::new(
            "UPDATE prediction_attempt SET over_at = $2 WHERE id = $1 AND over_at IS NULL",
            params![attempt, write.at],
        )),
        _ => None,
    }
}

/// The order that an attempt belongs to.
pub(crate) async fn order_of(log: &Log, attempt: &str) -> Result<Option<String>, LogError> {
    let rows = log.query("SELECT order_key FROM prediction_attempt WHERE id = $1", params![attempt]).await?;
    rows.first().map(|row| row.get("order_key")).transpose()
}

/// Orders that have something to be followed or concluded, each with its revision.
pub(crate) async fn active(log: &Log) -> Result<Vec<(String, i64)>, LogError> {
    let sql = "SELECT key, revision FROM prediction_order WHERE phase = 'active' ORDER BY placed_at";
    log.query(sql, params![]).await?.iter().map(|row| Ok((row.get("key")?, row.get("revision")?))).collect()
}

/// Orders that want a slot, with the time before which they do not.
pub(crate) async fn waiting(log: &Log) -> Result<Vec<(Waiting, Timestamp)>, LogError> {
    let sql = "SELECT key, campaign_id, placed_at, not_before FROM prediction_order WHERE phase = 'waiting'";
    log.query(sql, params![]).await?.iter().map(waiting_row).collect()
}

fn waiting_row(row: &Row) -> Result<(Waiting, Timestamp), LogError> {
    let waiting = Waiting {
        key: row.get("key")?,
        campaign_id: row.get("campaign_id")?,
        placed_at: row.get("placed_at")?,
    };
    Ok((waiting, row.get("not_before")?))
}

/// Keys of the orders whose attempt occupies a slot.
pub(crate) async fn occupied(log: &Log) -> Result<Vec<String>, LogError> {
    let sql = "SELECT order_key FROM prediction_attempt WHERE over_at IS NULL";
    log.query(sql, params![]).await?.iter().map(|row| row.get("order_key")).collect()
}

/// How many orders want a slot now, and how many have something to be followed or concluded.
pub(crate) async fn work(log: &Log, now: Timestamp) -> Result<Work, LogError> {
    let sql = "SELECT phase, COUNT(*) AS orders, \
               MIN(CASE WHEN not_before > placed_at THEN not_before ELSE placed_at END) AS since \
               FROM prediction_order WHERE phase IN ('waiting', 'active') AND (phase = 'active' OR not_before <= $1) \
               GROUP BY phase";
    let (mut due, mut active, mut since) = (0, 0, None);
    for row in log.query(sql, params![now]).await? {
        if row.get::<String>("phase")? == "active" {
            active = row.get("orders")?;
        } else {
            (due, since) = (row.get("orders")?, row.get("since")?);
        }
    }
    Ok(Work::since(due, active, since, now))
}

/// How many attempts occupy a slot.
pub(crate) async fn slots_used(log: &Log) -> Result<u64, LogError> {
    let sql = "SELECT COUNT(*) AS used FROM prediction_attempt WHERE over_at IS NULL";
    log.query(sql, params![]).await?.first().map_or(Ok(0), |row| row.get("used"))
}

/// When each of these campaigns was last given a slot.
pub(crate) async fn served<'a>(
    log: &Log,
    campaigns: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, Timestamp>, LogError> {
    let mut served = HashMap::new();
    for campaign in campaigns {
        let sql = "SELECT intended_at FROM prediction_attempt WHERE campaign_id = $1 \
                   ORDER BY intended_at DESC LIMIT 1";
        if let Some(row) = log.query(sql, params![campaign]).await?.first() {
            served.insert(campaign.to_owned(), row.get("intended_at")?);
        }
    }
    Ok(served)
}

/// How far the account is, whoever started attempts so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// The newest intent.
    pub(crate) last_start: Option<Timestamp>,
    /// Until when the provider asked us to wait.
    pub(crate) resume_at: Option<Timestamp>,
}

/// Reads the pace of the account.
pub(crate) async fn pace(log: &Log) -> Result<Pace, LogError> {
    let sql = "SELECT MAX(intended_at) AS last_start FROM prediction_attempt";
    let last_start = match log.query(sql, params![]).await?.first() {
        Some(row) => row.get("last_start")?,
        None => None,
    };
    let sql = "SELECT resume_at FROM prediction_pace WHERE name = 'account'";
    let resume_at = log.query(sql, params![]).await?.first().map(|row| row.get("resume_at")).transpose()?;
    Ok(Pace { last_start, resume_at })
}

/// Remembers until when the provider asked the account to wait; a longer wait stays.
pub(crate) async fn keep_throttle(log: &Log, until: Timestamp) -> Result<(), LogError> {
    let sql = "INSERT INTO prediction_pace (name, resume_at) VALUES ('account', $1) \
               ON CONFLICT (name) DO UPDATE SET resume_at = excluded.resume_at \
               WHERE prediction_pace.resume_at < excluded.resume_at";
    log.execute(vec![Statement::new(sql, params![until])]).await.map(drop)
}

/// Tells whoever works on an order that there is news of it at the provider.
pub(crate) async fn nudge(log: &Log, key: &str) -> Result<(), LogError> {
    let sql = "INSERT INTO prediction_nudge (order_key) VALUES ($1) ON CONFLICT (order_key) DO NOTHING";
    log.execute(vec![Statement::new(sql, params![key])]).await.map(drop)
}

/// The orders that others told us to look at, told once.
pub(crate) async fn take_nudges(log: &Log) -> Result<Vec<String>, LogError> {
    let rows = log.query("SELECT order_key FROM prediction_nudge", params![]).await?;
    let keys = rows.iter().map(|row| row.get("order_key")).collect::<Result<Vec<String>, _>>()?;
    if keys.is_empty() {
        return Ok(keys);
    }
    let taken = |key: &String| {
        Statement::new("DELETE FROM prediction_nudge WHERE order_key = $1", params![key.as_str()])
    };
    log.execute(keys.iter().map(taken).collect()).await?;
    Ok(keys)
}
