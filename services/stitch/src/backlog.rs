//! How much is left to make, told to whoever watches.

use std::time::Duration;

use eventlog::{Log, params};
use jiff::Timestamp;
use kit::Clock;
use telemetry::KeyValue;
use telemetry::metrics::{WORK_ACTIVE, WORK_DUE, WORK_OLDEST_AGE, key};
use tokio_util::sync::CancellationToken;

use crate::error::StitchError;
use crate::product::Kind;
use crate::store::LEASES;

const EVERY: Duration = Duration::from_secs(1);

/// What is left to make of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Products that wait for somebody to begin.
    pub due: u64,
    /// Products that somebody is at.
    pub active: u64,
    /// When the first of the waiting became due.
    pub oldest: Option<Timestamp>,
}

/// What is left to make of each kind, by whichever replica; what waits for its next attempt is not due yet.
///
/// # Errors
/// The database failed.
pub async fn backlog(log: &Log, now: Timestamp) -> Result<Vec<(Kind, Backlog)>, StitchError> {
    let held = format!("lease.name IS NOT NULL AND lease.expires_at > {}", log.clock_sql());
    let sql = format!(
        "SELECT kind, count(*) FILTER (WHERE {held}) AS active, \
         count(*) FILTER (WHERE NOT ({held}) AND due_at <= $1) AS due, \
         min(due_at) FILTER (WHERE NOT ({held}) AND due_at <= $1) AS oldest \
         FROM product LEFT JOIN lease ON lease.name = $2 || product.key WHERE state = 'waiting' GROUP BY kind"
    );
    let mut backlogs = Kind::ALL.map(|kind| (kind, Backlog::default())).to_vec();
    for row in &log.query(&sql, params![now, LEASES]).await? {
        let kind = Kind::parse(&row.get::<String>("kind")?);
        let count = |column| row.get::<i64>(column).map(|count| u64::try_from(count).unwrap_or_default());
        let backlog = Backlog { due: count("due")?, active: count("active")?, oldest: row.get("oldest")? };
        if let Some(place) = backlogs.iter_mut().find(|(known, _)| Some(*known) == kind) {
            place.1 = backlog;
        }
    }
    Ok(backlogs)
}

/// Tells it every second, until `cancel`.
pub(crate) async fn tell(log: Log, clock: Clock, cancel: CancellationToken) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let now = clock.now();
        match backlog(&log, now).await {
            Ok(backlogs) => backlogs.into_iter().for_each(|(kind, backlog)| show(kind, backlog, now)),
            // Readiness tells that the database is away; the numbers stay as they were.
            Err(error) => tracing::debug!(%error, "what is left to make cannot be told"),
        }
    }
}

fn show(kind: Kind, backlog: Backlog, now: Timestamp) {
    let of = [KeyValue::new(key::WORK, kind.as_str())];
    WORK_DUE.set_count(backlog.due, &of);
    WORK_ACTIVE.set_count(backlog.active, &of);
    let age = backlog.oldest.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64().max(0.0));
    WORK_OLDEST_AGE.set(age, &of);
}
