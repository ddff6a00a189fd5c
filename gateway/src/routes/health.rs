//! Whether the gateway lives, and whether it can do its work.

use std::{collections::BTreeMap, time::Duration};

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::reply::Reply;
use crate::app::App;

/// How long a service may take to say that it is well.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alive {
    status: &'static str,
}

/// Says that the process runs.
#[utoipa::path(
    get, path = "/livez", tag = "Health", operation_id = "livez",
    responses((status = 200, description = "It runs", body = Alive))
)]
pub(crate) async fn livez() -> Reply<Alive> {
    Reply::ok(Alive { status: "alive" })
}

/// Which services answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`, `waiting` while a service that every request needs is away, or `stopping`.
    status: &'static str,
    /// Service name to `serving` or `away`; a service serves when one of its replicas does. None when stopping.
    services: BTreeMap<&'static str, &'static str>,
}

/// Says whether requests can be answered: assets and jobs are needed; the workers are only reported.
#[utoipa::path(
    get, path = "/readyz", tag = "Health", operation_id = "readyz",
    responses(
        (status = 200, description = "Ready", body = Ready),
        (status = 503, description = "Not ready", body = Ready),
    )
)]
pub(crate) async fn readyz(State(app): State<App>) -> Reply<Ready> {
    // At once: whoever asks is to send nothing more from now on.
    if !app.readiness.is_ready() || app.cancel.is_cancelled() {
        let stopping = Ready { status: "stopping", services: BTreeMap::new() };
        return Reply(StatusCode::SERVICE_UNAVAILABLE, stopping);
    }
    let asked =
        app.backends.services().map(|(name, channel)| async move { (name, channel.serves(PATIENCE).await) });
    let services: BTreeMap<_, _> = futures::future::join_all(asked)
        .await
        .into_iter()
        .map(|(name, serves)| (name, if serves { "serving" } else { "away" }))
        .collect();
    if ["asset", "job"].iter().all(|name| services[name] == "serving") {
        Reply::ok(Ready { status: "ready", services })
    } else {
        Reply(StatusCode::SERVICE_UNAVAILABLE, Ready { status: "waiting", services })
    }
}
