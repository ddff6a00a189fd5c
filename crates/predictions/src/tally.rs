//! What a fact adds to the metrics, once for each attempt.
//!
//! Whoever has appended a fact counts it, and only then: what was appended is not appended again. A process that ends
//! between the two has counted nothing, and nobody makes up for it: the metrics may say too little, never too much. What
//! was really paid is in the facts.

use std::time::Duration;

use jiff::Timestamp;
use telemetry::{
    KeyValue,
    metrics::{PREDICTION_DURATION, PROVIDER_SPEND, key},
};

use crate::{
    fact::{End, Fact, Lost},
    order::FailureClass,
    state::OrderState,
};

/// An attempt that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How, in one word.
    pub outcome: &'static str,
    /// How long it took from its intent on.
    pub took: Duration,
    /// What it cost, USD micros, as far as is known.
    pub charged_micros: i64,
}

/// The attempt that ends by `fact`, which happened `at` that time to an order in this state. None when the fact ends no
/// attempt, or one that is over already, or one that was given up before its intent.
#[must_use]
pub fn ended(before: &OrderState, fact: &Fact, at: Timestamp) -> Option<Ended> {
    let (id, outcome, charged_micros) = match fact {
        Fact::AttemptEnded { attempt, end, charged_micros, .. } => (attempt, how(end), *charged_micros),
        Fact::AttemptLost { attempt, why, failure, .. } => (attempt, why_lost(*why, failure.class), 0),
        _ => return None,
    };
    let attempt = before.attempt(id).filter(|attempt| attempt.over.is_none())?;
    // A clock that was set back makes no negative time.
    let took = Duration::try_from(at.duration_since(attempt.intended_at)).unwrap_or_default();
    Some(Ended { outcome, took, charged_micros })
}

fn how(end: &End) -> &'static str {
    match end {
        End::Succeeded { .. } => "succeeded",
        End::Failed(failure) => failure.class.word(),
        End::Canceled => "canceled",
    }
}

fn why_lost(why: Lost, class: FailureClass) -> &'static str {
    match why {
        Lost::NotSent => "not_sent",
        Lost::Throttled => "throttled",
        Lost::NotThere => "not_there",
        Lost::Stopped => "stopped",
        Lost::Refused => class.word(),
    }
}

/// Counts facts that were appended together to an order that was in state `before`.
pub(crate) fn count(provider: &'static str, model: &str, before: &OrderState, facts: &[Fact], at: Timestamp) {
    let mut state = before.clone();
    for fact in facts {
        if let Some(ended) = ended(&state, fact, at) {
            tell(provider, model, &ended);
        }
        state = state.after(fact, at);
    }
}

/// Adds an attempt to the metrics. To be called once for each, by whoever has recorded that it is over.
pub fn tell(provider: &'static str, model: &str, ended: &Ended) {
    let attributes = [
        KeyValue::new(key::PROVIDER, provider),
        KeyValue::new(key::MODEL, model.to_owned()),
        KeyValue::new(key::OUTCOME, ended.outcome),
    ];
    PREDICTION_DURATION.took(ended.took, &attributes);
    if ended.charged_micros > 0 {
        let micros = Duration::from_micros(ended.charged_micros.unsigned_abs());
        // A millionth is a millionth, of a second or of a dollar.
        PROVIDER_SPEND.add(micros.as_secs_f64(), &attributes[..2]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mark::Mark, order::Failure};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn intended(attempt: &str) -> Fact {
        let mark = Mark { field: "seed".into(), value: 1.into() };
        Fact::AttemptIntended { attempt: attempt.into(), input: serde_json::Value::Null, mark }
    }

    fn over(attempt: &str, end: End, charged_micros: i64) -> Fact {
        Fact::AttemptEnded { attempt: attempt.into(), end, charged_micros, retry_at: None }
    }

    fn succeeded(attempt: &str) -> Fact {
        over(attempt, End::Succeeded { output_url: "https://replicate.delivery/clip.mp4".into() }, 1_200_000)
    }

    fn lost(attempt: &str, why: Lost) -> Fact {
        let failure = Failure::new(FailureClass::Input, "no use");
        Fact::AttemptLost { attempt: attempt.into(), why, failure, retry_at: None }
    }

    /// What is counted of a story, each fact a second after the one before.
    fn counted(story: &[Fact]) -> Vec<Ended> {
        let (mut state, mut counted) = (OrderState::default(), Vec::new());
        for (fact, second) in story.iter().zip(0..) {
            counted.extend(ended(&state, fact, at(second)));
            state = state.after(fact, at(second));
        }
        counted
    }

    #[test]
    fn an_attempt_counts_once_however_often_its_end_is_run_through() {
        let story = [intended("a"), succeeded("a")];
        let once = [Ended { outcome: "succeeded", took: Duration::from_secs(1), charged_micros: 1_200_000 }];
        assert_eq!(counted(&story), once);
        let again = [succeeded("a"), over("a", End::Canceled, 7), lost("a", Lost::Stopped)];
        assert_eq!(counted(&[&story[..], &again].concat()), once);
    }

    #[test]
    fn what_is_counted_is_what_the_order_cost() {
        let failed = End::Failed(Failure::new(FailureClass::Provider, "E1000"));
        let story = [
            intended("a"),
            over("a", failed, 0),
            intended("b"),
            over("b", End::Canceled, 500_000),
            intended("c"),
            succeeded("c"),
        ];
        let state = story.iter().fold(OrderState::default(), |state, fact| state.after(fact, at(0)));
        let counted = counted(&story);
        let outcomes: Vec<_> = counted.iter().map(|ended| ended.outcome).collect();
        assert_eq!(outcomes, ["provider", "canceled", "succeeded"]);
        assert_eq!(counted.iter().map(|ended| ended.charged_micros).sum::<i64>(), state.cost_micros());
    }

    #[test]
    fn an_attempt_that_never_came_to_be_costs_nothing_and_says_why() {
        let words = |why| counted(&[intended("a"), lost("a", why)])[0];
        assert_eq!((words(Lost::Throttled).outcome, words(Lost::Throttled).charged_micros), ("throttled", 0));
        assert_eq!(words(Lost::Refused).outcome, "input");
        assert_eq!(counted(&[lost("a", Lost::Refused)]), [], "there was no intent");
    }
}
