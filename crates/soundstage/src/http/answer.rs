//! The bodies of Replicate's answers.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::clock::rfc3339;
use crate::ledger::Prediction;
use crate::models::Invalid;
use crate::stage::Shared;
use crate::sweeper::OUTPUT_SECONDS;

/// An error as Replicate writes it.
pub(crate) fn problem(status: StatusCode, title: &str, detail: &str) -> Response {
    (status, Json(json!({"title": title, "detail": detail, "status": status.as_u16()}))).into_response()
}

pub(crate) fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "Not found", "The requested resource could not be found.")
}

/// All that is wrong with an input.
pub(crate) fn invalid(wrong: &[Invalid]) -> Response {
    let detail: String = wrong.iter().map(|w| format!("- {}: {}\n", w.field, w.description)).collect();
    let fields: Vec<_> =
        wrong.iter().map(|w| json!({"field": w.field, "description": w.description})).collect();
    let body = json!({"title": "Input validation failed", "detail": detail, "status": 422, "invalid_fields": fields});
    (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
}

/// Whether input and output of a prediction are gone by now.
pub(crate) fn expired(stage: &Shared, prediction: &Prediction) -> bool {
    prediction
        .completed_at
        .is_some_and(|end| end.saturating_add(stage.clock.micros(OUTPUT_SECONDS)) < stage.clock.now())
}

/// A prediction as its owner sees it.
pub(crate) fn prediction(stage: &Shared, base: &str, prediction: &Prediction) -> Value {
    let gone = expired(stage, prediction);
    let id = &prediction.id;
    let output = prediction.output.as_ref().filter(|_| !gone).map(|name| {
        let extension = name.rsplit_once('.').map_or("bin", |(_, extension)| extension);
        format!("{base}/outputs/{id}/output.{extension}")
    });
    let mut body = json!({
        "id": id,
        "model": prediction.model,
        "version": prediction.version,
        "input": if gone { json!({}) } else { prediction.input.clone() },
        "logs": if gone { Value::Null } else { "".into() },
        "output": output,
        "data_removed": gone,
        "error": prediction.error,
        "status": prediction.status,
        "source": "api",
        "created_at": rfc3339(prediction.accepted_at),
        "started_at": prediction.started_at.map(rfc3339),
        "completed_at": prediction.completed_at.map(rfc3339),
        "urls": {
            "get": format!("{base}/v1/predictions/{id}"),
            "cancel": format!("{base}/v1/predictions/{id}/cancel"),
        },
    });
    if let (Some(start), Some(end)) = (prediction.started_at, prediction.completed_at) {
        let seconds = |micros: i64| micros as f64 / 1e6;
        body["metrics"] = json!({
            "predict_time": seconds(end - start),
            "total_time": seconds(end - prediction.accepted_at),
        });
    }
    body
}
