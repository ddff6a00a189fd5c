//! Why a URL could not be fetched.

use std::error::Error as _;
use std::time::Duration;

use blobs::BlobError;
use kit::{Code, ServiceError};

use super::guard::NotPublic;
use crate::fields::INVALID;

/// Why a URL could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The caller's text is no URL that can be fetched.
    #[error("{0}")]
    BadUrl(&'static str),
    /// It leads to an address that is not public.
    #[error(transparent)]
    NotPublic(#[from] NotPublic),
    /// A redirect leads to something that cannot be fetched.
    #[error("redirected to something that is no http or https URL")]
    BadRedirect,
    /// Too many redirects.
    #[error("redirected more than {0} times")]
    TooManyRedirects(usize),
    /// Any answer but 200.
    #[error("HTTP {0}")]
    Status(u16),
    /// The connection failed.
    #[error("{0}")]
    Transport(String),
    /// More bytes than allowed.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// It took too long.
    #[error("it took longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    /// Our own store failed.
    #[error(transparent)]
    Store(BlobError),
}

impl FetchError {
    /// From the HTTP client, whose words name neither the URL nor an address.
    pub(super) fn of_client(error: reqwest::Error) -> Self {
        let mut cause = error.source();
        let mut deepest = None;
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<NotPublic>() {
                return Self::NotPublic(found.clone());
            }
            deepest = Some(error.to_string());
            cause = error.source();
        }
        let timed_out = error.is_timeout();
        let words = deepest.unwrap_or_else(|| error.without_url().to_string());
        Self::Transport(if timed_out { format!("timed out: {words}") } else { words })
    }

    /// Whether the same may work in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Transport(_) => true,
            Self::Status(status) => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }
}

impl From<FetchError> for ServiceError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::BadUrl(why) => Self::validation([("source_url", INVALID), ("source_url", why)]),
            FetchError::Store(error) => Self::of_store(error),
            error => {
                let refusal = Self::new(Code::Invalid, "download_failed", "Failed to download from URL");
                refusal.fact("reason", error)
            }
        }
    }
}
