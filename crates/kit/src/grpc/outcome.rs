//! What became of a call that failed: whether it may have been carried out, and whether its replica is to blame.

use std::error::Error;

use http::{HeaderMap, StatusCode, response::Parts};
use tonic::{Code, ConnectError, Status};

/// How far a call got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// No handler saw it: sending it again is the first time.
    Nowhere,
    /// It was sent, and no answer came.
    Sent,
    /// It was answered, or the replica lives and gave this one call up: asking again would end in the same.
    Answered,
}

/// A call that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) got: Got,
    /// The connection is of no more use.
    pub(super) disconnected: bool,
    pub(super) status: Status,
}

impl Failure {
    /// There was nothing to send it to.
    pub(super) fn unreachable(why: impl std::fmt::Display) -> Self {
        Self { got: Got::Nowhere, disconnected: true, status: Status::unavailable(why.to_string()) }
    }

    /// The call itself cannot be sent or its answer not be taken.
    pub(super) fn of_call(status: Status) -> Self {
        Self { got: Got::Answered, disconnected: false, status }
    }

    /// The transport gave up.
    pub(super) fn of_transport(address: &str, error: &(dyn Error + 'static)) -> Self {
        let (got, disconnected) = how_far(error);
        let why = causes(error);
        let status = match got {
            Got::Nowhere => Status::unavailable(format!("{address} did not take the call: {why}")),
            Got::Sent => Status::unavailable(format!("{address} did not answer the call: {why}")),
            Got::Answered => Status::internal(format!("{address} gave the call up: {why}")),
        };
        Self { got, disconnected, status }
    }

    /// A response that only says that the service is away.
    pub(super) fn of_response(address: &str, response: &Parts) -> Option<Self> {
        let sent = |status| Some(Self { got: Got::Sent, disconnected: false, status });
        match response.status {
            StatusCode::OK => Self::of_status(&response.headers),
            // A proxy on the way speaks for a replica that it cannot reach.
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS => {
                sent(Status::unavailable(format!("{address}: HTTP status {}", response.status)))
            }
            _ => None,
        }
    }

    /// The status in headers or trailers, if it says that nobody could see to the call.
    ///
    /// A refusal of ours has details. A service that says with reasons that something is away has decided; asking
    /// it again at once would only repeat what it did.
    pub(super) fn of_status(headers: &HeaderMap) -> Option<Self> {
        let status = Status::from_header_map(headers)?;
        let away = status.code() == Code::Unavailable && status.details().is_empty();
        away.then(|| Self { got: Got::Sent, disconnected: false, status })
    }

    /// Whether the replica is better left aside for a while.
    pub(super) fn blames_replica(&self) -> bool {
        self.got != Got::Answered
    }
}

/// How far a call got that ended in this error, and whether its connection is lost.
fn how_far(error: &(dyn Error + 'static)) -> (Got, bool) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // What is sent on a connection that was closed before is an attempt to connect again.
        if error.is::<ConnectError>() {
            return (Got::Nowhere, true);
        }
        // hyper calls a request canceled that still waited in its queue.
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled) {
            return (Got::Nowhere, true);
        }
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return of_h2(error);
        }
        cause = error.source();
    }
    (Got::Sent, true)
}

fn of_h2(error: &h2::Error) -> (Got, bool) {
    match error.reason() {
        // The two ways of HTTP/2 to say that a request was not looked at (RFC 9113, 8.7).
        Some(h2::Reason::REFUSED_STREAM) => (Got::Nowhere, false),
        Some(h2::Reason::NO_ERROR) if error.is_go_away() && error.is_remote() => (Got::Nowhere, true),
        // A handler that died takes only its own stream with it.
        _ if error.is_reset() => (Got::Answered, false),
        _ => (Got::Sent, true),
    }
}

fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
