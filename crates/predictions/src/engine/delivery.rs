//! Fetching, checking and keeping an output.
//!
//! An output is paid for, so it is given up only when it cannot be had: when it is gone or useless a few times over,
//! or when the provider has forgotten it. Whatever may pass (a network, a full disk, a store that is down) is tried
//! again until then.

use std::time::Duration;

use jiff::Timestamp;

use super::driver::{Driver, Then};
use crate::{
    answers,
    error::ProviderError,
    fact::Fact,
    order::{Failure, FailureClass, Outcome},
    plan::later,
    replicate::is_gone,
    store::{NotRecorded, Stored},
};

/// What one try at an output came to.
enum Tried {
    /// It is in the object store.
    Kept(Outcome),
    /// It may work later; the provider may have said when.
    Later { why: String, wait: Option<Duration> },
    /// It will hardly get better.
    Useless(Failure),
}

/// How far a driver is with an output.
#[derive(Default)]
pub(super) struct Fetching {
    /// Tries that may work later.
    tries: usize,
    useless: u32,
    not_before: Option<Timestamp>,
    /// Where the provider says that it lies now.
    address: Option<String>,
}

impl Driver {
    /// Fetches the output and settles the order, or comes back later.
    pub(super) async fn deliver(
        &mut self,
        stored: Stored,
        attempt: &str,
        prediction_id: &str,
        output_url: &str,
    ) -> Result<Then, NotRecorded> {
        let now = self.engine.clock.now();
        if let Some(not_before) = self.fetching.not_before.filter(|not_before| *not_before > now) {
            return Ok(Then::Wait(between(now, not_before)));
        }
        let (engine, session) = (self.engine.clone(), self.session.clone());
        let trying = async {
            // Only the work itself takes a turn: nobody waits with one in hand.
            let _turn = engine.deliveries.acquire().await;
            let span = self.attempt_span("keep output", self.order(&stored)?, attempt).start();
            let tried = span.run(self.fetch(&stored, prediction_id, output_url)).await;
            Ok::<_, NotRecorded>((tried?, span))
        };
        let Some(tried) = session.unless_stopped(trying).await else { return Ok(Then::Leave) };
        let (tried, span) = tried?;
        if !matches!(tried, Tried::Kept(_)) {
            span.fail("no output was kept");
        }
        let outcome = match tried {
            Tried::Kept(outcome) => outcome,
            Tried::Useless(failure) => {
                self.fetching.useless += 1;
                if self.fetching.useless < self.engine.policy.max_downloads {
                    tracing::warn!(
                        key = self.key,
                        why = failure.reason,
                        "an output is no good; trying again"
                    );
                    return Ok(self.fetch_again(self.fetching.useless as usize - 1, None));
                }
                Outcome::Failed(failure)
            }
            Tried::Later { why, wait } => {
                self.fetching.tries += 1;
                let made = stored.state.attempt(attempt).and_then(|known| known.over.as_ref());
                let until = later(made.map_or(now, |over| over.at), self.engine.policy.memory);
                if self.engine.clock.now() < until {
                    tracing::warn!(key = self.key, why, "an output could not be fetched; trying again");
                    return Ok(self.fetch_again(self.fetching.tries - 1, wait));
                }
                Outcome::Failed(lost_output(format!(
                    "it was tried {} times until the provider forgot it, the last time with: {why}",
                    self.fetching.tries
                )))
            }
        };
        span.run(self.record(&stored, Fact::OrderSettled { outcome })).await?;
        Ok(Then::GoOn)
    }

    /// The next try, not before the provider allows it.
    fn fetch_again(&mut self, failures: usize, wait: Option<Duration>) -> Then {
        let pause = answers::backoff(&self.engine.policy, failures, (self.engine.dice)());
        let pause = pause.max(wait.unwrap_or_default());
        self.fetching.not_before = Some(later(self.engine.clock.now(), pause));
        Then::Wait(pause)
    }

    async fn fetch(
        &mut self,
        stored: &Stored,
        prediction_id: &str,
        output_url: &str,
    ) -> Result<Tried, NotRecorded> {
        let order = self.order(stored)?;
        let again = |why: String| Ok(Tried::Later { why, wait: None });
        let mut file = match self.engine.blobs.scratch_file("output-") {
            Ok(file) => file,
            Err(error) => return again(error.to_string()),
        };
        let url = self.fetching.address.as_deref().unwrap_or(output_url);
        match self.engine.provider.download(url, &mut file).await {
            Ok(_) => {}
            Err(error) if is_gone(&error) => return Ok(self.moved(prediction_id).await),
            Err(error) => return Ok(failed(error)),
        }
        match self.engine.buyer.check(order, file.path()).await {
            Ok(Ok(usable)) => {
                match self.engine.buyer.keep(&self.engine.blobs, file.path(), &usable.content_type).await {
                    Ok(blob) => {
                        let prediction_id = prediction_id.to_owned();
                        let outcome = Outcome::Delivered { blob, prediction_id, found: usable.found };
                        Ok(Tried::Kept(outcome))
                    }
                    Err(error) => again(format!("{:#}", anyhow::Error::from(error))),
                }
            }
            // A file that is no good may be a bad download rather than a bad output.
            Ok(Err(rejected)) => Ok(Tried::Useless(Failure::new(
                FailureClass::Media,
                format!(
                    "The provider delivered, and charged for, something that cannot be used: {}. Ask for a new take.",
                    rejected.0
                ),
            ))),
            Err(error) => again(format!("{error:#}")),
        }
    }

    /// The output is not where it was: the provider may have another address for it.
    async fn moved(&mut self, prediction_id: &str) -> Tried {
        match self.engine.provider.get(prediction_id).await {
            Ok(prediction) => {
                self.fetching.address = prediction.output_url().map(str::to_owned);
                Tried::Useless(lost_output("it is gone"))
            }
            Err(error) if error.is_transient() => failed(error),
            Err(_) => Tried::Useless(lost_output("it is gone, and so is its prediction")),
        }
    }
}

fn failed(error: ProviderError) -> Tried {
    match error {
        ProviderError::Throttled(wait) => Tried::Later { why: error.to_string(), wait: Some(wait) },
        error if error.is_transient() => Tried::Later { why: error.to_string(), wait: None },
        error => Tried::Useless(lost_output(error)),
    }
}

fn between(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

/// The failure of an output that cannot be had although it was paid for.
fn lost_output(detail: impl std::fmt::Display) -> Failure {
    Failure::new(
        FailureClass::Output,
        format!(
            "The provider made it and charged for it, but it cannot be fetched: {detail}. Ask for a new take."
        ),
    )
}
