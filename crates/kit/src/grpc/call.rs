//! One call: its request, kept so that it can be sent again, and its answer, waited for until it is whole.

use std::future::ready;

use bytes::Bytes;
use http::{HeaderValue, request::Parts};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::{
    MAX_MESSAGE, MESSAGE_HEADER,
    idempotency::Method,
    outcome::{Failure, Got},
    replica::Replica,
};
use crate::deadline;

/// A call on its way.
pub(super) struct Call {
    head: Parts,
    body: Request,
    method: Method,
    repeatable: bool,
    deadline: Instant,
    /// The text of the span that it is made in.
    trace: Option<String>,
}

/// How a call ended that was answered in full: an extension of its response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended(pub(super) tonic::Code);

/// What a call sends.
enum Request {
    /// One message, with its header.
    Whole(Bytes),
    /// We do not know what, or a stream; it can be sent once.
    Once(Option<Body>),
}

impl Call {
    /// A call that must be answered by `deadline`, made in the span that `trace` names.
    ///
    /// # Errors
    /// The request is too large, or cannot be encoded.
    pub(super) async fn new(
        request: http::Request<Body>,
        deadline: Instant,
        trace: Option<String>,
    ) -> Result<Self, Status> {
        let (head, body) = request.into_parts();
        let method = Method::of(head.uri.path());
        let (body, repeatable) = if matches!(method, Method::Upload | Method::Unknown) {
            (Request::Once(Some(body)), false)
        } else {
            let body = whole(body).await?.to_bytes();
            let message = body.get(MESSAGE_HEADER..).unwrap_or_default();
            let repeatable = method.is_repeatable(message);
            (Request::Whole(body), repeatable)
        };
        Ok(Self { head, body, method, repeatable, deadline, trace })
    }

    /// Whether it may be sent again after that.
    pub(super) fn may_go_again(&self, failure: &Failure) -> bool {
        let still_there = !matches!(self.body, Request::Once(None));
        still_there
            && match failure.got {
                Got::Nowhere => true,
                Got::Sent => self.repeatable,
                Got::Answered => false,
            }
    }

    /// Asks a replica.
    pub(super) async fn ask(&mut self, replica: &Replica) -> Result<http::Response<Body>, Failure> {
        let response = replica.send(&mut || self.request()).await?;
        let (head, body) = response.into_parts();
        let address = &replica.address().dial;
        if let Some(away) = Failure::of_response(address, &head) {
            return Err(away);
        }
        if matches!(self.method, Method::Stream | Method::Unknown) {
            return Ok(http::Response::from_parts(head, body));
        }
        // A unary call is answered when all of the answer is there.
        let answer = whole(body).await.map_err(|status| match status.code() {
            tonic::Code::OutOfRange => Failure::of_call(status),
            _ => Failure::of_transport(address, &status),
        })?;
        let trailers = answer.trailers().cloned();
        if let Some(away) = trailers.as_ref().and_then(Failure::of_status) {
            return Err(away);
        }
        let body = Full::new(answer.to_bytes()).with_trailers(ready(trailers.clone().map(Ok)));
        let mut response = http::Response::from_parts(head, Body::new(body));
        if let Some(status) = trailers.as_ref().and_then(Status::from_header_map) {
            response.extensions_mut().insert(Ended(status.code()));
        }
        Ok(response)
    }

    fn request(&mut self) -> Option<http::Request<Body>> {
        let body = match &mut self.body {
            Request::Whole(bytes) => Body::new(Full::new(bytes.clone())),
            Request::Once(body) => body.take()?,
        };
        let mut head = self.head.clone();
        if let Some(trace) = self.trace.as_deref().and_then(|trace| HeaderValue::try_from(trace).ok()) {
            head.headers.insert("traceparent", trace);
        }
        // The deadline of a stream is for its beginning; the header would be for all of it.
        if self.method != Method::Stream {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if let Ok(left) = HeaderValue::try_from(deadline::timeout_text(left)) {
                head.headers.insert(deadline::HEADER, left);
            }
        }
        Some(http::Request::from_parts(head, body))
    }
}

/// All of a body that holds one message.
async fn whole(body: Body) -> Result<http_body_util::Collected<Bytes>, Status> {
    Limited::new(body, MAX_MESSAGE + MESSAGE_HEADER).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Status::out_of_range(format!("a message is larger than {MAX_MESSAGE} bytes"))
        } else {
            Status::from_error(error)
        }
    })
}
