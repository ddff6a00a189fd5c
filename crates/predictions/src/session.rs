//! Work that one process of several does at a time: under a lease that is claimed, renewed while the work lasts,
//! and handed over when it ends.
//!
//! A process that dies is succeeded when its lease runs out; one that stops gives the lease back, and the next one
//! notices within a second. One that was paused finds on waking that its writes are refused (they carry
//! [`Session::guard`]) and that its lease does not outlast a call any more ([`Session::outlasts`]).

use std::{future::Future, sync::Arc, time::Duration};

use eventlog::{Lease, Log, LogError, Statement, lease};
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Pause before a lease that another holds, or that could not be asked for, is asked for again.
const CLAIM_AGAIN: Duration = Duration::from_secs(1);

/// What is leased, and by whom.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The database that the work is about.
    pub log: Log,
    /// Name of the work, such as `prediction-runner`.
    pub name: &'static str,
    /// Name of this process among those on the database.
    pub owner: String,
    /// How long the lease lasts without being renewed.
    pub ttl: Duration,
}

/// The lease as long as it is held.
#[derive(Debug)]
pub struct Session {
    lease: Lease,
    /// By the machine's own clock, because that is what the database measures leases with; it goes on while the
    /// process is paused.
    valid_until: Mutex<Instant>,
    /// Ends all work under the lease: it is lost, or the process stops.
    pub stop: CancellationToken,
}

impl Session {
    /// Fails any write after the lease was taken over.
    #[must_use]
    pub fn guard(&self) -> Statement {
        self.lease.guard()
    }

    /// Whether the lease certainly lasts that long, in the machine's time.
    #[must_use]
    pub fn outlasts(&self, duration: Duration) -> bool {
        !self.stop.is_cancelled() && *self.valid_until.lock() >= Instant::now() + duration
    }

    /// What `work` brings; none when the session ends first, and `work` with it.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            done = work => Some(done),
        }
    }
}

impl Terms {
    /// Does `work` whenever the lease can be had, until `cancel`. `work` has to end on [`Session::stop`]; when it
    /// ends, the lease is given back.
    pub async fn lead<W, F>(&self, cancel: &CancellationToken, work: W)
    where
        W: Fn(Arc<Session>) -> F,
        F: Future<Output = ()>,
    {
        while !cancel.is_cancelled() {
            match self.claim(cancel).await {
                Ok(Some(session)) => {
                    let session = Arc::new(session);
                    // Ends with this future: a lease that nobody works under must not be renewed.
                    let renewing = tokio::spawn(renew(self.clone(), session.clone()));
                    let renewing = AbortOnDropHandle::new(renewing);
                    work(session.clone()).await;
                    drop(renewing);
                    session.stop.cancel();
                    // A courtesy: the next one need not wait. One that was lost is not ours to give.
                    if let Err(error) = lease::release(&self.log, &session.lease).await {
                        tracing::warn!(lease = self.name, %error, "a lease cannot be given back; it will run out");
                    }
                }
                Ok(None) => pause(cancel).await,
                Err(error) => {
                    tracing::warn!(lease = self.name, %error, "a lease cannot be claimed; trying again");
                    pause(cancel).await;
                }
            }
        }
    }

    async fn claim(&self, cancel: &CancellationToken) -> Result<Option<Session>, LogError> {
        let asked = Instant::now();
        let lease = lease::claim(&self.log, self.name, &self.owner, self.ttl).await?;
        Ok(lease.map(|lease| {
            tracing::info!(lease = self.name, owner = self.owner, fence = lease.fence, "claimed");
            Session { lease, valid_until: Mutex::new(asked + self.ttl), stop: cancel.child_token() }
        }))
    }
}

async fn pause(cancel: &CancellationToken) {
    tokio::select! {
        biased;
        () = cancel.cancelled() => {}
        () = tokio::time::sleep(CLAIM_AGAIN) => {}
    }
}

async fn renew(terms: Terms, session: Arc<Session>) {
    let mut ticks = tokio::time::interval(terms.ttl / 4);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = session.stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let asked = Instant::now();
        match lease::renew(&terms.log, &session.lease, terms.ttl).await {
            Ok(true) => *session.valid_until.lock() = asked + terms.ttl,
            Ok(false) => {
                tracing::warn!(lease = terms.name, owner = terms.owner, "another process took a lease over");
                session.stop.cancel();
            }
            Err(error) => tracing::warn!(lease = terms.name, %error, "a lease cannot be renewed"),
        }
    }
}
