//! Faults of the connection itself: late, wrong, broken or missing answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::engine::Script;
use super::rules::Fault;
use crate::clock::StageClock;
use crate::http::answer;
use crate::server::Hangup;

/// Before the work: latency, and answers that come in place of the work. `Some` ends the request.
pub(crate) async fn arrive(clock: StageClock, script: &Script) -> Option<Response> {
    for fault in &script.0 {
        match fault {
            Fault::Latency { seconds } => clock.sleep(*seconds).await,
            Fault::Status { accepted: false, code, retry_after, detail } => {
                return Some(status(*code, *retry_after, detail.as_deref()));
            }
            Fault::NeverAnswers { accepted: false } => std::future::pending().await,
            Fault::GarbageJson { accepted: false } => return Some(garbage(StatusCode::OK)),
            _ => {}
        }
    }
    None
}

/// After the work: what becomes of its answer.
pub(crate) async fn depart(
    clock: StageClock,
    script: &Script,
    hangup: &Hangup,
    mut response: Response,
) -> Response {
    for fault in &script.0 {
        match fault {
            Fault::DelayedAnswer { seconds } => clock.sleep(*seconds).await,
            Fault::AcceptThenDrop => hangup.now().await,
            Fault::NeverAnswers { accepted: true } => std::future::pending().await,
            Fault::Status { accepted: true, code, retry_after, detail } => {
                response = status(*code, *retry_after, detail.as_deref());
            }
            Fault::GarbageJson { accepted: true } => response = garbage(response.status()),
            _ => {}
        }
    }
    response
}

fn status(code: u16, retry_after: Option<u64>, detail: Option<&str>) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let wait = retry_after.unwrap_or(30);
    let text = match (detail, code) {
        (Some(detail), _) => detail.to_owned(),
        (None, StatusCode::TOO_MANY_REQUESTS) => {
            format!("Request was throttled. Your rate limit resets in ~{wait}s.")
        }
        (None, code) => code.canonical_reason().unwrap_or("Something went wrong").to_owned(),
    };
    let mut response = answer::problem(code, code.canonical_reason().unwrap_or("Error"), &text);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn garbage(code: StatusCode) -> Response {
    let body = r#"{"id": "gm3q, "status": <html><body>upstream connect error</body>"#;
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
