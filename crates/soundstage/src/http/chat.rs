//! xAI: chat completions.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Value, json};

use super::Broken;
use crate::faults::{Fault, Kind, arrive, depart};
use crate::planner;
use crate::server::Hangup;
use crate::stage::Handle;

/// `POST /v1/chat/completions`
pub(super) async fn complete(
    State(stage): State<Handle>,
    Extension(hangup): Extension<Hangup>,
    body: Bytes,
) -> Result<Response, Broken> {
    stage.ledger.count("chat")?;
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => return Ok(refused(&format!("Failed to parse the request body as JSON: {error}"))),
    };
    if !request.get("messages").is_some_and(Value::is_array) {
        return Ok(refused(
            "Failed to deserialize the JSON body into the target type: missing field `messages`",
        ));
    }
    if request.get("stream").and_then(Value::as_bool) == Some(true) {
        return Ok(refused("Streaming is not supported here"));
    }
    let text = planner::request::text(&request);
    let script = stage.faults.script(Kind::Chat, &text);
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let content = planner::answer(&request, &script);
    let choices = if script.has(|fault| *fault == Fault::NoOutput) {
        json!([])
    } else {
        let message = json!({"role": "assistant", "content": content, "refusal": null});
        json!([{"index": 0, "message": message, "finish_reason": "stop"}])
    };
    let model = request.get("model").cloned().unwrap_or_else(|| "grok-4-1-fast-non-reasoning".into());
    let (asked, said) = (text.len() / 4, content.len() / 4);
    let body = Json(json!({
        "id": uuid::Uuid::new_v4(),
        "object": "chat.completion",
        "created": stage.clock.now() / 1_000_000,
        "model": model,
        "choices": choices,
        "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
        "system_fingerprint": "fp_soundstage",
    }));
    Ok(depart(stage.clock, &script, &hangup, body.into_response()).await)
}

fn refused(error: &str) -> Response {
    let body = json!({"code": "Client specified an invalid argument", "error": error});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
