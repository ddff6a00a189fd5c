//! Headers that every answer carries.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, header};

const DEFAULT_CACHE: HeaderValue = HeaderValue::from_static("max-age=0, private, must-revalidate");

/// Adds what a handler left open.
pub(crate) async fn defaults(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(DEFAULT_CACHE);
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}
