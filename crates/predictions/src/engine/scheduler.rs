//! The runner: holds the lease, follows every order that has an attempt, and gives out free slots in turn.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use eventlog::{Lease, LogError, Statement, lease};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{Inner, driver};
use crate::{error::OrderError, fair, store};

const LEASE_NAME: &str = "prediction-runner";
/// Pause after a failure of our own database.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the tables are looked at when nothing wakes us (another process may have placed an order).
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The lease as long as it is held.
pub(super) struct Session {
    lease: Lease,
    /// By the machine's own clock, because that is what the database measures leases with.
    valid_until: Mutex<Instant>,
    /// Ends all work under the lease.
    pub(super) stop: CancellationToken,
}

impl Session {
    /// Fails any write after the lease was taken over.
    pub(super) fn guard(&self) -> Statement {
        self.lease.guard()
    }

    /// Whether the lease certainly lasts that long.
    pub(super) fn outlasts(&self, duration: Duration) -> bool {
        *self.valid_until.lock() >= Instant::now() + duration
    }
}

pub(super) async fn run(engine: Arc<Inner>, cancel: CancellationToken) -> Result<(), OrderError> {
    while !cancel.is_cancelled() {
        match claim(&engine, &cancel).await {
            Ok(Some(session)) => {
                let session = Arc::new(session);
                work(&engine, &session).await;
                if cancel.is_cancelled() {
                    // A courtesy: the next one need not wait.
                    let _ = lease::release(&engine.log, &session.lease).await;
                }
            }
            Ok(None) => pause(&cancel, PAUSE).await,
            Err(error) => {
                tracing::warn!(error = %error, "the runner's lease cannot be claimed; trying again");
                pause(&cancel, PAUSE).await;
            }
        }
    }
    Ok(())
}

async fn pause(cancel: &CancellationToken, duration: Duration) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = tokio::time::sleep(duration) => {}
    }
}

async fn claim(engine: &Inner, cancel: &CancellationToken) -> Result<Option<Session>, LogError> {
    let asked = Instant::now();
    let lease = lease::claim(&engine.log, LEASE_NAME, &engine.owner, engine.policy.lease).await?;
    Ok(lease.map(|lease| Session {
        lease,
        valid_until: Mutex::new(asked + engine.policy.lease),
        stop: cancel.child_token(),
    }))
}

/// Works until the lease is lost or the process stops.
async fn work(engine: &Arc<Inner>, session: &Arc<Session>) {
    // Ends with this future: a lease that nobody works under must not be renewed.
    let renewing = AbortOnDropHandle::new(tokio::spawn(renew(engine.clone(), session.clone())));
    let mut drivers: JoinSet<String> = JoinSet::new();
    let mut driven: HashSet<String> = HashSet::new();
    engine.starting.lock().clear();
    while !session.stop.is_cancelled() {
        let due = match dispatch(engine, session, &mut driven, &mut drivers).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(error = %error, "the orders cannot be read; trying again");
                pause(&session.stop, PAUSE).await;
                continue;
            }
        };
        let look_again = tokio::time::sleep(LOOK_AGAIN);
        tokio::select! {
            () = session.stop.cancelled() => {}
            () = engine.wake.notified() => {}
            () = look_again => {}
            () = wait_until(engine, due) => {}
            Some(done) = drivers.join_next() => {
                match done {
                    Ok(key) => { driven.remove(&key); }
                    // A driver that panicked does not say whose it was: all that are gone are taken up again.
                    Err(_) => driven.retain(|key| engine.pokes.lock().contains_key(key)),
                }
            }
        }
    }
    while drivers.join_next().await.is_some() {}
    let _ = renewing.await;
}

async fn wait_until(engine: &Inner, due: Option<Timestamp>) {
    match due {
        Some(due) => engine.clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

async fn renew(engine: Arc<Inner>, session: Arc<Session>) {
    let mut ticks = tokio::time::interval(engine.policy.lease / 4);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = session.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let asked = Instant::now();
        match lease::renew(&engine.log, &session.lease, engine.policy.lease).await {
            Ok(true) => *session.valid_until.lock() = asked + engine.policy.lease,
            Ok(false) => {
                tracing::warn!("another process took the runner's lease over");
                session.stop.cancel();
            }
            Err(error) => tracing::warn!(error = %error, "the runner's lease cannot be renewed"),
        }
    }
}

/// Starts a driver for everything that has something to do now; the next moment at which that may change.
async fn dispatch(
    engine: &Arc<Inner>,
    session: &Arc<Session>,
    driven: &mut HashSet<String>,
    drivers: &mut JoinSet<String>,
) -> Result<Option<Timestamp>, LogError> {
    for key in store::active(&engine.log).await? {
        if driven.insert(key.clone()) {
            drivers.spawn(driver::drive(engine.clone(), session.clone(), key, false));
        }
    }
    let now = engine.clock.now();
    let mut due = None;
    let mut ready = Vec::new();
    for (order, not_before) in store::waiting(&engine.log).await? {
        if driven.contains(&order.key) {
            continue;
        }
        if not_before > now {
            due = earlier(due, not_before);
        } else {
            ready.push(order);
        }
    }
    if ready.is_empty() {
        return Ok(due);
    }
    if let Some(until) = engine.pace.throttled_until() {
        return Ok(earlier(due, until));
    }
    let campaigns: HashMap<String, String> =
        ready.iter().map(|order| (order.key.clone(), order.campaign_id.clone())).collect();
    for key in choose(engine, ready, now).await? {
        let campaign = campaigns.get(&key).cloned().unwrap_or_default();
        engine.starting.lock().insert(key.clone(), campaign);
        driven.insert(key.clone());
        drivers.spawn(driver::drive(engine.clone(), session.clone(), key, true));
    }
    Ok(due)
}

async fn choose(engine: &Inner, ready: Vec<fair::Waiting>, now: Timestamp) -> Result<Vec<String>, LogError> {
    // Those that are starting are read first: one whose intent is recorded in between counts twice, never not.
    let starting = engine.starting.lock().clone();
    let mut taken: HashSet<String> = store::occupied(&engine.log).await?.into_iter().collect();
    taken.extend(starting.keys().cloned());
    let free = (engine.account.max_in_flight as usize).saturating_sub(taken.len());
    if free == 0 {
        return Ok(Vec::new());
    }
    let campaigns: HashSet<&str> = ready.iter().map(|order| order.campaign_id.as_str()).collect();
    let mut served = store::served(&engine.log, campaigns.into_iter()).await?;
    served.extend(starting.into_values().map(|campaign| (campaign, now)));
    Ok(fair::pick(ready, &served, free))
}

fn earlier(a: Option<Timestamp>, b: Timestamp) -> Option<Timestamp> {
    Some(a.map_or(b, |a| a.min(b)))
}
