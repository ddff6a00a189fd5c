//! How calls are told of: each by a span and in the metrics, but polls that bring nothing, of which there are many, in the
//! metrics alone.

use url::Url;

use super::{Client, wire::Prediction};
use crate::{call::Call, error::ProviderError};

/// What traces and metrics call this provider.
pub(crate) const PROVIDER: &str = "replicate";

impl Client {
    /// A call of the API that begins now.
    pub(super) fn call(&self, operation: &'static str, name: &'static str) -> Call {
        Call::begin(PROVIDER, operation, name, host(&self.api))
    }

    /// A question that may be one of many.
    pub(super) fn poll(&self, operation: &'static str, name: &'static str) -> Call {
        Call::begin_quietly(PROVIDER, operation, name, host(&self.api))
    }
}

/// The host that an address names.
pub(super) fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// Makes a call and tells how it ended.
pub(super) async fn told<T>(
    call: &Call,
    asking: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    let answer = call.run(asking).await;
    call.end(answer.as_ref().err().map(ProviderError::class));
    answer
}

/// Whether a poll brought anything: an end, or a failure that will not pass.
pub(super) fn is_news(answer: &Result<Prediction, ProviderError>) -> bool {
    match answer {
        Ok(prediction) => prediction.is_over(),
        Err(error) => !error.is_transient(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replicate::wire::Status;

    fn prediction(status: Status) -> Result<Prediction, ProviderError> {
        Ok(Prediction { status, ..Prediction::default() })
    }

    #[test]
    fn a_poll_that_finds_it_running_or_finds_nobody_is_no_news() {
        for status in [Status::Starting, Status::Processing, Status::Other("paused".into())] {
            assert!(!is_news(&prediction(status)));
        }
        assert!(!is_news(&Err(ProviderError::Ambiguous("reset".into()))));
        for status in [Status::Succeeded, Status::Failed, Status::Canceled, Status::Aborted] {
            assert!(is_news(&prediction(status)));
        }
        assert!(is_news(&Err(ProviderError::Refused { status: 404, detail: "not found".into() })));
    }
}
