//! A page for trying out the pipeline in a browser. It asks for the key itself, so that it opens without one, and
//! loads nothing from elsewhere.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, header};

const PAGE: &str = include_str!("ui.html");
/// What the page may do: its own script and styles, this server, nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
     img-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A page for trying out the pipeline.
#[utoipa::path(
    get, path = "/api/v3/testing/ui", tag = "Testing", operation_id = "get_testing_page",
    responses((status = 200, description = "The page", content_type = "text/html"))
)]
pub(crate) async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (HeaderName::from_static("content-security-policy"), POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, PAGE).into_response()
}
