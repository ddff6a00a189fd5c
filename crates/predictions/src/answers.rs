//! Which fact an answer of the provider amounts to. Pure: the time and the dice come in with the call.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    classify::{self, Reported},
    config::Policy,
    error::ProviderError,
    fact::{End, Fact, Lost},
    order::{Failure, FailureClass},
    plan::{is_overdue, later},
    replicate::wire::{Prediction, Status},
    state::{Attempt, OrderState},
};

/// When an answer came, with a draw from `0.0..1.0` for jitter.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// The draw.
    pub jitter: f64,
}

/// The answer to a create call. `None`: it is not known what became of it; the list has to be searched.
#[must_use]
pub fn created(
    state: &OrderState,
    attempt: &str,
    answer: &Result<Prediction, ProviderError>,
    policy: &Policy,
    moment: Moment,
) -> Option<Fact> {
    let attempt = attempt.to_owned();
    let error = match answer {
        Ok(prediction) => {
            let prediction_id = prediction.id.clone();
            return Some(Fact::AttemptAccepted { attempt, prediction_id, adopted: false });
        }
        Err(error) => error,
    };
    match error {
        ProviderError::Ambiguous(_) => None,
        ProviderError::NotMade(reason) => Some(stopped(state, attempt, reason, policy, moment)),
        ProviderError::NotSent(_) | ProviderError::Local(_) => {
            Some(not_made(state, attempt, Lost::NotSent, error.to_string(), policy, moment))
        }
        ProviderError::Throttled(wait) => Some(throttled(state, attempt, *wait, policy, moment)),
        ProviderError::Refused { status, detail } => {
            let failure = refused(*status, detail);
            Some(Fact::AttemptLost { attempt, why: Lost::Refused, failure, retry_at: None })
        }
        ProviderError::TooLarge { .. } | ProviderError::ForeignHost { .. } => {
            let failure = Failure::new(FailureClass::Input, error.to_string());
            Some(Fact::AttemptLost { attempt, why: Lost::Refused, failure, retry_at: None })
        }
    }
}

/// The list was read back past the intent, late enough, and the attempt is not in it. `called`: this process made
/// the call, so the provider lost it. Otherwise whoever recorded the intent is gone, and the call may never have been
/// made.
#[must_use]
pub fn not_there(state: &OrderState, attempt: &str, called: bool, policy: &Policy, moment: Moment) -> Fact {
    let attempt = attempt.to_owned();
    if !called {
        return stopped(state, attempt, "a process ended before it knew the answer", policy, moment);
    }
    let reason =
        "the answer to the create call was lost, and the provider's list does not have it".to_owned();
    not_made(state, attempt, Lost::NotThere, reason, policy, moment)
}

/// An attempt that came to nothing because of us. It does not count as lost by the provider and is made again; only
/// an order that stops us every time ends some day.
fn stopped(state: &OrderState, attempt: String, reason: &str, policy: &Policy, moment: Moment) -> Fact {
    let stops = state.stopped();
    let again = stops + 1 < policy.max_stopped as usize;
    let failure = Failure::new(
        FailureClass::Unavailable,
        format!(
            "Filmstrip was stopped {} times while it was ordering this one, the last time because {reason}. Nothing \
             was charged; ask for a new take.",
            stops + 1
        ),
    );
    let retry_at = again.then(|| later(moment.now, backoff(policy, stops, moment.jitter)));
    Fact::AttemptLost { attempt, why: Lost::Stopped, failure, retry_at }
}

/// A call that bought nothing: tried again, a bounded number of times.
#[must_use]
pub fn not_made(
    state: &OrderState,
    attempt: String,
    why: Lost,
    reason: String,
    policy: &Policy,
    moment: Moment,
) -> Fact {
    let lost = state.lost();
    let again = lost + 1 < policy.max_lost as usize;
    let failure = Failure::new(
        FailureClass::Unavailable,
        format!(
            "The provider did not take it on, {} times in a row: {reason}. Nothing was charged.",
            lost + 1
        ),
    );
    let retry_at = again.then(|| later(moment.now, backoff(policy, lost, moment.jitter)));
    Fact::AttemptLost { attempt, why, failure, retry_at }
}

fn throttled(state: &OrderState, attempt: String, wait: Duration, policy: &Policy, moment: Moment) -> Fact {
    let since = state.throttled_since.unwrap_or(moment.now);
    let again = moment.now <= later(since, policy.throttle_patience);
    let failure = Failure::new(
        FailureClass::Account,
        "The provider kept refusing it because of the account's rate limit. Nothing was charged; \
         check the account's credit and limits, then ask for a new take.",
    );
    // Everybody waits until then; a little more keeps them from coming back in one moment.
    let retry_at = again.then(|| later(moment.now, wait + Duration::from_secs(1).mul_f64(moment.jitter)));
    Fact::AttemptLost { attempt, why: Lost::Throttled, failure, retry_at }
}

fn refused(status: u16, detail: &str) -> Failure {
    match status {
        401 | 403 => Failure::new(
            FailureClass::Account,
            format!("The provider refuses our API key (HTTP {status}: {detail}). Check REPLICATE_API_KEY."),
        ),
        402 => Failure::new(
            FailureClass::Account,
            format!(
                "The provider wants credit first (HTTP 402: {detail}). Top the account up, then ask for a new take."
            ),
        ),
        300..=399 | 404 | 405 => Failure::new(
            FailureClass::Provider,
            format!(
                "The provider does not know the model, or its address is wrong (HTTP {status}: {detail}). Nothing was \
                 charged; check the provider's base URL, then ask for a new take."
            ),
        ),
        _ if classify::reported(detail) == Reported::Refused => refusal_of_content(detail),
        _ => Failure::new(
            FailureClass::Input,
            format!(
                "The provider cannot use this scene (HTTP {status}: {detail}). Change the scene and ask for a new take."
            ),
        ),
    }
}

fn refusal_of_content(detail: &str) -> Failure {
    Failure::new(
        FailureClass::Refused,
        format!("The provider refuses the content: {detail}. Change the prompt or the photos."),
    )
}

/// A prediction as it is now. `None`: it still runs.
#[must_use]
pub fn polled(
    state: &OrderState,
    attempt: &Attempt,
    prediction: &Prediction,
    price_micros: i64,
    policy: &Policy,
    moment: Moment,
) -> Option<Fact> {
    let over = |end: End, charged_micros: i64, retry_at: Option<Timestamp>| {
        Some(Fact::AttemptEnded { attempt: attempt.id.clone(), end, charged_micros, retry_at })
    };
    let failed = |class: FailureClass, reason: String| End::Failed(Failure::new(class, reason));
    match &prediction.status {
        Status::Starting | Status::Processing => None,
        Status::Succeeded => match prediction.output_url() {
            Some(url) => over(End::Succeeded { output_url: url.to_owned() }, price_micros, None),
            None => {
                let why = "The provider finished it and charged for it, but delivered nothing that can be fetched. \
                           Ask for a new take, and claim the money back from the provider.";
                over(failed(FailureClass::Output, why.to_owned()), price_micros, None)
            }
        },
        Status::Failed => {
            let (failure, retry_at) = reported_failure(state, &prediction.error_text(), policy, moment);
            over(End::Failed(failure), 0, retry_at)
        }
        Status::Canceled => {
            // What was begun is charged; how much of it, the provider does not say.
            let charged = if prediction.started_at.is_some() { price_micros } else { 0 };
            over(canceled(state, attempt, policy, moment.now), charged, None)
        }
        Status::Aborted => {
            let why = "The provider aborted it before it began. Nothing was charged; ask for a new take.";
            let end = if state.cancel.is_some() {
                End::Canceled
            } else {
                failed(FailureClass::Provider, why.to_owned())
            };
            over(end, 0, None)
        }
        Status::Other(_) if prediction.completed_at.is_none() => None,
        Status::Other(word) => {
            let why = format!(
                "The provider ended it in a status that Filmstrip does not know ({word:?}); it may have charged \
                 for it. Ask for a new take to try again."
            );
            over(failed(FailureClass::Provider, why), 0, None)
        }
    }
}

fn canceled(state: &OrderState, attempt: &Attempt, policy: &Policy, now: Timestamp) -> End {
    if state.cancel.is_some() {
        return End::Canceled;
    }
    if attempt.cancel_sent_at.is_some() || is_overdue(attempt, now, policy) {
        let minutes = policy.attempt_deadline.as_secs() / 60;
        return End::Failed(Failure::new(
            FailureClass::Overdue,
            format!(
                "The provider did not finish within {minutes} minutes, so it was stopped. Ask for a new take."
            ),
        ));
    }
    End::Failed(Failure::new(
        FailureClass::Provider,
        "It was canceled at the provider, not by Filmstrip. Ask for a new take if it is still wanted.",
    ))
}

fn reported_failure(
    state: &OrderState,
    error: &str,
    policy: &Policy,
    moment: Moment,
) -> (Failure, Option<Timestamp>) {
    let error = if error.is_empty() { "no reason given" } else { error };
    match classify::reported(error) {
        Reported::Refused => (refusal_of_content(error), None),
        Reported::Other => {
            let reason =
                format!("The provider could not make it: {error}. Nothing was charged; ask for a new take.");
            (Failure::new(FailureClass::Provider, reason), None)
        }
        reported @ (Reported::Transient | Reported::Unfetched) => {
            let made = state.accepted();
            let most = match reported {
                Reported::Unfetched => policy.max_unfetched.max(policy.max_attempts),
                _ => policy.max_attempts,
            };
            let reason = format!(
                "The provider failed at it {made} times, the last time with: {error}. Nothing was charged; \
                 ask for a new take later."
            );
            let again = made < most as usize && state.cancel.is_none();
            let pause = backoff(policy, made.saturating_sub(1), moment.jitter);
            (Failure::new(FailureClass::Provider, reason), again.then(|| later(moment.now, pause)))
        }
    }
}

/// The pause before a fresh attempt after `failures` earlier ones: doubled each time, spread over its upper half.
#[must_use]
pub fn backoff(policy: &Policy, failures: usize, jitter: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(u32::try_from(failures).unwrap_or(u32::MAX).min(20));
    let most = policy.backoff_first.saturating_mul(doubled).min(policy.backoff_most);
    most.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}
