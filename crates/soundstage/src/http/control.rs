//! The control plane, for tests and for people who wonder what the outside world saw.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{Broken, answer};
use crate::faults::FaultRules;
use crate::report::Ledger;
use crate::stage::Handle;

/// `GET /_stage`: it is up.
pub(super) async fn hello(State(stage): State<Handle>) -> Response {
    Json(json!({"soundstage": env!("CARGO_PKG_VERSION"), "base_url": stage.base})).into_response()
}

/// `GET /_stage/ledger`
pub(super) async fn ledger(State(stage): State<Handle>) -> Result<Json<Ledger>, Broken> {
    let (predictions, max_in_flight, requests) = stage.ledger.report()?;
    Ok(Json(Ledger { predictions, max_in_flight, requests, webhooks: stage.ledger.deliveries()? }))
}

/// `PUT /_stage/faults`
pub(super) async fn faults(State(stage): State<Handle>, body: Bytes) -> Response {
    match serde_json::from_slice::<FaultRules>(&body) {
        Ok(rules) => {
            let count = rules.rules.len();
            stage.faults.replace(rules);
            Json(json!({"rules": count})).into_response()
        }
        Err(error) => answer::problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Fault rules not understood",
            &error.to_string(),
        ),
    }
}

/// `POST /_stage/reset`
pub(super) async fn reset(State(stage): State<Handle>) -> Response {
    stage.faults.replace(FaultRules::default());
    Json(json!({"rules": 0})).into_response()
}

/// `PUT /_stage/keys`: `{"accepted": ["r8_…"]}`; null accepts any.
pub(super) async fn keys(State(stage): State<Handle>, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Keys {
        accepted: Option<Vec<String>>,
    }
    match serde_json::from_slice::<Keys>(&body) {
        Ok(keys) => {
            stage.keys.only(keys.accepted);
            Json(json!({"keys": "changed"})).into_response()
        }
        Err(error) => {
            answer::problem(StatusCode::UNPROCESSABLE_ENTITY, "Keys not understood", &error.to_string())
        }
    }
}

/// `POST /_stage/webhook-secret`: from now on webhooks are signed with a new secret.
pub(super) async fn new_webhook_secret(State(stage): State<Handle>) -> Result<Response, Broken> {
    *stage.secret.lock() = stage.ledger.new_webhook_secret()?;
    Ok(Json(json!({"webhook_secret": "changed"})).into_response())
}

/// `POST /_stage/release`
pub(super) async fn release(State(stage): State<Handle>) -> Result<Response, Broken> {
    let released = stage.ledger.release_held()?;
    stage.released.notify_waiters();
    Ok(Json(json!({"released": released})).into_response())
}
