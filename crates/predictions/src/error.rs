//! What can go wrong between us and the provider, and between a service and its engine.

use std::time::Duration;

/// A call to the provider that did not bring what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// This process stopped or was held up before the call: the provider has seen nothing.
    #[error("{0}")]
    NotMade(String),
    /// No connection came about: the provider has seen nothing.
    #[error("the provider cannot be reached: {0}")]
    NotSent(String),
    /// The call was sent and its outcome is not known: time-out, reset, 5xx, or an answer that is no answer.
    #[error("the provider's answer was lost: {0}")]
    Ambiguous(String),
    /// Refused for the moment; the account has to wait.
    #[error("the provider's rate limit is reached; it asks to wait {} s", .0.as_secs())]
    Throttled(Duration),
    /// Refused, with the HTTP status and the provider's words.
    #[error("the provider refused (HTTP {status}): {detail}")]
    Refused {
        /// HTTP status, 3xx or 4xx.
        status: u16,
        /// The provider's words.
        detail: String,
    },
    /// The output is larger than allowed.
    #[error("the output is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// The output lies where we do not download from.
    #[error("the output's address is not one of the provider's: {host}")]
    ForeignHost {
        /// The host.
        host: String,
    },
    /// Our own disk or object store failed.
    #[error("the bytes could not be kept: {0}")]
    Local(String),
}

impl ProviderError {
    /// What kind it is, as traces and metrics have it.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::NotMade(_) => "not_made",
            Self::NotSent(_) => "not_sent",
            Self::Ambiguous(_) => "ambiguous",
            Self::Throttled(_) => "throttled",
            Self::Refused { .. } => "refused",
            Self::TooLarge { .. } => "too_large",
            Self::ForeignHost { .. } => "foreign_host",
            Self::Local(_) => "local",
        }
    }

    /// Whether the same read-only call may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::NotSent(_) | Self::Ambiguous(_) | Self::Throttled(_) | Self::Local(_))
    }
}

/// What an engine refuses, or fails at.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The key is taken by another order.
    #[error("{key} was ordered before with a different content; use a new key for a new order")]
    DigestMismatch {
        /// The key.
        key: String,
    },
    /// The order cannot be followed up.
    #[error("the order {key} has neither media nor a seed member that could carry its mark")]
    NoMark {
        /// The key.
        key: String,
    },
    /// Another writer was faster, again and again.
    #[error("{key} is being changed by others; try again")]
    Busy {
        /// The key.
        key: String,
    },
    /// The provider's webhook secret could not be had; the webhook has to be sent again.
    #[error("webhooks cannot be checked at the moment")]
    NoSecret(#[source] ProviderError),
    /// The service's hook failed.
    #[error("the order's facts could not be turned into the service's own")]
    Buyer(#[source] anyhow::Error),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] eventlog::LogError),
    /// The log refused the write.
    #[error("the write was refused")]
    Append(#[source] eventlog::AppendError),
    /// A stored order cannot be read.
    #[error("the stored order {key} cannot be read")]
    Stored {
        /// The key.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}
