//! The wire: routes, keys, and what the handlers share.

pub(crate) mod answer;
mod chat;
mod control;
mod files;
mod music;
mod outputs;
mod predictions;
mod speech;

use std::convert::Infallible;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use parking_lot::Mutex;

use crate::stage::Handle;

/// The largest request body, as the files API of Replicate has it.
const MAX_BODY: usize = 100 << 20;

/// All routes of a stage.
pub(crate) fn router(stage: Handle) -> Router {
    let providers = Router::new()
        .route("/v1/predictions", post(predictions::create).get(predictions::list))
        .route("/v1/models/{owner}/{name}/predictions", post(predictions::create_for_model))
        .route("/v1/predictions/{id}", get(predictions::get))
        .route("/v1/predictions/{id}/cancel", post(predictions::cancel))
        .route("/v1/webhooks/default/secret", get(predictions::webhook_secret))
        .route("/v1/files", post(files::upload).get(files::list))
        .route("/v1/files/{id}", get(files::get).delete(files::delete))
        .route("/v1/files/{id}/download", get(files::download))
        .route("/v1/chat/completions", post(chat::complete))
        .route_layer(from_fn_with_state(stage.clone(), bearer));
    let music = Router::new()
        .route("/v1/music", post(music::compose))
        .route("/v1/text-to-speech/{voice}", post(speech::speak))
        .route_layer(from_fn_with_state(stage.clone(), xi_key));
    Router::new()
        .merge(providers)
        .merge(music)
        .route("/outputs/{id}/{name}", get(outputs::serve))
        .route("/_stage", get(control::hello))
        // Where `filmstrip-gateway healthcheck` asks, which is what its container has.
        .route("/readyz", get(control::hello))
        .route("/_stage/ledger", get(control::ledger))
        .route("/_stage/faults", put(control::faults))
        .route("/_stage/reset", post(control::reset))
        .route("/_stage/release", post(control::release))
        .route("/_stage/keys", put(control::keys))
        .route("/_stage/webhook-secret", post(control::new_webhook_secret))
        .fallback(|| async { answer::not_found() })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(stage)
}

async fn bearer(State(stage): State<Handle>, request: Request, next: Next) -> Response {
    let key = bearer_key(request.headers());
    if key.is_some_and(|key| stage.keys.accepts(key)) {
        return next.run(request).await;
    }
    // As some providers do: what was wrong is told back.
    let detail = match key {
        Some(key) => format!("You did not pass a valid authentication token: {key}"),
        None => "You did not pass a valid authentication token".to_owned(),
    };
    answer::problem(StatusCode::UNAUTHORIZED, "Unauthenticated", &detail)
}

/// The key of `Bearer <key>` or of the older `Token <key>`.
fn bearer_key(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    Some(key.trim()).filter(|key| known && !key.is_empty())
}

async fn xi_key(State(stage): State<Handle>, request: Request, next: Next) -> Response {
    let key = request.headers().get("xi-api-key").and_then(|value| value.to_str().ok()).map(str::trim);
    let key = key.filter(|key| !key.is_empty());
    if key.is_some_and(|key| stage.keys.accepts(key)) {
        return next.run(request).await;
    }
    let message = key.map_or_else(|| "Invalid API key".to_owned(), |key| format!("Invalid API key: {key}"));
    let body = serde_json::json!({"detail": {"status": "invalid_api_key", "message": message}});
    (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
}

/// The keys that are accepted: any, until some are named.
#[derive(Debug, Default)]
pub(crate) struct Accepted(Mutex<Option<Vec<String>>>);

impl Accepted {
    fn accepts(&self, key: &str) -> bool {
        self.0.lock().as_ref().is_none_or(|keys| keys.iter().any(|accepted| accepted == key))
    }

    /// None: any.
    fn only(&self, keys: Option<Vec<String>>) {
        *self.0.lock() = keys;
    }
}

/// The base URL that the caller used, for the URLs in answers.
pub(crate) struct Base(pub(crate) Option<String>);

impl Base {
    pub(crate) fn or<'a>(&'a self, own: &'a str) -> &'a str {
        self.0.as_deref().unwrap_or(own)
    }
}

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        Ok(Self(host.map(|host| format!("http://{host}"))))
    }
}

/// The stage's own memory failed.
pub(crate) struct Broken(String);

impl<E: std::error::Error> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "soundstage could not answer");
        answer::problem(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error", &self.0)
    }
}
