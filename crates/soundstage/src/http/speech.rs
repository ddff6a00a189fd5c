//! ElevenLabs: a text spoken in one call. Also kept in the ledger, as a prediction of the kind `speech`.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Broken, predictions};
use crate::faults::{Fate, Kind, arrive, depart};
use crate::ledger::{Ending, NewPrediction};
use crate::media::{MediaError, speak_mp3};
use crate::server::Hangup;
use crate::stage::{Handle, Shared};

/// What a character costs, in USD.
const PRICE_PER_CHARACTER: f64 = 0.0001;
/// The longest text of one call, in characters.
const LONGEST: usize = 10_000;

#[derive(Clone, Deserialize)]
struct Speak {
    text: String,
    #[serde(default = "usual_model")]
    model_id: String,
    #[serde(default)]
    voice_settings: Settings,
}

#[derive(Clone, Default, Deserialize)]
struct Settings {
    speed: Option<f64>,
}

fn usual_model() -> String {
    "eleven_multilingual_v2".to_owned()
}

/// `POST /v1/text-to-speech/{voice}`
pub(super) async fn speak(
    State(stage): State<Handle>,
    Path(voice): Path<String>,
    Extension(hangup): Extension<Hangup>,
    body: Bytes,
) -> Result<Response, Broken> {
    stage.ledger.count("speech")?;
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let request: Speak = match serde_json::from_value(input.clone()) {
        Ok(request) => request,
        Err(error) => return Ok(invalid("body", &error.to_string())),
    };
    let script = stage.faults.script(Kind::Speech, &request.text);
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let length = request.text.chars().count();
    if request.text.trim().is_empty() || length > LONGEST {
        return Ok(invalid("text", &format!("String should have 1 to {LONGEST} characters")));
    }
    let id = predictions::new_id();
    let now = stage.clock.now();
    stage.ledger.accept(&NewPrediction {
        id: id.clone(),
        kind: "speech",
        model: format!("elevenlabs/{}", request.model_id),
        version: voice.clone(),
        prompt: request.text.clone(),
        input,
        price_usd: PRICE_PER_CHARACTER * length as f64,
        webhook: None,
        webhook_events: Vec::new(),
        fate: Fate::default(),
        accepted_at: now,
        visible_at: now,
    })?;
    stage.ledger.begin(&id, now)?;
    // On its own, so that it is spoken and charged even for a caller that hangs up.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let worker = stage.clone();
    stage.spawn(async move {
        let speed = request.voice_settings.speed.unwrap_or(1.0).clamp(0.7, 1.2);
        let made = speak_mp3(&worker.ffmpeg, &request.text, &voice, speed).await;
        record(&worker, &id, &made);
        let _ = sender.send(made);
    });
    let response = match receiver.await? {
        Ok(mp3) => ([(header::CONTENT_TYPE, "audio/mpeg")], mp3).into_response(),
        Err(error) => {
            let body = json!({"detail": {"status": "speech_failed", "message": error.0}});
            (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(body)).into_response()
        }
    };
    Ok(depart(stage.clock, &script, &hangup, response).await)
}

fn record(stage: &Shared, id: &str, made: &Result<Vec<u8>, MediaError>) {
    let end = match made {
        Ok(_) => Ending { status: "succeeded".to_owned(), charged: true, ..Ending::default() },
        Err(error) => {
            Ending { status: "failed".to_owned(), error: Some(error.0.clone()), ..Ending::default() }
        }
    };
    if let Err(error) = stage.ledger.finish(id, &end, stage.clock.now()) {
        tracing::error!(%error, "soundstage could not record a speech");
    }
}

fn invalid(field: &str, message: &str) -> Response {
    let body = json!({"detail": [{"loc": ["body", field], "msg": message, "type": "value_error"}]});
    (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(body)).into_response()
}
