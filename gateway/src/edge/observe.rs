//! One id, one trace and one log line per request.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use http_body::{Body as HttpBody, Frame, SizeHint};
use telemetry::{
    KeyValue,
    metrics::{
        HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_BODY_SIZE, HTTP_SERVER_REQUEST_DURATION,
        HTTP_SERVER_RESPONSE_BODY_SIZE, Held, key,
    },
    trace::{Span, span},
};
use tokio::time::Instant;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Lengths of a caller's id that is echoed, bytes.
const ECHOED: std::ops::RangeInclusive<usize> = 20..=200;

/// Names the request, runs it in a span of its caller's trace, and tells how it went. Neither paths nor queries are told, only
/// the route: they may hold signatures.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let seen = Seen::begin(&request);
    let mut response = seen.span.run(next.run(request)).await;
    seen.span.enter(|| seen.answered(&response, id.to_str().unwrap_or_default()));
    response.headers_mut().insert(REQUEST_ID, id);
    seen.until_sent(response)
}

/// A request under way.
struct Seen {
    span: Span,
    began: Instant,
    method: &'static str,
    route: String,
    active: Held,
}

impl Seen {
    fn begin(request: &Request) -> Self {
        let method = known(request.method());
        let matched = request.extensions().get::<MatchedPath>();
        let route = matched.map_or("unmatched", |matched| matched.as_str()).to_owned();
        let parent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
        let span = span(format!("{method} {route}")).server().under(parent);
        let span = span.with(key::HTTP_METHOD, method).with(key::HTTP_ROUTE, route.clone()).start();
        if let Some(size) = request.body().size_hint().exact().filter(|size| *size > 0) {
            HTTP_SERVER_REQUEST_BODY_SIZE.record(count(size), &of_route(method, &route));
        }
        let active = HTTP_SERVER_ACTIVE_REQUESTS.hold(vec![KeyValue::new(key::HTTP_METHOD, method)]);
        Self { span, began: Instant::now(), method, route, active }
    }

    fn answered(&self, response: &Response, id: &str) {
        let (status, took) = (response.status(), self.began.elapsed());
        let mut attributes = of_route(self.method, &self.route);
        attributes.push(KeyValue::new(key::HTTP_STATUS, i64::from(status.as_u16())));
        self.span.set(key::HTTP_STATUS, i64::from(status.as_u16()));
        self.span.set("filmstrip.request.id", id.to_owned());
        if status.is_server_error() {
            self.span.set(key::ERROR, status.as_str().to_owned());
            self.span.fail(status.canonical_reason().unwrap_or("server error"));
            attributes.push(KeyValue::new(key::ERROR, status.as_str().to_owned()));
        }
        HTTP_SERVER_REQUEST_DURATION.took(took, &attributes);
        tracing::info!(
            request_id = id,
            method = self.method,
            route = self.route,
            status = status.as_u16(),
            milliseconds = took.as_millis(),
            "answered"
        );
    }

    /// The request counts as active until its answer is sent or given up.
    fn until_sent(self, response: Response) -> Response {
        let Self { method, route, active, .. } = self;
        response.map(|body| {
            Body::new(Sending { body, sent: 0, attributes: of_route(method, &route), _active: active })
        })
    }
}

fn of_route(method: &'static str, route: &str) -> Vec<KeyValue> {
    vec![KeyValue::new(key::HTTP_METHOD, method), KeyValue::new(key::HTTP_ROUTE, route.to_owned())]
}

/// A caller may make up methods; metrics do not follow.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

#[allow(clippy::cast_precision_loss, reason = "no body has 2^53 bytes")]
fn count(size: u64) -> f64 {
    size as f64
}

/// A body on its way out: its frames as they are, and how many bytes they had.
struct Sending {
    body: Body,
    sent: u64,
    attributes: Vec<KeyValue>,
    _active: Held,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.sent += data.len() as u64;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        HTTP_SERVER_RESPONSE_BODY_SIZE.record(count(self.sent), &self.attributes);
    }
}

fn request_id(request: &Request) -> HeaderValue {
    match request.headers().get(&REQUEST_ID) {
        Some(given) if ECHOED.contains(&given.len()) => given.clone(),
        _ => HeaderValue::try_from(Uuid::now_v7().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("unnamed")),
    }
}
