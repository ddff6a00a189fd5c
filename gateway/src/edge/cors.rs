//! Which other web sites' pages may use the API (CORS). None, unless they are configured.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::settings::Origins;

/// How long a browser remembers what it was allowed.
const REMEMBERED: Duration = Duration::from_secs(3600);

const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// What pages may send.
const SENT: [HeaderName; 9] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::RANGE,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-request-id"),
];

/// What pages may read beyond what every page may.
const READ: [HeaderName; 9] = [
    header::ACCEPT_RANGES,
    header::ALLOW,
    header::CONTENT_DISPOSITION,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::ETAG,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
];

/// The layer that answers preflights and marks answers; none when no site may come.
pub(crate) fn layer(origins: &Origins) -> Option<CorsLayer> {
    let allowed = match origins {
        Origins::None => return None,
        Origins::Any => AllowOrigin::any(),
        Origins::These(these) => {
            AllowOrigin::list(these.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()))
        }
    };
    // No credentials: keys are sent by the page, never by the browser.
    let layer = CorsLayer::new().allow_origin(allowed).allow_methods(METHODS).allow_headers(SENT);
    Some(layer.expose_headers(READ).max_age(REMEMBERED))
}
