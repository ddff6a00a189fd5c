//! ElevenLabs: composing music in one call. Also kept in the ledger, as a music prediction.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Broken, predictions};
use crate::faults::{Fate, Kind, arrive, depart};
use crate::ledger::{Ending, NewPrediction};
use crate::media::{MediaError, compose_mp3, number};
use crate::server::Hangup;
use crate::stage::{Handle, Shared};

/// What a second of music costs, in USD.
const PRICE_PER_SECOND: f64 = 0.0083;

#[derive(Clone, Deserialize)]
struct Compose {
    prompt: String,
    #[serde(default = "ten_seconds")]
    music_length_ms: u32,
    seed: Option<u64>,
}

fn ten_seconds() -> u32 {
    10_000
}

/// `POST /v1/music`
pub(super) async fn compose(
    State(stage): State<Handle>,
    Extension(hangup): Extension<Hangup>,
    body: Bytes,
) -> Result<Response, Broken> {
    stage.ledger.count("music")?;
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let request: Compose = match serde_json::from_value(input.clone()) {
        Ok(request) => request,
        Err(error) => return Ok(invalid("body", &error.to_string())),
    };
    let script = stage.faults.script(Kind::Music, &request.prompt);
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    if !(3_000..=300_000).contains(&request.music_length_ms) {
        return Ok(invalid("music_length_ms", "Input should be between 3000 and 300000"));
    }
    let id = predictions::new_id();
    let now = stage.clock.now();
    stage.ledger.accept(&NewPrediction {
        id: id.clone(),
        kind: "music",
        model: "elevenlabs/music_v1".to_owned(),
        version: "music_v1".to_owned(),
        prompt: request.prompt.clone(),
        input,
        price_usd: PRICE_PER_SECOND * f64::from(request.music_length_ms) / 1000.0,
        webhook: None,
        webhook_events: Vec::new(),
        fate: Fate::default(),
        accepted_at: now,
        visible_at: now,
    })?;
    stage.ledger.begin(&id, now)?;
    // On its own, so that it is made and charged even for a caller that hangs up.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let worker = stage.clone();
    stage.spawn(async move {
        let made = make(&worker, &request).await;
        record(&worker, &id, &made);
        let _ = sender.send(made);
    });
    let response = match receiver.await? {
        Ok(mp3) => ([(header::CONTENT_TYPE, "audio/mpeg")], mp3).into_response(),
        Err(error) => {
            let body = json!({"detail": {"status": "composition_failed", "message": error.0}});
            (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(body)).into_response()
        }
    };
    Ok(depart(stage.clock, &script, &hangup, response).await)
}

async fn make(stage: &Shared, request: &Compose) -> Result<Vec<u8>, MediaError> {
    let chosen = request.seed.unwrap_or_else(|| number(stage.seed, &request.prompt));
    let seconds = f64::from(request.music_length_ms) / 1000.0;
    compose_mp3(&stage.ffmpeg, &request.prompt, chosen, stage.seed, seconds).await
}

fn record(stage: &Shared, id: &str, made: &Result<Vec<u8>, MediaError>) {
    let end = match made {
        Ok(_) => Ending { status: "succeeded".to_owned(), charged: true, ..Ending::default() },
        Err(error) => {
            Ending { status: "failed".to_owned(), error: Some(error.0.clone()), ..Ending::default() }
        }
    };
    if let Err(error) = stage.ledger.finish(id, &end, stage.clock.now()) {
        tracing::error!(%error, "soundstage could not record a composition");
    }
}

fn invalid(field: &str, message: &str) -> Response {
    let body = json!({"detail": [{"loc": ["body", field], "msg": message, "type": "value_error"}]});
    (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(body)).into_response()
}
