//! Looks while a process runs whether what it depends on is there, and tells its readiness.
//!
//! Without its database a process can answer nothing: it is not ready, and its callers are told. Without NATS it
//! answers everything, because what it publishes waits in its log; and since all replicas share one NATS, turning all
//! of them off would make a smaller outage a larger one. So NATS is reported, under a name of its own, and the process
//! stays ready. It does not *start* without either.

use std::{sync::Arc, time::Duration};

use bus::NatsBus;
use eventlog::Log;
use kit::{Dependency, Readiness};
use tokio_util::sync::CancellationToken;

/// The names that health tells of them under.
pub(crate) const NAMES: [&str; 2] = [DATABASE, NATS];
const DATABASE: &str = "database";
const NATS: &str = "nats";

/// How often each is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A database that is only slow is not away: as many answers must be missing in a row.
const MISSING: u32 = 2;

/// Looks until canceled.
pub(crate) async fn watch(log: Log, bus: Arc<NatsBus>, readiness: Readiness, cancel: CancellationToken) {
    let watching = async { tokio::join!(database(&log, &readiness), nats(&bus, &readiness)) };
    tokio::select! {
        () = cancel.cancelled() => {}
        _ = watching => {}
    }
}

async fn database(log: &Log, readiness: &Readiness) {
    let mut missing = 0;
    loop {
        let wrong = match tokio::time::timeout(PATIENCE, log.head()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(format!("{:#}", anyhow::Error::from(error))),
            Err(_) => {
                missing += 1;
                Some(format!("no answer within {} s", PATIENCE.as_secs()))
            }
        };
        let slow = (1..MISSING).contains(&missing) && wrong.is_some();
        if wrong.is_none() {
            missing = 0;
        }
        if !slow {
            tell(readiness, DATABASE, true, wrong.as_deref());
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn nats(bus: &NatsBus, readiness: &Readiness) {
    loop {
        let wrong = (!bus.is_connected())
            .then(|| bus.last_error().unwrap_or_else(|| "the connection was lost".to_owned()));
        tell(readiness, NATS, false, wrong.as_deref());
        tokio::time::sleep(EVERY).await;
    }
}

/// `wrong`: why it is away, when it is.
fn tell(readiness: &Readiness, name: &'static str, needed: bool, wrong: Option<&str>) {
    if !readiness.tell(name, Dependency { there: wrong.is_none(), needed }) {
        return;
    }
    match wrong {
        Some(error) if needed => {
            tracing::error!(dependency = name, error, "is away: not ready until it is back")
        }
        Some(error) => tracing::error!(dependency = name, error, "is away: what needs it waits"),
        None => tracing::info!(dependency = name, "is there"),
    }
}
