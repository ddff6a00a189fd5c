//! What has to be done next, given the state and the time. Pure; asked again after every step, so that going on
//! after a crash is nothing special.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    config::Policy,
    fact::{End, Fact},
    order::{Failure, FailureClass, Outcome},
    state::{Attempt, How, OrderState, Over},
};

/// The next step of an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Nothing: it is over.
    Done,
    /// Make an attempt as soon as it is this order's turn.
    AwaitSlot,
    /// Conclude this; no call is needed.
    Record(Fact),
    /// Look for the attempt in the provider's list, not before then.
    Search {
        /// Attempt id.
        attempt: String,
        /// Earlier, its absence would prove nothing.
        not_before: Timestamp,
    },
    /// Ask whether the prediction that a webhook named is this attempt's.
    Confirm {
        /// Attempt id.
        attempt: String,
        /// The prediction named.
        prediction_id: String,
    },
    /// Tell the provider to cancel.
    Cancel {
        /// Attempt id.
        attempt: String,
        /// The provider's id.
        prediction_id: String,
    },
    /// Ask how the prediction is.
    Poll {
        /// Attempt id.
        attempt: String,
        /// The provider's id.
        prediction_id: String,
    },
    /// Fetch, check and keep the output.
    Store {
        /// Attempt id.
        attempt: String,
        /// The provider's id.
        prediction_id: String,
        /// Where the output is.
        output_url: String,
    },
}

/// The times of the create call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long it may take.
    pub post_timeout: Duration,
    /// How long after that a prediction may still appear in the list.
    pub orphan_margin: Duration,
}

/// `moment` plus `duration`, at most the end of time.
#[must_use]
pub fn later(moment: Timestamp, duration: Duration) -> Timestamp {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    moment.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// The next step of an order in this state at this time.
#[must_use]
pub fn next(state: &OrderState, now: Timestamp, policy: &Policy, timing: Timing) -> Step {
    if state.outcome.is_some() {
        return Step::Done;
    }
    let canceled =
        || Step::Record(Fact::OrderSettled { outcome: Outcome::Canceled { reason: reason(state) } });
    let Some(attempt) = state.attempts.last() else {
        return if state.cancel.is_some() { canceled() } else { Step::AwaitSlot };
    };
    let Some(over) = &attempt.over else {
        return match &attempt.prediction_id {
            None => resolve(attempt, now, policy, timing),
            Some(id) => follow(state, attempt, id, now, policy),
        };
    };
    match (over, &state.cancel) {
        (_, Some(_)) => canceled(),
        (Over { retry_at: Some(_), .. }, None) => Step::AwaitSlot,
        (Over { how: How::Ended(End::Succeeded { output_url }), .. }, None) => Step::Store {
            attempt: attempt.id.clone(),
            prediction_id: attempt.prediction_id.clone().unwrap_or_default(),
            output_url: output_url.clone(),
        },
        (Over { how: How::Lost(_, failure) | How::Ended(End::Failed(failure)), .. }, None) => {
            Step::Record(Fact::OrderSettled { outcome: Outcome::Failed(failure.clone()) })
        }
        // Only a cancel request or a deadline makes us cancel, and the deadline is recorded as a failure.
        (Over { how: How::Ended(End::Canceled), .. }, None) => canceled(),
    }
}

fn reason(state: &OrderState) -> String {
    state.cancel.clone().unwrap_or_else(|| "canceled at the provider".to_owned())
}

/// An intent without an id: adopted, proven absent, or unknown for good.
fn resolve(attempt: &Attempt, now: Timestamp, policy: &Policy, timing: Timing) -> Step {
    if now > later(attempt.intended_at, policy.memory) {
        return Step::Record(unknown(attempt));
    }
    if let Some(prediction_id) = attempt.hints.last() {
        return Step::Confirm { attempt: attempt.id.clone(), prediction_id: prediction_id.clone() };
    }
    let not_before = later(attempt.intended_at, timing.post_timeout + timing.orphan_margin);
    Step::Search { attempt: attempt.id.clone(), not_before }
}

/// The outcome of this attempt cannot be learned any more.
#[must_use]
pub fn unknown(attempt: &Attempt) -> Fact {
    let failure = Failure::new(
        FailureClass::Unknown,
        "It is not known whether the provider made this one: its answer was lost, and by now it has forgotten. \
         Nothing was bought again; ask for a new take if you want to pay for another.",
    );
    Fact::AttemptEnded {
        attempt: attempt.id.clone(),
        end: End::Failed(failure),
        charged_micros: 0,
        retry_at: None,
    }
}

/// A prediction that is known by its id.
fn follow(state: &OrderState, attempt: &Attempt, id: &str, now: Timestamp, policy: &Policy) -> Step {
    let (attempt_id, prediction_id) = (attempt.id.clone(), id.to_owned());
    let overdue = is_overdue(attempt, now, policy);
    if state.cancel.is_none() && !overdue && attempt.cancel_sent_at.is_none() {
        return Step::Poll { attempt: attempt_id, prediction_id };
    }
    match attempt.cancel_sent_at {
        None => Step::Cancel { attempt: attempt_id, prediction_id },
        Some(sent) if now > later(sent, policy.cancel_grace) => Step::Record(Fact::AttemptEnded {
            attempt: attempt_id,
            end: End::Failed(Failure::new(
                FailureClass::Overdue,
                "The provider did not finish in time and did not confirm that it stopped; it may have charged \
                 for it. Ask for a new take to try again.",
            )),
            charged_micros: 0,
            retry_at: None,
        }),
        Some(_) => Step::Poll { attempt: attempt_id, prediction_id },
    }
}

/// Whether a prediction has had more time than one may take.
#[must_use]
pub fn is_overdue(attempt: &Attempt, now: Timestamp, policy: &Policy) -> bool {
    let since = attempt.accepted_at.unwrap_or(attempt.intended_at);
    now > later(since, policy.attempt_deadline)
}
