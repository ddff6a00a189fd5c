//! The stored events: what happened to an order. One enum variant is one event kind.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    mark::Mark,
    order::{Failure, Order, Outcome},
};

/// Something that happened to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum Fact {
    /// It was placed.
    OrderPlaced {
        /// The order.
        order: Box<Order>,
    },
    /// Somebody asked for it to be stopped; on an unknown key this is a tombstone.
    CancelRequested {
        /// Why, in the asker's words.
        reason: String,
    },
    /// The provider is about to be called.
    AttemptIntended {
        /// Attempt id (UUIDv7).
        attempt: String,
        /// The input as it will be sent.
        input: Value,
        /// What finds the attempt in the provider's list.
        mark: Mark,
    },
    /// The provider took it on.
    AttemptAccepted {
        /// Attempt id.
        attempt: String,
        /// The provider's id.
        prediction_id: String,
        /// Found in the provider's list or by a webhook, because the answer was lost.
        adopted: bool,
    },
    /// The provider did not take it on; nothing was bought.
    AttemptLost {
        /// Attempt id.
        attempt: String,
        /// Why.
        why: Lost,
        /// The same for a person, and what the order fails with unless another attempt is made.
        failure: Failure,
        /// Not before then is another one to be made; none when it is not worth another.
        retry_at: Option<Timestamp>,
    },
    /// A verified webhook named a prediction for this attempt; nothing is believed yet.
    ProviderHinted {
        /// Attempt id.
        attempt: String,
        /// The prediction that the webhook is about.
        prediction_id: String,
    },
    /// The provider was told to cancel.
    CancelSent {
        /// Attempt id.
        attempt: String,
    },
    /// The prediction is over at the provider, or nothing more can be learned of it.
    AttemptEnded {
        /// Attempt id.
        attempt: String,
        /// How.
        end: End,
        /// What it cost, USD micros, as far as is known.
        charged_micros: i64,
        /// For an end that is worth a fresh attempt: not before then.
        retry_at: Option<Timestamp>,
    },
    /// How the order ended; nothing follows.
    OrderSettled {
        /// How.
        outcome: Outcome,
    },
}

/// Why an attempt never came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The call was not made, or did not reach the provider.
    NotSent,
    /// The provider refused it for the moment (429).
    Throttled,
    /// The answer was lost, and the provider's list does not have it.
    NotThere,
    /// The call was not made because this process stopped, died or was held up; it says nothing of the provider.
    Stopped,
    /// The provider refused it for good.
    Refused,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum End {
    /// Done; the output waits to be fetched.
    Succeeded {
        /// Where the output is.
        output_url: String,
    },
    /// Not done.
    Failed(Failure),
    /// Stopped, because we asked.
    Canceled,
}

impl Fact {
    /// Name of the event.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OrderPlaced { .. } => "OrderPlaced",
            Self::CancelRequested { .. } => "CancelRequested",
            Self::AttemptIntended { .. } => "AttemptIntended",
            Self::AttemptAccepted { .. } => "AttemptAccepted",
            Self::AttemptLost { .. } => "AttemptLost",
            Self::ProviderHinted { .. } => "ProviderHinted",
            Self::CancelSent { .. } => "CancelSent",
            Self::AttemptEnded { .. } => "AttemptEnded",
            Self::OrderSettled { .. } => "OrderSettled",
        }
    }
}
