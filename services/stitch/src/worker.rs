//! Makes what is wanted: claims each due product by a lease, makes it, records how it ended.
//!
//! What a crash left is simply still due. Two workers cannot both record an end: each write is refused unless
//! its lease is the latest claim and the product is still waiting.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use eventlog::{Lease, Log, lease};
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use kit::Clock;
use parking_lot::Mutex;
use telemetry::{Subject, trace::span};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::StitchError;
use crate::events::{Event, Of};
use crate::make::{Maker, NotMade};
use crate::product::{Input, Made, Product, State};
use crate::settings::Settings;
use crate::store;

/// How long the tables are left alone when nothing wakes us: other processes do not.
const POLL: Duration = Duration::from_secs(1);

/// Makes products.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) log: Log,
    pub(crate) maker: Maker,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    /// Keys that this process is at: an owner may claim its own lease again, so the lease alone would not keep
    /// two of its tasks apart.
    pub(crate) busy: Mutex<HashSet<String>>,
}

impl Worker {
    /// Works until `cancel`; what is under way then is stopped, and due again for the next start.
    pub(crate) async fn run(self: Arc<Self>, cancel: CancellationToken) -> Result<(), StitchError> {
        let mut appended = self.log.appended();
        let mut tasks = JoinSet::new();
        while !cancel.is_cancelled() {
            appended.borrow_and_update();
            let next = match self.start_due(&mut tasks, &cancel).await {
                Ok(next) => next,
                Err(error) => {
                    let error = format!("{:#}", anyhow::Error::new(error));
                    tracing::error!(error, "the products that are due cannot be read; trying again");
                    None
                }
            };
            let due = async {
                match next {
                    Some(next) => self.clock.sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                changed = appended.changed() => if changed.is_err() { break },
                Some(_) = tasks.join_next() => {}
                () = due => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    /// Starts what is due, as far as there is room; tells when the next one is.
    async fn start_due(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        cancel: &CancellationToken,
    ) -> Result<Option<Timestamp>, StitchError> {
        let now = self.clock.now();
        for product in store::due(&self.log, &self.settings.owner, now).await? {
            if tasks.len() >= self.settings.at_once.max(1) {
                break;
            }
            if let Some(place) = Place::take(self, &product.key) {
                tasks.spawn(place.work(product.traceparent, cancel.clone()));
            }
        }
        store::next_due(&self.log, now).await
    }

    async fn carry_out(&self, key: &str, cancel: &CancellationToken) -> Result<(), StitchError> {
        let (name, ttl) = (store::lease_of(key), self.settings.lease);
        // Who was faster has it now; what is due is looked for again.
        let Some(lease) = lease::claim(&self.log, &name, &self.settings.owner, ttl).await? else {
            return Ok(());
        };
        let carried = self.carry_out_under(key, &lease, cancel).await;
        lease::release(&self.log, &lease).await?;
        carried
    }

    async fn carry_out_under(
        &self,
        key: &str,
        lease: &Lease,
        cancel: &CancellationToken,
    ) -> Result<(), StitchError> {
        // Read again under the lease: it may have ended, or failed, between the look and the claim.
        let Some(product) = store::still_due(&self.log, key, self.clock.now()).await? else { return Ok(()) };
        match &product.wanted {
            Some((_, input)) => self.make_under(&product, input, lease, cancel).await,
            None => Ok(()),
        }
    }

    async fn make_under(
        &self,
        product: &Product,
        input: &Input,
        lease: &Lease,
        cancel: &CancellationToken,
    ) -> Result<(), StitchError> {
        store::mark_working(&self.log, &product.key).await?;
        let span = span(format!("make {}", product.kind)).start();
        let making = async {
            let made = tokio::select! {
                made = Box::pin(self.maker.make(input)) => made,
                () = self.stays_wanted(&product.key, lease) => return Ok(()),
                () = cancel.cancelled() => return Ok(()),
            };
            if let Err(not_made) = &made {
                span.fail(not_made.reason.clone());
            }
            let event = self.outcome(product, made);
            if !self.record(&event, lease, cancel).await? {
                tracing::info!(key = product.key, "it was canceled or taken over while it was made");
            }
            Ok(())
        };
        span.run(making).await
    }

    /// Records how an attempt ended, as soon as the database can be reached: making it again costs more than waiting.
    /// `false`: nothing is recorded, because the lease is lost or the product is not wanted any more.
    async fn record(
        &self,
        event: &Event,
        lease: &Lease,
        cancel: &CancellationToken,
    ) -> Result<bool, StitchError> {
        loop {
            let error = match store::append(&self.log, event, Some(lease), self.clock.now()).await {
                Err(error) if eventlog::is_away(&error) && !cancel.is_cancelled() => {
                    anyhow::Error::new(error)
                }
                answer => return answer,
            };
            tracing::warn!(
                lease = lease.name,
                "what was made cannot be recorded yet; trying again: {error:#}"
            );
            tokio::select! { () = cancel.cancelled() => {}, () = tokio::time::sleep(POLL) => {} }
        }
    }

    /// Keeps the lease alive; returns once it is lost, or the product is not wanted any more. A database that is away
    /// for a moment says neither: the work goes on, and is recorded only if the lease still holds by then.
    async fn stays_wanted(&self, key: &str, lease: &Lease) {
        let mut appended = self.log.appended();
        let mut renewal = tokio::time::interval(self.settings.lease / 3);
        loop {
            let renew = tokio::select! {
                _ = renewal.tick() => true,
                changed = appended.changed() => if changed.is_err() { return } else { false },
            };
            match self.is_wanted(key, lease, renew).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let error = anyhow::Error::new(error);
                    tracing::warn!(key, "the lease cannot be looked after; working on: {error:#}");
                }
            }
        }
    }

    async fn is_wanted(&self, key: &str, lease: &Lease, renew: bool) -> Result<bool, StitchError> {
        if renew && !lease::renew(&self.log, lease, self.settings.lease).await? {
            return Ok(false);
        }
        let product = store::product(&self.log, key).await?;
        Ok(product.is_some_and(|product| matches!(product.state, State::Waiting { .. })))
    }

    /// Which event an attempt ends in.
    fn outcome(&self, product: &Product, made: Result<Made, NotMade>) -> Event {
        let of = Of { key: product.key.clone(), kind: product.kind, job_id: product.job_id };
        let NotMade { reason, lasting } = match made {
            Ok(made) => return Event::ProductFinished { of, made },
            Err(not_made) => not_made,
        };
        tracing::warn!(key = of.key, reason, lasting, "an attempt failed");
        let wait = self.settings.retry_after.get(product.attempts as usize);
        match wait.filter(|_| !lasting) {
            Some(wait) => {
                let wait = SignedDuration::try_from(*wait).unwrap_or(SignedDuration::ZERO);
                Event::ProductAttemptFailed { of, reason, retry_at: self.clock.now() + wait }
            }
            None => Event::ProductFailed { of, reason },
        }
    }
}

/// A product's place among those that this process is at, given up however its task ends.
struct Place {
    worker: Arc<Worker>,
    key: String,
}

impl Place {
    fn take(worker: &Arc<Worker>, key: &str) -> Option<Self> {
        let free = worker.busy.lock().insert(key.to_owned());
        free.then(|| Self { worker: worker.clone(), key: key.to_owned() })
    }

    async fn work(self, trace: Option<String>, cancel: CancellationToken) {
        // In the trace of its request; what was asked for without one gets a trace of its own.
        let carrying = Subject::of_key(&self.key).around(self.worker.carry_out(&self.key, &cancel));
        let carried = kit::trace::continuing(trace.as_deref(), carrying);
        let error = match AssertUnwindSafe(carried).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => format!("{:#}", anyhow::Error::new(error)),
            Err(_) => "its task panicked".to_owned(),
        };
        tracing::error!(key = self.key, error, "a product could not be carried on; trying again");
        // The place is kept for so long.
        tokio::select! { () = cancel.cancelled() => {}, () = tokio::time::sleep(POLL) => {} }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.worker.busy.lock().remove(&self.key);
    }
}
