//! The fold of an order's facts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    fact::{End, Fact, Lost},
    mark::Mark,
    order::{Failure, Order, Outcome},
};

/// Everything that is known about an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderState {
    /// The order; none for a key that was canceled before it was ordered.
    pub order: Option<Order>,
    /// When the key was first heard of.
    pub placed_at: Option<Timestamp>,
    /// Why it is to be stopped, once somebody asked.
    pub cancel: Option<String>,
    /// Its attempts, oldest first; at most the last one is open.
    pub attempts: Vec<Attempt>,
    /// Since when the provider has done nothing but throttle it.
    pub throttled_since: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

/// One prediction, wanted or made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its id.
    pub id: String,
    /// When the intent was recorded, before the call.
    pub intended_at: Timestamp,
    /// What finds it in the provider's list.
    pub mark: Mark,
    /// The provider's id, once known.
    pub prediction_id: Option<String>,
    /// When the id was recorded.
    pub accepted_at: Option<Timestamp>,
    /// Predictions that verified webhooks named for it.
    #[serde(default)]
    pub hints: Vec<String>,
    /// When the provider was told to cancel.
    pub cancel_sent_at: Option<Timestamp>,
    /// How it ended; none while it may still run.
    pub over: Option<Over>,
}

impl Attempt {
    fn new(id: &str, mark: Mark, at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            intended_at: at,
            mark,
            prediction_id: None,
            accepted_at: None,
            hints: Vec::new(),
            cancel_sent_at: None,
            over: None,
        }
    }

    fn was_throttled(&self) -> bool {
        matches!(&self.over, Some(Over { how: How::Lost(Lost::Throttled, _), .. }))
    }
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Over {
    /// When that was recorded.
    pub at: Timestamp,
    /// How.
    pub how: How,
    /// What it cost, USD micros.
    pub charged_micros: i64,
    /// Not before then is a fresh attempt to be made; none when none is.
    pub retry_at: Option<Timestamp>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The provider never took it on.
    Lost(Lost, Failure),
    /// The provider brought it to an end.
    Ended(End),
}

/// Which of its three lives an order is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It wants a slot.
    Waiting,
    /// It has an attempt, or something to conclude from one.
    Active,
    /// It is over.
    Settled,
}

impl Phase {
    /// The word in the table.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Settled => "settled",
        }
    }
}

impl OrderState {
    /// The state after `fact`, which happened `at` that time. Total: a fact that does not fit changes nothing.
    #[must_use]
    pub fn after(mut self, fact: &Fact, at: Timestamp) -> Self {
        self.placed_at.get_or_insert(at);
        match fact {
            Fact::OrderPlaced { order } => self.order = Some((**order).clone()),
            Fact::CancelRequested { reason } => self.cancel = Some(reason.clone()),
            Fact::AttemptIntended { attempt, mark, .. } => {
                // Refusals for the rate limit can be many and leave nothing behind.
                self.attempts.retain(|attempt| !attempt.was_throttled());
                self.attempts.push(Attempt::new(attempt, mark.clone(), at));
            }
            Fact::AttemptAccepted { attempt, prediction_id, .. } => {
                self.throttled_since = None;
                if let Some(attempt) = self.attempt_mut(attempt) {
                    attempt.prediction_id = Some(prediction_id.clone());
                    attempt.accepted_at = Some(at);
                }
            }
            Fact::AttemptLost { attempt, why, failure, retry_at } => {
                if *why == Lost::Throttled {
                    self.throttled_since.get_or_insert(at);
                } else {
                    self.throttled_since = None;
                }
                if self.attempt(attempt).is_none() {
                    // It was given up before its intent: its media could not be made reachable.
                    self.attempts.push(Attempt::new(attempt, Mark::default(), at));
                }
                let how = How::Lost(*why, failure.clone());
                self.end(attempt, Over { at, how, charged_micros: 0, retry_at: *retry_at });
            }
            Fact::ProviderHinted { attempt, prediction_id } => {
                if let Some(attempt) = self.attempt_mut(attempt)
                    && !attempt.hints.contains(prediction_id)
                {
                    attempt.hints.push(prediction_id.clone());
                }
            }
            Fact::CancelSent { attempt } => {
                if let Some(attempt) = self.attempt_mut(attempt) {
                    attempt.cancel_sent_at.get_or_insert(at);
                }
            }
            Fact::AttemptEnded { attempt, end, charged_micros, retry_at } => {
                let how = How::Ended(end.clone());
                self.end(attempt, Over { at, how, charged_micros: *charged_micros, retry_at: *retry_at });
            }
            Fact::OrderSettled { outcome } => self.outcome = Some(outcome.clone()),
        }
        self
    }

    fn attempt_mut(&mut self, id: &str) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|attempt| attempt.id == id)
    }

    fn end(&mut self, id: &str, over: Over) {
        if let Some(attempt) = self.attempt_mut(id) {
            attempt.over.get_or_insert(over);
        }
    }

    /// The attempt of this id.
    #[must_use]
    pub fn attempt(&self, id: &str) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.id == id)
    }

    /// The attempt that may still run at the provider.
    #[must_use]
    pub fn open(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| attempt.over.is_none())
    }

    /// Attempts that the provider took on.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.prediction_id.is_some()).count()
    }

    /// Attempts that the provider did not take on. Refusals for the rate limit do not count, nor do attempts that
    /// came to nothing because a process of ours stopped.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.lost_for(|why| !matches!(why, Lost::Throttled | Lost::Stopped))
    }

    /// Attempts that came to nothing because a process of ours stopped.
    #[must_use]
    pub fn stopped(&self) -> usize {
        self.lost_for(|why| why == Lost::Stopped)
    }

    fn lost_for(&self, counts: impl Fn(Lost) -> bool) -> usize {
        let lost = |attempt: &&Attempt| matches!(&attempt.over, Some(Over { how: How::Lost(why, _), .. }) if counts(*why));
        self.attempts.iter().filter(lost).count()
    }

    /// What all attempts cost together, USD micros, as far as is known.
    #[must_use]
    pub fn cost_micros(&self) -> i64 {
        self.attempts.iter().filter_map(|attempt| attempt.over.as_ref()).map(|over| over.charged_micros).sum()
    }

    /// Which life it is in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        if self.outcome.is_some() {
            return Phase::Settled;
        }
        match self.attempts.last().map(|attempt| attempt.over.as_ref()) {
            None => Phase::Waiting,
            Some(Some(over)) if over.retry_at.is_some() => Phase::Waiting,
            Some(_) => Phase::Active,
        }
    }

    /// Before when no (further) attempt is to be made.
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        self.attempts.last().and_then(|attempt| attempt.over.as_ref()).and_then(|over| over.retry_at)
    }

    /// What a service tells of it.
    #[must_use]
    pub fn view(&self) -> OrderView {
        let last = self.attempts.last();
        let stage = match (&self.outcome, last) {
            (Some(_), _) => Stage::Settled,
            (None, None) => Stage::Waiting,
            (None, Some(attempt)) => match &attempt.over {
                Some(over) if over.retry_at.is_some() => Stage::Waiting,
                Some(_) => Stage::Storing,
                None if attempt.prediction_id.is_some() => Stage::Running,
                None => Stage::Starting,
            },
        };
        OrderView {
            stage,
            prediction_id: self.attempts.iter().rev().find_map(|attempt| attempt.prediction_id.clone()),
            attempts: u32::try_from(self.attempts.len()).unwrap_or(u32::MAX),
            cost_micros: self.cost_micros(),
            outcome: self.outcome.clone(),
            order: self.order.clone(),
        }
    }
}

/// An order as its service tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderView {
    /// Where it is.
    pub stage: Stage,
    /// The newest prediction's id.
    pub prediction_id: Option<String>,
    /// Attempts made so far, those the provider refused included.
    pub attempts: u32,
    /// What they cost together, USD micros, as far as is known.
    pub cost_micros: i64,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The order; none for a tombstone.
    pub order: Option<Order>,
}

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits for a slot.
    Waiting,
    /// The provider is being asked.
    Starting,
    /// The provider works on it.
    Running,
    /// The output is being fetched.
    Storing,
    /// It is over.
    Settled,
}
