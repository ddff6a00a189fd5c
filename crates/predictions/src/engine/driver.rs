//! One order from step to step: ask the plan, do what it says, record what came of it, ask again.

use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use eventlog::Meta;
use telemetry::{Subject, trace};

use super::{Inner, Waker, delivery::Fetching};
use crate::{
    answers::{self, Moment},
    error::{OrderError, ProviderError},
    fact::Fact,
    order::Order,
    plan::Step,
    session::Session,
    store::{self, NotRecorded, Stored},
};

/// Pause after a failure of our own.
const PAUSE: Duration = Duration::from_secs(1);

/// One order at work.
pub(super) struct Driver {
    pub(super) engine: Arc<Inner>,
    pub(super) session: Arc<Session>,
    pub(super) key: String,
    waker: Arc<Waker>,
    polls: u32,
    /// The attempt whose create call this driver made.
    pub(super) called: Option<String>,
    /// Looks into the list that were made too early to prove an absence.
    pub(super) early_looks: u32,
    /// Predictions that webhooks named and that turned out to be others'.
    pub(super) doubted: HashSet<String>,
    pub(super) fetching: Fetching,
}

/// What a driver does after a step.
pub(super) enum Then {
    /// Ask the plan again.
    GoOn,
    /// After that time, or when woken.
    Wait(Duration),
    /// The scheduler takes over.
    Leave,
}

/// Works on one order until it is over, waits for a slot, or the session ends. With `start` it owns a free slot.
pub(super) async fn drive(engine: Arc<Inner>, session: Arc<Session>, key: String, start: bool) {
    Subject::of_key(&key).around(work(engine, session, key, start)).await;
}

async fn work(engine: Arc<Inner>, session: Arc<Session>, key: String, start: bool) {
    let waker = Arc::<Waker>::default();
    engine.wakers.lock().insert(key.clone(), waker.clone());
    let mut driver = Driver {
        engine,
        session,
        key: key.clone(),
        waker,
        polls: 0,
        called: None,
        early_looks: 0,
        doubted: HashSet::new(),
        fetching: Fetching::default(),
    };
    // Taken off the books however this future ends.
    let _on_the_books = OnTheBooks { engine: driver.engine.clone(), key };
    let mut start = start;
    while !driver.session.stop.is_cancelled() {
        let then = match driver.step(&mut start).await {
            Ok(then) => then,
            Err(NotRecorded::Raced) => {
                start = false;
                Then::Wait(Duration::from_millis(100))
            }
            Err(NotRecorded::Failed(error)) => {
                let cause = anyhow::Error::from(error);
                tracing::warn!(key = driver.key, error = format!("{cause:#}"), "a step failed; trying again");
                Then::Wait(PAUSE)
            }
        };
        match then {
            Then::GoOn => {}
            Then::Wait(pause) => driver.wait(pause).await,
            Then::Leave => break,
        }
    }
}

struct OnTheBooks {
    engine: Arc<Inner>,
    key: String,
}

impl Drop for OnTheBooks {
    fn drop(&mut self) {
        self.engine.wakers.lock().remove(&self.key);
        self.engine.starting.lock().remove(&self.key);
    }
}

impl Driver {
    async fn step(&mut self, start: &mut bool) -> Result<Then, NotRecorded> {
        let mut stored = store::load(&self.engine.log, &self.key).await?;
        self.waker.seen.store(stored.revision, Ordering::Relaxed);
        for attempt in &mut stored.state.attempts {
            attempt.hints.retain(|id| !self.doubted.contains(id));
        }
        // What is called and written for an order belongs to the trace of the request that it comes from.
        let traceparent = stored.request.traceparent.clone();
        let carried = Box::pin(self.carry_out(start, stored));
        trace::continuing(traceparent.as_deref(), carried).await
    }

    async fn carry_out(&mut self, start: &mut bool, stored: Stored) -> Result<Then, NotRecorded> {
        match self.engine.next(&stored.state) {
            Step::Done => Ok(Then::Leave),
            Step::Record(fact) => {
                let recording = self.record(&stored, fact);
                self.span("conclude order").around(recording).await.map(|_| Then::GoOn)
            }
            // Leaves when it has no slot, or has used the one it had.
            Step::AwaitSlot if !std::mem::take(start) => Ok(Then::Leave),
            Step::AwaitSlot => self.attempt(stored).await,
            Step::Search { attempt, not_before } => self.search(stored, &attempt, not_before).await,
            Step::Confirm { attempt, prediction_id } => self.confirm(stored, &attempt, prediction_id).await,
            Step::Cancel { attempt, prediction_id } => self.cancel(stored, attempt, &prediction_id).await,
            Step::Poll { attempt, prediction_id } => self.poll(stored, &attempt, &prediction_id).await,
            Step::Store { attempt, prediction_id, output_url } => {
                self.deliver(stored, &attempt, &prediction_id, &output_url).await
            }
        }
    }

    /// Waits, but not longer than until woken or stopped.
    pub(super) async fn wait(&self, pause: Duration) {
        tokio::select! {
            biased;
            () = self.session.stop.cancelled() => {}
            () = self.waker.notify.notified() => {}
            () = self.engine.clock.sleep(pause) => {}
        }
    }

    /// Records a fact under the lease, in the span that the caller is in.
    pub(super) async fn record(&self, stored: &Stored, fact: Fact) -> Result<Stored, NotRecorded> {
        let facts = std::slice::from_ref(&fact);
        let correlation_id = stored.request.correlation_id.clone();
        let meta = Meta { correlation_id, ..Meta::default() };
        let guard = Some(self.session.guard());
        let recorded = self.engine.record(&self.key, stored, facts, meta, guard).await?;
        self.waker.seen.store(recorded.revision, Ordering::Relaxed);
        tracing::debug!(key = self.key, fact = fact.kind(), "recorded");
        Ok(recorded)
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { now: self.engine.clock.now(), jitter: (self.engine.dice)() }
    }

    pub(super) fn order<'a>(&self, stored: &'a Stored) -> Result<&'a Order, OrderError> {
        // A tombstone is settled, so the plan never gets here without an order.
        stored.state.order.as_ref().ok_or_else(|| OrderError::NoMark { key: self.key.clone() })
    }

    async fn poll(
        &mut self,
        stored: Stored,
        attempt: &str,
        prediction_id: &str,
    ) -> Result<Then, NotRecorded> {
        let policy = &self.engine.policy;
        let asking = self.engine.provider.get(prediction_id);
        let Some(answer) = self.session.unless_stopped(asking).await else { return Ok(Then::Leave) };
        match answer {
            Ok(prediction) => {
                let price = self.order(&stored)?.price_micros;
                let Some(known) = stored.state.attempt(attempt) else { return Ok(Then::GoOn) };
                let fact = answers::polled(&stored.state, known, &prediction, price, policy, self.moment());
                if let Some(fact) = fact {
                    let span = self.attempt_span("end attempt", self.order(&stored)?, attempt);
                    span.around(self.record(&stored, fact)).await?;
                    self.engine.wake.notify_one();
                    return Ok(Then::GoOn);
                }
            }
            Err(error) => {
                tracing::debug!(key = self.key, error = %error, "a poll failed");
                if let ProviderError::Throttled(wait) = error {
                    return Ok(Then::Wait(wait));
                }
            }
        }
        let pause = policy.poll_first.saturating_mul(2_u32.saturating_pow(self.polls.min(16)));
        self.polls += 1;
        Ok(Then::Wait(pause.min(policy.poll_most).mul_f64(0.8 + 0.2 * (self.engine.dice)())))
    }

    /// Tells the provider to stop; that it has stopped is learned by polling.
    async fn cancel(
        &mut self,
        stored: Stored,
        attempt: String,
        prediction_id: &str,
    ) -> Result<Then, NotRecorded> {
        let span = self.attempt_span("stop prediction", self.order(&stored)?, &attempt).start();
        let asking = span.run(self.engine.provider.cancel(prediction_id));
        let Some(answer) = self.session.unless_stopped(asking).await else { return Ok(Then::Leave) };
        match answer {
            // A refusal means that there is nothing (left) to cancel; the next poll tells.
            Ok(()) | Err(ProviderError::Refused { .. }) => {
                self.polls = 0;
                span.run(self.record(&stored, Fact::CancelSent { attempt })).await?;
                Ok(Then::GoOn)
            }
            Err(error) => {
                tracing::warn!(key = self.key, error = %error, "a prediction could not be canceled; trying again");
                // What has ended meanwhile settles the matter; past its time it is given up on.
                let Some(known) = stored.state.attempt(&attempt) else { return Ok(Then::GoOn) };
                let since = known.accepted_at.unwrap_or(known.intended_at);
                let patience = self.engine.policy.attempt_deadline + self.engine.policy.cancel_grace;
                if self.engine.clock.now() > crate::plan::later(since, patience) {
                    span.run(self.record(&stored, Fact::CancelSent { attempt })).await?;
                    return Ok(Then::GoOn);
                }
                drop(span);
                self.poll(stored, &attempt, prediction_id).await
            }
        }
    }
}
