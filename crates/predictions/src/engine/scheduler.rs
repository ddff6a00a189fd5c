//! The runner: under the lease, follows every order that has an attempt, and gives out free slots in turn.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use eventlog::LogError;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Inner, driver, drivers::Drivers};
use crate::{
    fair,
    session::{Session, Terms},
    store,
};

const LEASE_NAME: &str = "prediction-runner";
/// Pause after a failure of our own database.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the tables are looked at when nothing wakes us (another process may have placed an order).
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long writes are gathered before the tables are looked at for what other processes wrote.
const GATHER: Duration = Duration::from_millis(200);

pub(super) async fn run(engine: Arc<Inner>, cancel: CancellationToken) {
    let terms = Terms {
        log: engine.log.clone(),
        name: LEASE_NAME,
        owner: engine.owner.clone(),
        ttl: engine.policy.lease,
    };
    terms.lead(&cancel, |session| work(engine.clone(), session)).await;
}

/// Works until the lease is lost or the process stops.
async fn work(engine: Arc<Inner>, session: Arc<Session>) {
    let mut drivers = Drivers::default();
    let mut appended = engine.log.appended();
    // What earlier sessions had under way has ended with them; slots are counted in the database.
    engine.starting.lock().clear();
    keep_pace(&engine, &session).await;
    while !session.stop.is_cancelled() {
        let due = match dispatch(&engine, &session, &mut drivers).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(error = %error, "the orders cannot be read; trying again");
                session.unless_stopped(tokio::time::sleep(PAUSE)).await;
                continue;
            }
        };
        tokio::select! {
            biased;
            () = session.stop.cancelled() => {}
            () = engine.wake.notified() => {}
            () = written(&mut appended) => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = wait_until(&engine, due) => {}
            () = drivers.ended(&session.stop) => {}
        }
    }
    drivers.all_ended().await;
}

/// Goes on at the pace of the process before this one; nothing is started until that is known.
async fn keep_pace(engine: &Inner, session: &Session) {
    while !session.stop.is_cancelled() {
        match store::pace(&engine.log).await {
            Ok(pace) => {
                pace.last_start.into_iter().for_each(|at| engine.pace.follow(at));
                pace.resume_at.into_iter().for_each(|at| engine.pace.throttle(at));
                return;
            }
            Err(error) => {
                tracing::warn!(error = %error, "the pace cannot be read; trying again");
                session.unless_stopped(tokio::time::sleep(PAUSE)).await;
            }
        }
    }
}

/// Something was written, by this process or another; many writes are one.
async fn written(appended: &mut watch::Receiver<i64>) {
    if appended.changed().await.is_err() {
        return std::future::pending().await;
    }
    tokio::time::sleep(GATHER).await;
}

async fn wait_until(engine: &Inner, due: Option<Timestamp>) {
    match due {
        Some(due) => engine.clock.sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Starts a driver for everything that has something to do now; the next moment at which that may change.
async fn dispatch(
    engine: &Arc<Inner>,
    session: &Arc<Session>,
    drivers: &mut Drivers,
) -> Result<Option<Timestamp>, LogError> {
    for (key, revision) in store::active(&engine.log).await? {
        if !drivers.has(&key) {
            drivers.spawn(key.clone(), driver::drive(engine.clone(), session.clone(), key, false));
        } else if let Some(waker) = engine.wakers.lock().get(&key)
            && waker.seen.load(Ordering::Relaxed) < revision
        {
            // Somebody else wrote: a cancel or a webhook that reached another process.
            waker.notify.notify_one();
        }
    }
    for key in store::take_nudges(&engine.log).await? {
        engine.poke_driver(&key);
    }
    let now = engine.clock.now();
    let mut due = None;
    let mut ready = Vec::new();
    for (order, not_before) in store::waiting(&engine.log).await? {
        if drivers.has(&order.key) {
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
        drivers.spawn(key.clone(), driver::drive(engine.clone(), session.clone(), key, true));
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
