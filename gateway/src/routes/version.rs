//! Which build answers.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::reply::Reply;
use crate::app::App;

/// Which build answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Build {
    service: &'static str,
    /// Of the project, such as `0.1.0`.
    version: &'static str,
    /// The commit that it was built from; absent when the build was not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'static str>,
}

/// Says which build answers.
#[utoipa::path(
    get, path = "/version", tag = "Health", operation_id = "version",
    responses((status = 200, description = "The build", body = Build))
)]
pub(crate) async fn version(State(app): State<App>) -> Reply<Build> {
    let commit = app.settings.commit;
    Reply::ok(Build { service: "gateway", version: env!("CARGO_PKG_VERSION"), commit })
}
