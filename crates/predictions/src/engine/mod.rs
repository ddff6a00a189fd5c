//! Carries the plan out. One engine per service database; any number of processes may hold one, the lease decides
//! which of them works.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `mod` | what a service calls: place, get, cancel, webhooks, waiting for the end |
//! | `scheduler` | the runner: lease, turns, slots |
//! | `drivers` | which orders are worked on, and the pause after a panic |
//! | `driver` | one order from step to step |
//! | `attempt` | making an attempt, and finding one whose answer was lost |
//! | `input` | the input of an attempt, with its mark |
//! | `delivery` | fetching, checking and keeping an output |
//! | `pace` | start rate and the account's rate limit |
//! | `secrets` | what the provider signs its webhooks with |
//! | `telling` | spans, and how much work there is |
//! | `webhooks` | webhooks checked and taken in |

mod attempt;
mod delivery;
mod driver;
mod drivers;
mod input;
mod pace;
mod scheduler;
mod secrets;
mod telling;
mod webhooks;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use blobs::Blobs;
use eventlog::{Log, Meta};
use kit::Clock;
use parking_lot::Mutex;
use telemetry::trace;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use self::{pace::Pace, secrets::Secrets, telling::asked};
use crate::{
    buyer::Buyer,
    config::{Account, Policy, PublicUrls, ReplicateConfig},
    error::OrderError,
    fact::Fact,
    order::{Order, Outcome},
    plan::Timing,
    provider::Provider,
    replicate::PROVIDER,
    state::{OrderState, OrderView, Phase},
    store::{self, NotRecorded, Stored, Write},
    tally,
};

/// How often a write is decided anew when others write at the same time.
const RACES: usize = 20;
/// Outputs that are fetched and checked at the same time; each may run a program.
const DELIVERIES: usize = 4;
/// How often the end of an order is looked for when nothing wakes us.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What an engine is made of.
pub struct EngineParts {
    /// The service's log; its migrations include [`crate::SQLITE_MIGRATION`].
    pub log: Log,
    /// Where outputs go, and where media to upload comes from.
    pub blobs: Blobs,
    /// The time.
    pub clock: Clock,
    /// The provider.
    pub provider: Arc<dyn Provider>,
    /// Times and addresses of the provider.
    pub replicate: ReplicateConfig,
    /// The account's limits.
    pub account: Account,
    /// How patient orders are.
    pub policy: Policy,
    /// Name of this process among those that may run the engine, unlike that of any other that lives. One that is
    /// the same after a restart need not wait for its own lease to end.
    pub owner: String,
    /// The service.
    pub buyer: Arc<dyn Buyer>,
}

/// Draws from `0.0..1.0`, for what is spread over time.
pub type Dice = Box<dyn Fn() -> f64 + Send + Sync>;

/// Buys predictions, each once. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    log: Log,
    blobs: Blobs,
    clock: Clock,
    provider: Arc<dyn Provider>,
    buyer: Arc<dyn Buyer>,
    account: Account,
    policy: Policy,
    timing: Timing,
    /// How long a create call may take, by the machine's clock.
    post_timeout: Duration,
    skew: Duration,
    public: Option<PublicUrls>,
    owner: String,
    /// Wakes the scheduler.
    wake: Notify,
    /// Wakes the driver of an order.
    wakers: Mutex<HashMap<String, Arc<Waker>>>,
    /// Orders that were given a slot and have not recorded their intent yet, with their campaigns.
    starting: Mutex<HashMap<String, String>>,
    pace: Pace,
    deliveries: Semaphore,
    dice: Dice,
    webhook_secrets: tokio::sync::Mutex<Secrets>,
}

/// How the driver of an order is woken.
#[derive(Default)]
struct Waker {
    notify: Notify,
    /// The revision that it knows; a newer one was written by somebody else.
    seen: AtomicI64,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("buyer", &self.0.buyer.name()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine; it does nothing by itself until [`Engine::run`] is called.
    #[must_use]
    pub fn new(parts: EngineParts) -> Self {
        Self::with_dice(parts, Box::new(rand::random::<f64>))
    }

    /// The same with dice that a simulation loads, so that it goes the same way each time. (For the same reason
    /// whatever waits here for one of several things looks at them in a fixed order.)
    #[must_use]
    pub fn with_dice(mut parts: EngineParts, dice: Dice) -> Self {
        // A call may start only while the lease outlasts it.
        parts.policy.lease = parts.policy.lease.max(parts.replicate.post_timeout.saturating_mul(2));
        Self(Arc::new(Inner {
            pace: Pace::new(parts.clock.clone(), parts.account.starts_per_second),
            log: parts.log,
            blobs: parts.blobs,
            clock: parts.clock,
            provider: parts.provider,
            buyer: parts.buyer,
            account: parts.account,
            policy: parts.policy,
            timing: parts.replicate.timing(),
            post_timeout: parts.replicate.post_timeout,
            skew: parts.replicate.skew,
            public: parts.replicate.public,
            owner: parts.owner,
            wake: Notify::new(),
            wakers: Mutex::default(),
            starting: Mutex::default(),
            deliveries: Semaphore::new(DELIVERIES),
            dice,
            webhook_secrets: tokio::sync::Mutex::default(),
        }))
    }

    /// Works off the orders until `cancel`, whenever this process holds the lease.
    ///
    /// # Errors
    /// None at present: whatever goes wrong on the way is logged and tried again.
    pub async fn run(&self, cancel: CancellationToken) -> Result<(), OrderError> {
        scheduler::run(self.0.clone(), cancel).await;
        Ok(())
    }

    /// Places an order and returns its state. Under a key that is known it changes nothing and is a question; a
    /// key that was canceled stays canceled.
    ///
    /// # Errors
    /// The key was ordered with another digest; the order cannot carry a mark; the log failed.
    pub async fn place(&self, order: Order, meta: Meta) -> Result<OrderView, OrderError> {
        if order.media.is_empty() && order.mark_seed.is_none() {
            return Err(OrderError::NoMark { key: order.key });
        }
        let key = order.key.clone();
        for _ in 0..RACES {
            let stored = store::load(&self.0.log, &key).await?;
            if let Some(known) = &stored.state.order
                && known.digest != order.digest
            {
                return Err(OrderError::DigestMismatch { key });
            }
            if stored.revision > 0 {
                return Ok(stored.state.view());
            }
            let facts = [Fact::OrderPlaced { order: Box::new(order.clone()) }];
            let writing = self.write(&key, &stored, &facts, &meta);
            if let Some(stored) = asked("place order", &key, &meta).around(writing).await? {
                self.0.wake.notify_one();
                return Ok(stored.state.view());
            }
        }
        Err(OrderError::Busy { key })
    }

    /// The order of a key, if it is known.
    ///
    /// # Errors
    /// The log failed.
    pub async fn get(&self, key: &str) -> Result<Option<OrderView>, OrderError> {
        let stored = store::load(&self.0.log, key).await?;
        Ok((stored.revision > 0).then(|| stored.state.view()))
    }

    /// Asks for an order to be stopped. One without a prediction in flight is over at once; an unknown key gets
    /// a tombstone, so that an order that arrives later is refused. What is over stays as it is.
    ///
    /// # Errors
    /// The log failed.
    pub async fn cancel(&self, key: &str, reason: &str, meta: Meta) -> Result<OrderView, OrderError> {
        for _ in 0..RACES {
            let stored = store::load(&self.0.log, key).await?;
            if stored.state.outcome.is_some() || stored.state.cancel.is_some() {
                return Ok(stored.state.view());
            }
            let mut meta = meta.clone();
            if stored.revision > 0 {
                meta.correlation_id.clone_from(&stored.request.correlation_id);
            }
            let reason = reason.to_owned();
            let mut facts = vec![Fact::CancelRequested { reason: reason.clone() }];
            if stored.state.phase() == Phase::Waiting {
                facts.push(Fact::OrderSettled { outcome: Outcome::Canceled { reason } });
            }
            let writing = self.write(key, &stored, &facts, &meta);
            if let Some(stored) = asked("cancel order", key, &meta).around(writing).await? {
                self.0.poke(key);
                return Ok(stored.state.view());
            }
        }
        Err(OrderError::Busy { key: key.to_owned() })
    }

    /// Waits until the order is over. `None`: `cancel` came first, or the key is unknown.
    ///
    /// # Errors
    /// The log failed.
    pub async fn settled(
        &self,
        key: &str,
        cancel: &CancellationToken,
    ) -> Result<Option<OrderView>, OrderError> {
        let mut appended = self.0.log.appended();
        loop {
            appended.borrow_and_update();
            match self.get(key).await? {
                Some(view) if view.outcome.is_none() => {}
                other => return Ok(other),
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(None),
                _ = appended.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Writes without the lease; `None` when somebody else was faster.
    async fn write(
        &self,
        key: &str,
        stored: &Stored,
        facts: &[Fact],
        meta: &Meta,
    ) -> Result<Option<Stored>, OrderError> {
        match self.0.record(key, stored, facts, meta.clone(), None).await {
            Ok(stored) => Ok(Some(stored)),
            Err(NotRecorded::Raced) => Ok(None),
            Err(NotRecorded::Failed(error)) => Err(error),
        }
    }
}

impl Inner {
    async fn record(
        &self,
        key: &str,
        stored: &Stored,
        facts: &[Fact],
        meta: Meta,
        guard: Option<eventlog::Statement>,
    ) -> Result<Stored, NotRecorded> {
        let mut meta = meta;
        if meta.actor.is_empty() {
            self.buyer.name().clone_into(&mut meta.actor);
        }
        if meta.correlation_id.is_empty() {
            key.clone_into(&mut meta.correlation_id);
        }
        let at = self.clock.now();
        // Whoever writes does so in a span; the service's own events, made on the way, get theirs from the same place.
        meta.traceparent = trace::traceparent();
        let write = Write { key, meta, at, guard, max_in_flight: self.account.max_in_flight };
        let recorded = store::record(&self.log, self.buyer.as_ref(), stored, facts, write).await?;
        if let Some(order) = &stored.state.order {
            tally::count(PROVIDER, &self.buyer.model_key(order), &stored.state, facts, at);
        }
        Ok(recorded)
    }

    /// Wakes whoever works on this order, and the scheduler in case nobody does.
    fn poke(&self, key: &str) {
        self.poke_driver(key);
        self.wake.notify_one();
    }

    /// Wakes whoever works on this order, if that is in this process.
    fn poke_driver(&self, key: &str) -> bool {
        let wakers = self.wakers.lock();
        let waker = wakers.get(key);
        if let Some(waker) = waker {
            waker.notify.notify_one();
        }
        waker.is_some()
    }

    /// The whole account waits that long, whichever process starts attempts next.
    async fn throttled(&self, wait: Duration) {
        let until = crate::plan::later(self.clock.now(), wait);
        self.pace.throttle(until);
        if let Err(error) = store::keep_throttle(&self.log, until).await {
            tracing::warn!(%error, "the provider's wish to wait could not be stored; another process may ask too early");
        }
    }

    fn next(&self, state: &OrderState) -> crate::plan::Step {
        crate::plan::next(state, self.clock.now(), &self.policy, self.timing)
    }
}
