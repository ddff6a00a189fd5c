//! Carries the plan out. One engine per service database; any number of processes may hold one, the lease decides
//! which of them works.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `mod` | what a service calls: place, get, cancel, webhooks, waiting for the end |
//! | `scheduler` | the runner: lease, turns, slots |
//! | `driver` | one order from step to step |
//! | `attempt` | making an attempt, and finding one whose answer was lost |
//! | `input` | the input of an attempt, with its mark |
//! | `delivery` | fetching, checking and keeping an output |
//! | `pace` | start rate and the account's rate limit |

mod attempt;
mod delivery;
mod driver;
mod input;
mod pace;
mod scheduler;

use std::{collections::HashMap, sync::Arc, time::Duration};

use blobs::Blobs;
use eventlog::{Log, Meta};
use kit::Clock;
use parking_lot::Mutex;
use secrecy::SecretString;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use self::pace::Pace;
use crate::{
    buyer::Buyer,
    config::{Account, Policy, PublicUrls, ReplicateConfig},
    error::OrderError,
    fact::Fact,
    order::{Order, Outcome},
    plan::Timing,
    provider::Provider,
    state::{OrderState, OrderView, Phase},
    store::{self, NotRecorded, Stored, Write},
    webhook,
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
    /// Name of this process among those that may run the engine; the same after a restart, so that it need not
    /// wait for its own lease to end.
    pub owner: String,
    /// The service.
    pub buyer: Arc<dyn Buyer>,
}

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
    skew: Duration,
    public: Option<PublicUrls>,
    owner: String,
    /// Wakes the scheduler.
    wake: Notify,
    /// Wakes the driver of an order.
    pokes: Mutex<HashMap<String, Arc<Notify>>>,
    /// Orders that were given a slot and have not recorded their intent yet, with their campaigns.
    starting: Mutex<HashMap<String, String>>,
    pace: Pace,
    deliveries: Semaphore,
    webhook_secret: tokio::sync::Mutex<Option<SecretString>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("buyer", &self.0.buyer.name()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine; it does nothing by itself until [`Engine::run`] is called.
    #[must_use]
    pub fn new(mut parts: EngineParts) -> Self {
        // A call may start only while the lease outlasts it.
        parts.policy.lease = parts.policy.lease.max(parts.replicate.post_timeout.saturating_mul(2));
        let timing = Timing {
            post_timeout: parts.replicate.post_timeout,
            orphan_margin: parts.replicate.orphan_margin,
        };
        Self(Arc::new(Inner {
            pace: Pace::new(parts.clock.clone(), parts.account.starts_per_second),
            log: parts.log,
            blobs: parts.blobs,
            clock: parts.clock,
            provider: parts.provider,
            buyer: parts.buyer,
            account: parts.account,
            policy: parts.policy,
            timing,
            skew: parts.replicate.skew,
            public: parts.replicate.public,
            owner: parts.owner,
            wake: Notify::new(),
            pokes: Mutex::default(),
            starting: Mutex::default(),
            deliveries: Semaphore::new(DELIVERIES),
            webhook_secret: tokio::sync::Mutex::default(),
        }))
    }

    /// Works off the orders until `cancel`, whenever this process holds the lease.
    ///
    /// # Errors
    /// None at present: whatever goes wrong on the way is logged and tried again.
    pub async fn run(&self, cancel: CancellationToken) -> Result<(), OrderError> {
        scheduler::run(self.0.clone(), cancel).await
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
            let fact = Fact::OrderPlaced { order: Box::new(order.clone()) };
            if let Some(stored) = self.write(&key, &stored, &[fact], &meta).await? {
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
            let reason = reason.to_owned();
            let mut facts = vec![Fact::CancelRequested { reason: reason.clone() }];
            if stored.state.phase() == Phase::Waiting {
                facts.push(Fact::OrderSettled { outcome: Outcome::Canceled { reason } });
            }
            if let Some(stored) = self.write(key, &stored, &facts, &meta).await? {
                self.0.poke(key);
                return Ok(stored.state.view());
            }
        }
        Err(OrderError::Busy { key: key.to_owned() })
    }

    /// Takes in a webhook as it came. `true`: it is the provider's, for an attempt of ours, and stored as far as
    /// there is anything to store. `false`: unsigned, forged or unknown; nothing happened.
    ///
    /// # Errors
    /// It could not be checked or stored: the provider has to send it again.
    pub async fn webhook(
        &self,
        attempt: &str,
        headers: &HashMap<String, String>,
        body: &[u8],
    ) -> Result<bool, OrderError> {
        let Some(key) = store::order_of(&self.0.log, attempt).await? else { return Ok(false) };
        let secret = self.webhook_secret().await?;
        let Some(prediction_id) = webhook::verified(&secret, headers, body) else { return Ok(false) };
        for _ in 0..RACES {
            let stored = store::load(&self.0.log, &key).await?;
            let Some(known) = stored.state.attempt(attempt) else { return Ok(false) };
            if let Some(id) = &known.prediction_id {
                let ours = *id == prediction_id;
                if ours {
                    self.0.poke(&key);
                }
                return Ok(ours);
            }
            if known.over.is_some() || known.hints.contains(&prediction_id) {
                return Ok(true);
            }
            let fact =
                Fact::ProviderHinted { attempt: attempt.to_owned(), prediction_id: prediction_id.clone() };
            if self.write(&key, &stored, &[fact], &Meta::default()).await?.is_some() {
                self.0.poke(&key);
                return Ok(true);
            }
        }
        Err(OrderError::Busy { key })
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
                () = cancel.cancelled() => return Ok(None),
                _ = appended.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    async fn webhook_secret(&self) -> Result<SecretString, OrderError> {
        let mut cached = self.0.webhook_secret.lock().await;
        if let Some(secret) = &*cached {
            return Ok(secret.clone());
        }
        let secret = self.0.provider.webhook_secret().await.map_err(OrderError::NoSecret)?;
        Ok(cached.insert(secret).clone())
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
        let write = Write { key, meta, at, guard, max_in_flight: self.account.max_in_flight };
        store::record(&self.log, self.buyer.as_ref(), stored, facts, write).await
    }

    /// Wakes whoever works on this order, and the scheduler in case nobody does.
    fn poke(&self, key: &str) {
        if let Some(notify) = self.pokes.lock().get(key) {
            notify.notify_one();
        }
        self.wake.notify_one();
    }

    fn next(&self, state: &OrderState) -> crate::plan::Step {
        crate::plan::next(state, self.clock.now(), &self.policy, self.timing)
    }
}
