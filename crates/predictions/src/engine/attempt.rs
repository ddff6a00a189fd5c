//! Making an attempt: input, intent, call, id, in this order. And finding one whose answer was lost.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    driver::{Driver, Then},
    input::webhook_url,
};
use crate::{
    answers,
    error::ProviderError,
    fact::Fact,
    mark::Mark,
    order::Order,
    plan::{self, later},
    provider::Create,
    replicate::wire::Prediction,
    state::Attempt,
    store::{NotRecorded, Stored},
};

/// Share of a call's time after which it is not worth starting: it is cut off at the end of that time anyway.
const USEFUL: f64 = 0.75;
/// Pause before the slot goes back because the lease is too short.
const SOON: Duration = Duration::from_secs(1);
/// Pause before a write that lost a race is decided anew.
const RACED: Duration = Duration::from_millis(20);
/// Pages of the list that are read at most; a hundred predictions each.
const MAX_PAGES: usize = 1000;
/// Pause between two looks into a list that cannot be read.
const LIST_AGAIN: Duration = Duration::from_secs(5);
/// How long a call that is under way may still take when the process stops.
const LAST_CALL: Duration = Duration::from_secs(5);
/// Early looks for an attempt whose answer was lost; they can find it, not prove its absence.
const EARLY_LOOKS: u32 = 2;

impl Driver {
    /// Uses the slot that this order was given.
    pub(super) async fn attempt(&mut self, stored: Stored) -> Result<Then, NotRecorded> {
        let order = self.order(&stored)?.clone();
        let attempt = Uuid::now_v7();
        let Some(input) = self.session.unless_stopped(self.input(&order, attempt)).await else {
            return Ok(Then::Leave);
        };
        let (input, mark) = match input {
            Ok(input) => input,
            Err(error) => return self.no_input(&stored, attempt, error).await,
        };
        if self.session.unless_stopped(self.engine.pace.start()).await.is_none() {
            return Ok(Then::Leave);
        }
        let began = Instant::now();
        if !self.session.outlasts(self.engine.post_timeout) {
            tracing::warn!(key = self.key, "the lease would not outlast a create call; not starting it");
            return Ok(Then::Wait(SOON));
        }
        let span = self.attempt_span("buy prediction", &order, &attempt.to_string()).start();
        span.run(self.buy(stored, order, attempt, (input, mark), began)).await
    }

    /// Intent, call, and what came of it.
    async fn buy(
        &mut self,
        stored: Stored,
        order: Order,
        attempt: Uuid,
        (input, mark): (Value, Mark),
        began: Instant,
    ) -> Result<Then, NotRecorded> {
        let intent = Fact::AttemptIntended { attempt: attempt.to_string(), input: input.clone(), mark };
        let stored = self.record(&stored, intent).await?;
        self.engine.starting.lock().remove(&self.key);
        let create = Create {
            model_key: self.engine.buyer.model_key(&order),
            model: order.model,
            input,
            webhook: self.engine.public.as_ref().map(|public| webhook_url(public, attempt)),
            cancel_after_seconds: (self.engine.policy.attempt_deadline + self.engine.policy.cancel_grace)
                .as_secs(),
        };
        let attempt = attempt.to_string();
        let answer = self.call(&create, &stored, &attempt, began).await;
        self.conclude(stored, &attempt, answer).await
    }

    /// The call, ended by the time that the intent's reader will assume.
    async fn call(
        &mut self,
        create: &Create,
        stored: &Stored,
        attempt: &str,
        began: Instant,
    ) -> Result<Prediction, ProviderError> {
        let not_made = |why: &str| Err(ProviderError::NotMade(why.to_owned()));
        let clock = &self.engine.clock;
        let (timeout, by_clock) = (self.engine.post_timeout, self.engine.timing.post_timeout);
        let intended = stored.state.open().map_or_else(|| clock.now(), |open| open.intended_at);
        // By both clocks: one goes on while the process is paused, the other while the machine is.
        if began.elapsed() > timeout.mul_f64(USEFUL)
            || clock.now() > later(intended, by_clock.mul_f64(USEFUL))
        {
            return not_made("its machine was too slow to make the call in time");
        }
        if self.session.stop.is_cancelled() {
            return not_made("its process was told to stop before the call was made");
        }
        // Another call was told so while this one was prepared.
        if let Some(until) = self.engine.pace.throttled_until() {
            let left = until.duration_since(clock.now());
            return Err(ProviderError::Throttled(Duration::try_from(left).unwrap_or_default()));
        }
        self.called = Some(attempt.to_owned());
        let last_call = async {
            self.session.stop.cancelled().await;
            tokio::time::sleep(LAST_CALL).await;
        };
        tokio::select! {
            // The time first: after a pause of the process nothing is sent any more.
            biased;
            () = clock.sleep_until(later(intended, by_clock)) => {
                Err(ProviderError::Ambiguous("no answer in time".to_owned()))
            }
            () = last_call => Err(ProviderError::Ambiguous("the process stopped while it was made".to_owned())),
            answer = self.engine.provider.create(create) => answer,
        }
    }

    async fn conclude(
        &mut self,
        stored: Stored,
        attempt: &str,
        answer: Result<Prediction, ProviderError>,
    ) -> Result<Then, NotRecorded> {
        let moment = self.moment();
        if let Err(ProviderError::Throttled(wait)) = &answer {
            self.engine.throttled(*wait).await;
        }
        if let Err(error) = &answer {
            tracing::info!(key = self.key, attempt, error = %error, "a create call brought no prediction");
        }
        let Some(fact) = answers::created(&stored.state, attempt, &answer, &self.engine.policy, moment)
        else {
            return Ok(Then::GoOn);
        };
        // A known id is never given up for a race with a cancel or a webhook.
        let mut stored = stored;
        loop {
            match self.record(&stored, fact.clone()).await {
                Ok(_) => return Ok(Then::GoOn),
                Err(NotRecorded::Raced) if !self.session.stop.is_cancelled() => {
                    stored = crate::store::load(&self.engine.log, &self.key).await?;
                    let settled = stored
                        .state
                        .attempt(attempt)
                        .is_none_or(|known| known.over.is_some() || known.prediction_id.is_some());
                    if settled {
                        return Ok(Then::GoOn);
                    }
                    tokio::time::sleep(RACED).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Looks for an attempt whose answer was lost.
    pub(super) async fn search(
        &mut self,
        stored: Stored,
        attempt: &str,
        not_before: Timestamp,
    ) -> Result<Then, NotRecorded> {
        let Some(known) = stored.state.attempt(attempt).cloned() else { return Ok(Then::GoOn) };
        let began = self.engine.clock.now();
        let early = began < not_before;
        if early && self.early_looks >= EARLY_LOOKS {
            let left = Duration::try_from(not_before.duration_since(began)).unwrap_or_default();
            return Ok(Then::Wait(left));
        }
        let span = self.attempt_span("search prediction", self.order(&stored)?, attempt).start();
        let looking = span.run(self.look(&known.mark, known.intended_at));
        let Some(found) = self.session.unless_stopped(looking).await else { return Ok(Then::Leave) };
        span.run(self.looked(stored, known, found, early)).await
    }

    /// Records what a look into the list proves.
    async fn looked(
        &mut self,
        stored: Stored,
        known: Attempt,
        found: Result<Option<Prediction>, ProviderError>,
        early: bool,
    ) -> Result<Then, NotRecorded> {
        let attempt = known.id.as_str();
        match found {
            Ok(Some(prediction)) => {
                tracing::info!(
                    key = self.key,
                    attempt,
                    prediction = prediction.id,
                    "found again by its mark"
                );
                let fact = Fact::AttemptAccepted {
                    attempt: attempt.to_owned(),
                    prediction_id: prediction.id,
                    adopted: true,
                };
                self.record(&stored, fact).await?;
                Ok(Then::GoOn)
            }
            Ok(None) if early => {
                self.early_looks += 1;
                Ok(Then::Wait(self.engine.policy.poll_first))
            }
            Ok(None) => {
                // A list read for so long that the provider may have forgotten meanwhile proves nothing.
                let late = self.engine.clock.now() > later(known.intended_at, self.engine.policy.memory);
                let fact = if late {
                    plan::unknown(&known)
                } else {
                    let called = self.called.as_deref() == Some(attempt);
                    answers::not_there(&stored.state, attempt, called, &self.engine.policy, self.moment())
                };
                self.record(&stored, fact).await?;
                Ok(Then::GoOn)
            }
            Err(error) => {
                tracing::warn!(key = self.key, error = %error, "the provider's list cannot be read; trying again");
                if let ProviderError::Throttled(wait) = error {
                    return Ok(Then::Wait(wait));
                }
                Ok(Then::Wait(LIST_AGAIN))
            }
        }
    }

    /// The prediction with this mark, in the list back to before the intent.
    async fn look(&self, mark: &Mark, intended_at: Timestamp) -> Result<Option<Prediction>, ProviderError> {
        let skew = jiff::SignedDuration::try_from(self.engine.skew).unwrap_or(jiff::SignedDuration::MAX);
        let back_to = intended_at.checked_sub(skew).unwrap_or(Timestamp::MIN);
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let page = self.engine.provider.list(next.as_deref()).await?;
            let old = page.results.last().is_some_and(|last| last.created_at.is_some_and(|at| at < back_to));
            if let Some(found) = page.results.into_iter().find(|prediction| mark.is_on(&prediction.input)) {
                return Ok(Some(found));
            }
            match page.next {
                Some(further) if !old => next = Some(further),
                _ => return Ok(None),
            }
        }
        Err(ProviderError::Ambiguous(format!("the list has more than {MAX_PAGES} pages")))
    }

    /// A webhook named a prediction for this attempt: ask whether it carries the mark.
    pub(super) async fn confirm(
        &mut self,
        stored: Stored,
        attempt: &str,
        prediction_id: String,
    ) -> Result<Then, NotRecorded> {
        let Some(known) = stored.state.attempt(attempt) else { return Ok(Then::GoOn) };
        let asking = self.engine.provider.get(&prediction_id);
        let Some(answer) = self.session.unless_stopped(asking).await else { return Ok(Then::Leave) };
        match answer {
            Ok(prediction) if known.mark.is_on(&prediction.input) => {
                let fact =
                    Fact::AttemptAccepted { attempt: attempt.to_owned(), prediction_id, adopted: true };
                let span = self.attempt_span("adopt prediction", self.order(&stored)?, attempt);
                span.around(self.record(&stored, fact)).await?;
                Ok(Then::GoOn)
            }
            Err(error) if error.is_transient() => Ok(Then::Wait(self.engine.policy.poll_first)),
            _ => {
                self.doubted.insert(prediction_id);
                Ok(Then::GoOn)
            }
        }
    }
}
