//! What the provider tells us about its predictions. The services judge the signature.

use axum::{body::Body, extract::State};
use http::HeaderMap;
use protos::render::v1::ReceiveWebhookRequest;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::reply::Reply;
use crate::{
    app::App,
    params::{InPath, Params, collect},
    problem::{Kind, Problem, ProblemSchema},
};

/// Largest webhook, bytes.
const MAX_WEBHOOK: usize = 1_000_000;

/// What the provider is told, whatever it said.
#[derive(Serialize, ToSchema)]
pub(crate) struct Received {
    status: &'static str,
}

const RECEIVED: Received = Received { status: "ok" };

/// Takes a webhook of an attempt; 200 only once it is stored, or when it is not worth storing.
#[utoipa::path(
    post, path = "/api/webhooks/replicate/{service}/{attempt}", tag = "Webhooks", operation_id = "receive_webhook",
    params(
        ("service" = String, Path, description = "`render` or `audio`"),
        ("attempt" = String, Path, description = "The attempt that the prediction was made for"),
    ),
    responses(
        (status = 200, description = "Stored; or unsigned or forged, and then without effect", body = Received),
        (status = 503, description = "Could not be stored; send it again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn receive(
    State(app): State<App>,
    InPath((service, attempt)): InPath<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Reply<Received>, Problem> {
    take(&app, &service, attempt, &headers, body).await
}

/// Takes a webhook whose query names service and attempt. One that names none, as the older API had it, has no effect.
#[utoipa::path(
    post, path = "/api/webhooks/replicate", tag = "Webhooks", operation_id = "receive_webhook_by_query",
    params(
        ("service" = Option<String>, Query, description = "`render` or `audio`"),
        ("attempt" = Option<String>, Query, description = "The attempt that the prediction was made for"),
    ),
    responses(
        (status = 200, description = "Stored; or unsigned, forged or unnamed, and then without effect", body = Received),
        (status = 503, description = "Could not be stored; send it again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn receive_by_query(
    State(app): State<App>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Result<Reply<Received>, Problem> {
    let named = |name: &str| params.get(name).and_then(Value::as_str);
    match (named("service"), named("attempt")) {
        (Some(service), Some(attempt)) => take(&app, service, attempt.to_owned(), &headers, body).await,
        _ => {
            // What is sent is read, so that the answer reaches who is still sending it.
            let _ = collect(body, MAX_WEBHOOK).await;
            Ok(Reply::ok(RECEIVED))
        }
    }
}

/// Hands a webhook as it came to the service that made the attempt.
async fn take(
    app: &App,
    service: &str,
    attempt_id: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<Reply<Received>, Problem> {
    let body = collect(body, MAX_WEBHOOK).await?.to_vec();
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let request = ReceiveWebhookRequest { attempt_id, headers, body };
    let taken = match service {
        "render" => app.backends.render().receive_webhook(request).await,
        "audio" => app.backends.audio().receive_webhook(request).await,
        _ => return Err(Problem::framework(Kind::NotFound).detail("Webhooks go to `render` or to `audio`.")),
    };
    match taken {
        Ok(reply) => {
            if !reply.into_inner().accepted {
                tracing::warn!(service, "a webhook without a valid signature was ignored");
            }
            Ok(Reply::ok(RECEIVED))
        }
        Err(status) => {
            tracing::warn!(service, %status, "a webhook could not be stored");
            Err(Problem::flat(Kind::Unavailable, "The webhook could not be stored")
                .detail("Nothing was done with it; send it again in a moment."))
        }
    }
}
