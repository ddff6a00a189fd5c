//! Who may come in: API keys, and signed links for what a browser opens by itself.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, Uri};
use kit::signing::BadSignature;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{
    app::App,
    problem::{Kind, Problem},
};

const HEADER: &str = "x-api-key";
/// The contract's text, exactly.
const REFUSAL: &str = "missing or invalid x-api-key header";

/// The keys that open the API, as digests, so that comparing takes the same time whatever was sent.
pub(crate) struct Keys(Vec<[u8; 32]>);

impl Keys {
    pub(crate) fn new(keys: &[SecretString]) -> Self {
        Self(keys.iter().map(|key| digest(key.expose_secret().as_bytes())).collect())
    }

    /// Whether every request passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the headers hold exactly one key, and it is one of ours.
    fn admit(&self, headers: &HeaderMap) -> bool {
        let mut given = headers.get_all(HEADER).iter();
        let (Some(only), None) = (given.next(), given.next()) else { return false };
        let given = digest(only.as_bytes());
        let found = self.0.iter().fold(Choice::from(0), |found, key| found | key.ct_eq(&given));
        self.is_empty() || bool::from(found)
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lets a request with a key pass.
pub(crate) async fn key(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.keys.is_empty() && is_write(request.method()) && is_from_another_site(request.headers()) {
        return refusal("Without a key, requests from other web sites may only read.").into_response();
    }
    if app.keys.is_empty() || app.keys.admit(request.headers()) {
        return next.run(request).await;
    }
    refusal("Send one of the configured keys in exactly one X-API-Key header.").into_response()
}

fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Browsers say where a request comes from (Fetch Metadata); other callers send no such header.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// Lets a request with a key, or with a link that we signed for its path, pass.
pub(crate) async fn key_or_link(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.keys.is_empty() || app.keys.admit(request.headers()) {
        return next.run(request).await;
    }
    match signature(&app, request.uri()) {
        Some(Ok(())) => next.run(request).await,
        Some(Err(bad)) => refusal(&format!("This link does not open it: {bad}.")).into_response(),
        None => refusal(
            "Send a key in exactly one X-API-Key header, or use a signed link from the job's `links`.",
        )
        .into_response(),
    }
}

/// Lets only a request with a link that we signed for its path pass, also when no key is set.
pub(crate) async fn link_only(State(app): State<App>, request: Request, next: Next) -> Response {
    let why = match signature(&app, request.uri()) {
        Some(Ok(())) => return next.run(request).await,
        Some(Err(bad)) => bad.to_string(),
        None => "this path needs the expires and signature of a signed link".to_owned(),
    };
    Problem::flat(Kind::LinkRefused, why).into_response()
}

/// What the signature in the query is worth; none when there is none.
fn signature(app: &App, uri: &Uri) -> Option<Result<(), BadSignature>> {
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
        Some(expires) => app.signer.verify(uri.path(), expires, &signature, app.clock.now()),
        None => Err(BadSignature::Wrong),
    };
    Some(checked)
}

fn refusal(detail: &str) -> Problem {
    Problem::flat(Kind::Unauthorized, REFUSAL).detail(detail)
}
