//! Who may come in: keys with what they are for, and signed links for what a browser opens by itself.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `caller` | who sends a request, and what they may do |
//! | `keys` | configured keys, and those that the asset service keeps |
//! | `bound` | what a key of one client reaches |

mod bound;
mod caller;
mod keys;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, Uri, header};
use jiff::Timestamp;
use kit::signing::BadSignature;

pub(crate) use bound::check_fields;
pub(crate) use caller::Caller;
pub(crate) use keys::Keys;

use crate::{
    app::App,
    problem::{Family, Kind, Problem},
};

/// The contract's text, exactly.
const REFUSAL: &str = "missing or invalid x-api-key header";

/// That a request came with a signed link, and when the link ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByLink(pub(crate) Timestamp);

/// Whether a request to a route for everyone has a key, or a link that we signed for its path; always where no keys are
/// needed.
///
/// # Errors
/// The keys could not be asked for.
pub(crate) async fn is_known(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<bool, Problem> {
    if matches!(signature(app, uri), Some(Ok(_))) {
        return Ok(true);
    }
    Ok(app.keys.admit(app, headers).await?.is_some_and(|caller| caller.has("read")))
}

/// Lets a request with a key pass that is for what the request does.
pub(crate) async fn key(State(app): State<App>, request: Request, next: Next) -> Response {
    let open = app.keys.is_open();
    if open && is_write(request.method()) && is_from_another_site(&app, request.headers()) {
        return refusal("Without a key, requests from other web sites may only read.").into_response();
    }
    match app.keys.admit(&app, request.headers()).await {
        Ok(Some(caller)) => admitted(app, caller, request, next).await,
        Ok(None) => refusal("Send one valid key in exactly one X-API-Key header.").into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Lets a request with a key, or with a link that we signed for its path, pass.
pub(crate) async fn key_or_link(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let link = signature(&app, request.uri());
    if let Some(Ok(end)) = link {
        // Whoever was given the link could reach the thing, and it leads to nothing else.
        request.extensions_mut().insert(ByLink(end));
        return next.run(request).await;
    }
    match (app.keys.admit(&app, request.headers()).await, link) {
        (Ok(Some(caller)), _) => admitted(app, caller, request, next).await,
        (Ok(None), Some(Err(bad))) => refusal(&format!("This link does not open it: {bad}.")).into_response(),
        (Ok(None), _) => refusal(
            "Send a key in exactly one X-API-Key header, or use a signed link from the job's `links`.",
        )
        .into_response(),
        (Err(problem), _) => problem.into_response(),
    }
}

/// Lets only a request with a link that we signed for its path pass, also when no key is set.
pub(crate) async fn link_only(State(app): State<App>, request: Request, next: Next) -> Response {
    let why = match signature(&app, request.uri()) {
        Some(Ok(_)) => return next.run(request).await,
        Some(Err(bad)) => bad.to_string(),
        None => "this path needs the expires and signature of a signed link".to_owned(),
    };
    Problem::flat(Kind::LinkRefused, why).into_response()
}

/// Runs a request for a caller who may do it.
async fn admitted(app: App, caller: Caller, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let scope = needed(request.method(), path);
    if !caller.has(scope) {
        let detail = format!("This needs a key with the scope {scope:?}, and this key has not got it.");
        return forbidden(path, &detail).into_response();
    }
    let mut request = match bound::gate(&app, &caller, request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// What a key must be for to send a request to a route.
fn needed(method: &Method, path: &str) -> &'static str {
    if path.starts_with("/api/v3/keys") {
        "admin"
    } else if is_write(method) {
        "write"
    } else {
        "read"
    }
}

fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Browsers say where a request comes from (Fetch Metadata); other callers send no such header. A site that is
/// configured by its name is none of the others.
fn is_from_another_site(app: &App, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN);
    let named = origin.is_some_and(|origin| app.settings.cors_origins.names(origin.as_bytes()));
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") && !named
}

/// What the signature in the query is worth, and until when; none when there is none.
fn signature(app: &App, uri: &Uri) -> Option<Result<Timestamp, BadSignature>> {
    let (mut expires, mut signature) = (None, None);
    for (name, value) in url::form_urlencoded::parse(uri.query()?.as_bytes()) {
        match name.as_ref() {
            "expires" => expires = value.parse::<i64>().ok(),
            "signature" => signature = Some(value.into_owned()),
            _ => {}
        }
    }
    let signature = signature?;
    let checked = match expires {
        Some(expires) => app
            .signer
            .verify(uri.path(), expires, &signature, app.clock.now())
            .and_then(|()| Timestamp::from_second(expires).map_err(|_| BadSignature::Wrong)),
        None => Err(BadSignature::Wrong),
    };
    Some(checked)
}

fn refusal(detail: &str) -> Problem {
    Problem::flat(Kind::Unauthorized, REFUSAL).detail(detail)
}

/// A key that is valid and does not allow this.
fn forbidden(path: &str, detail: &str) -> Problem {
    Problem::new(Family::of_path(path), Kind::Forbidden, "The key does not allow this").detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_needs_read_writing_needs_write_and_keys_need_admin() {
        for (method, path, scope) in [
            (Method::GET, "/api/v3/clients", "read"),
            (Method::HEAD, "/api/v3/videos/{job_id}/combined", "read"),
            (Method::POST, "/api/v3/clients", "write"),
            (Method::DELETE, "/api/v3/assets/{id}", "write"),
            (Method::PUT, "/api/v3/testing/pipeline/config", "write"),
            (Method::GET, "/api/v3/keys", "admin"),
            (Method::POST, "/api/v3/keys", "admin"),
            (Method::DELETE, "/api/v3/keys/{id}", "admin"),
        ] {
            assert_eq!(needed(&method, path), scope, "{method} {path}");
        }
    }
}
