//! Routes that answer JSON say so to a caller that does not take it.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, header};

use crate::problem::{Kind, Problem};

/// Answers 406 when `Accept` is there and admits no JSON.
pub(crate) async fn json_only(request: Request, next: Next) -> Response {
    if admits_json(request.headers()) {
        next.run(request).await
    } else {
        Problem::framework(Kind::NotAcceptable)
            .detail("This route answers application/json; send an Accept header that admits it, or none.")
            .into_response()
    }
}

fn admits_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    ranges.any(|range| {
        matches!(range.as_str(), "*/*" | "application/*" | "application/json")
            || (range.starts_with("application/") && range.ends_with("+json"))
    })
}
