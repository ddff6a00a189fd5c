//! One id, one trace and one log line per request.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Lengths of a caller's id that is echoed, bytes.
const ECHOED: std::ops::RangeInclusive<usize> = 20..=200;

/// Names the request, runs it inside its caller's trace, and logs how it went. Queries are not logged:
/// they may hold signatures.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let parent =
        request.headers().get("traceparent").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |matched| matched.as_str().to_owned());
    let started = Instant::now();
    let mut response = kit::trace::continuing(parent.as_deref(), next.run(request)).await;
    tracing::info!(
        request_id = id.to_str().unwrap_or_default(),
        %method,
        route,
        status = response.status().as_u16(),
        milliseconds = started.elapsed().as_millis(),
        "answered"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn request_id(request: &Request) -> HeaderValue {
    match request.headers().get(&REQUEST_ID) {
        Some(given) if ECHOED.contains(&given.len()) => given.clone(),
        _ => HeaderValue::try_from(Uuid::now_v7().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("unnamed")),
    }
}
