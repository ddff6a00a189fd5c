//! A call as others see it: its span and its metric, made or served.
//!
//! Names and attributes are those of the semantic conventions
//! (<https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/>). Health and reflection are left out: they tell nothing of
//! anybody's work.

use std::future::Future;

use telemetry::{
    KeyValue,
    metrics::{Histogram, RPC_CLIENT_CALL_DURATION, RPC_SERVER_CALL_DURATION, key},
    trace::{Span, span},
};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};

use super::{call::Ended, idempotency::Method};

/// Methods that nobody knows are told of by this name: a caller could make up any number.
const UNKNOWN: &str = "unknown";

/// A call under way.
#[derive(Debug)]
pub(super) struct Seen(Option<Watched>);

#[derive(Debug)]
struct Watched {
    span: Span,
    method: String,
    began: Instant,
    duration: &'static Histogram,
    /// Whether this end is to blame for a status.
    blames: fn(Code) -> bool,
}

impl Seen {
    /// A call that is made now, in the current trace or one of its own.
    pub(super) fn made(path: &str) -> Self {
        let blames = |code| code != Code::Ok;
        Self::watched(path, |name| span(name).client().start(), &RPC_CLIENT_CALL_DURATION, blames)
    }

    /// A call that is served now, for a caller in the trace that `traceparent` names.
    pub(super) fn served(path: &str, traceparent: Option<&str>) -> Self {
        let begin = |name| span(name).server().under(traceparent).start();
        Self::watched(path, begin, &RPC_SERVER_CALL_DURATION, is_our_failure)
    }

    fn watched(
        path: &str,
        begin: impl FnOnce(String) -> Span,
        duration: &'static Histogram,
        blames: fn(Code) -> bool,
    ) -> Self {
        let Some(name) = path.strip_prefix('/').filter(|name| name.starts_with("filmstrip.")) else {
            return Self(None);
        };
        let method = if Method::of(path) == Method::Unknown { UNKNOWN } else { name }.to_owned();
        let span = begin(method.clone());
        span.set("rpc.system.name", "grpc");
        span.set(key::RPC_METHOD, method.clone());
        Self(Some(Watched { span, method, began: Instant::now(), duration, blames }))
    }

    /// The text of its span.
    pub(super) fn traceparent(&self) -> Option<String> {
        self.0.as_ref().and_then(|watched| watched.span.traceparent())
    }

    /// Runs `future` within its span.
    pub(super) async fn run<F: Future>(&self, future: F) -> F::Output {
        match &self.0 {
            Some(watched) => watched.span.run(future).await,
            None => future.await,
        }
    }

    /// A call that was made has this answer.
    pub(super) fn ended(&self, answer: &Result<http::Response<Body>, Status>) {
        let code = match answer {
            Ok(response) => of_response(response),
            Err(status) => status.code(),
        };
        self.end(code);
    }

    /// A call that was served has this answer.
    pub(super) fn answered<B>(&self, answer: &http::Response<B>) {
        self.end(Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code()));
    }

    fn end(&self, code: Code) {
        let Some(Watched { span, method, began, duration, blames }) = &self.0 else { return };
        let status = name(code);
        let mut attributes =
            vec![KeyValue::new(key::RPC_METHOD, method.clone()), KeyValue::new(key::RPC_STATUS, status)];
        span.set(key::RPC_STATUS, status);
        if blames(code) {
            span.set(key::ERROR, status);
            span.fail(status);
            attributes.push(KeyValue::new(key::ERROR, status));
        }
        duration.took(began.elapsed(), &attributes);
    }
}

fn of_response(response: &http::Response<Body>) -> Code {
    let ended = response.extensions().get::<Ended>().map(|ended| ended.0);
    let refused = || Status::from_header_map(response.headers()).map(|status| status.code());
    ended.or_else(refused).unwrap_or(Code::Ok)
}

/// Statuses that say that the server did wrong, as the semantic conventions have it; the others are the caller's matter.
fn is_our_failure(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// A status by the name that the protocol gives it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
