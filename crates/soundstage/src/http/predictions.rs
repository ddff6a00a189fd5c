//! Replicate: create, get, list and cancel predictions.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Base, Broken, answer};
use crate::clock::parse_rfc3339;
use crate::faults::{Fate, Fault, Kind, Script, arrive, depart};
use crate::ledger::{NewPrediction, Prediction};
use crate::models::{Job, Model};
use crate::runner;
use crate::server::Hangup;
use crate::stage::{Handle, Shared};

/// Predictions on one page of the list.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Create {
    version: Option<String>,
    model: Option<String>,
    #[serde(default)]
    input: Value,
    webhook: Option<String>,
    #[serde(default)]
    webhook_events_filter: Vec<String>,
}

/// `POST /v1/predictions`
pub(super) async fn create(
    State(stage): State<Handle>,
    Extension(hangup): Extension<Hangup>,
    base: Base,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Broken> {
    create_one(stage, hangup, base, headers, body, None).await
}

/// `POST /v1/models/{owner}/{name}/predictions`
pub(super) async fn create_for_model(
    State(stage): State<Handle>,
    Path((owner, name)): Path<(String, String)>,
    Extension(hangup): Extension<Hangup>,
    base: Base,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Broken> {
    create_one(stage, hangup, base, headers, body, Some(format!("{owner}/{name}"))).await
}

async fn create_one(
    stage: Handle,
    hangup: Hangup,
    base: Base,
    headers: HeaderMap,
    body: Bytes,
    path_model: Option<String>,
) -> Result<Response, Broken> {
    stage.ledger.count("create")?;
    let request: Create = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            return Ok(answer::problem(StatusCode::BAD_REQUEST, "Bad request", &error.to_string()));
        }
    };
    let from_path = path_model.is_some();
    let reference = path_model.or_else(|| request.version.clone()).or_else(|| request.model.clone());
    let Some(model) = reference.as_deref().and_then(Model::named) else {
        return Ok(if from_path { answer::not_found() } else { unknown_version(reference.is_none()) });
    };
    let prompt = request.input.get("prompt").and_then(Value::as_str).unwrap_or_default().to_owned();
    let script =
        stage.faults.script(if model.kind() == "video" { Kind::Video } else { Kind::Music }, &prompt);
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let job = match model.check(&request.input) {
        Ok(job) => job,
        Err(wrong) => return Ok(answer::invalid(&wrong)),
    };
    if request.webhook.as_ref().is_some_and(|url| url::Url::parse(url).is_err()) {
        return Ok(answer::problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid webhook",
            "webhook: must be a URL",
        ));
    }
    let new = accepted(&stage, model, &job, request, prompt, &script);
    stage.ledger.accept(&new)?;
    let mut owed = OwedAnswer::new(&stage, &new.id, &script)?;
    runner::launch(&stage, new.id.clone());
    wait_for_end(&stage, &new.id, &headers).await?;
    let Some(stored) = stage.ledger.prediction(&new.id)? else { return Ok(answer::not_found()) };
    let body = Json(answer::prediction(&stage, base.or(&stage.base), &stored));
    let response = depart(stage.clock, &script, &hangup, (StatusCode::CREATED, body).into_response()).await;
    owed.paid = true;
    Ok(response)
}

fn unknown_version(missing: bool) -> Response {
    let (title, detail) = if missing {
        ("Input validation failed", "- version is required\n")
    } else {
        (
            "Invalid version or not permitted",
            "The specified version does not exist (or perhaps you don't have permission to use it?)",
        )
    };
    answer::problem(StatusCode::UNPROCESSABLE_ENTITY, title, detail)
}

fn accepted(
    stage: &Shared,
    model: Model,
    job: &Job,
    request: Create,
    prompt: String,
    script: &Script,
) -> NewPrediction {
    let now = stage.clock.now();
    let fate = Fate::from_script(script);
    NewPrediction {
        id: new_id(),
        kind: model.kind(),
        model: model.slug().to_owned(),
        version: model.version().to_owned(),
        input: request.input,
        prompt,
        price_usd: model.price_usd(job),
        webhook: request.webhook,
        webhook_events: request.webhook_events_filter,
        accepted_at: now,
        visible_at: now.saturating_add(stage.clock.micros(fate.list_lag)),
        fate,
    }
}

/// 26 characters, like Replicate's.
pub(super) fn new_id() -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bytes: [u8; 26] = rand::random();
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Notes an answer that its caller did not wait for or could not use.
struct OwedAnswer {
    stage: Handle,
    id: String,
    paid: bool,
}

impl OwedAnswer {
    fn new(stage: &Handle, id: &str, script: &Script) -> rusqlite::Result<Self> {
        let spoiled = script.has(|fault| {
            matches!(
                fault,
                Fault::AcceptThenDrop
                    | Fault::NeverAnswers { accepted: true }
                    | Fault::Status { accepted: true, .. }
                    | Fault::GarbageJson { accepted: true }
            )
        });
        if spoiled {
            stage.ledger.mark_answer_dropped(id)?;
        }
        Ok(Self { stage: stage.clone(), id: id.to_owned(), paid: false })
    }
}

impl Drop for OwedAnswer {
    fn drop(&mut self) {
        if !self.paid
            && let Err(error) = self.stage.ledger.mark_answer_dropped(&self.id)
        {
            tracing::error!(%error, "soundstage could not note a dropped answer");
        }
    }
}

/// `Prefer: wait[=seconds]` holds the answer until the prediction is over.
async fn wait_for_end(stage: &Shared, id: &str, headers: &HeaderMap) -> Result<(), Broken> {
    let Some(prefer) = headers.get("prefer").and_then(|value| value.to_str().ok()) else { return Ok(()) };
    let Some(wait) = prefer.trim().strip_prefix("wait") else { return Ok(()) };
    let seconds = wait.trim_start_matches('=').parse().unwrap_or(60u64).clamp(1, 60);
    let over = async {
        loop {
            let changed = stage.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if stage.ledger.prediction(id)?.is_none_or(|p| p.completed_at.is_some()) {
                return Ok::<(), rusqlite::Error>(());
            }
            changed.await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(seconds), over).await {
        Ok(result) => Ok(result?),
        Err(_) => Ok(()),
    }
}

/// `GET /v1/predictions/{id}`
pub(super) async fn get(
    State(stage): State<Handle>,
    Path(id): Path<String>,
    Extension(hangup): Extension<Hangup>,
    base: Base,
) -> Result<Response, Broken> {
    stage.ledger.count("get")?;
    let Some(known) = stage.ledger.prediction(&id)? else { return Ok(answer::not_found()) };
    let script = stage.faults.script(Kind::Get, &known.prompt);
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    // Read again: it may have gone on during a latency.
    let Some(known) = stage.ledger.prediction(&id)? else { return Ok(answer::not_found()) };
    let mut body = answer::prediction(&stage, base.or(&stage.base), &known);
    if let Some(status) = script.find(unknown_status) {
        body["status"] = status.into();
    }
    Ok(depart(stage.clock, &script, &hangup, Json(body).into_response()).await)
}

fn unknown_status(fault: &Fault) -> Option<String> {
    match fault {
        Fault::UnknownStatus { status } => Some(status.clone()),
        _ => None,
    }
}

/// `POST /v1/predictions/{id}/cancel`
pub(super) async fn cancel(
    State(stage): State<Handle>,
    Path(id): Path<String>,
    Extension(hangup): Extension<Hangup>,
    base: Base,
) -> Result<Response, Broken> {
    stage.ledger.count("cancel")?;
    let Some(known) = stage.ledger.prediction(&id)? else { return Ok(answer::not_found()) };
    let script = stage.faults.script(Kind::Cancel, &known.prompt);
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let Some(now) = runner::cancel(&stage, &id)? else { return Ok(answer::not_found()) };
    let body = answer::prediction(&stage, base.or(&stage.base), &now);
    Ok(depart(stage.clock, &script, &hangup, Json(body).into_response()).await)
}

#[derive(Deserialize)]
pub(super) struct Listing {
    cursor: Option<String>,
    created_after: Option<String>,
    created_before: Option<String>,
}

/// `GET /v1/predictions`: newest first, a page at a time.
pub(super) async fn list(
    State(stage): State<Handle>,
    Query(listing): Query<Listing>,
    Extension(hangup): Extension<Hangup>,
    base: Base,
) -> Result<Response, Broken> {
    stage.ledger.count("list")?;
    let script = stage.faults.script(Kind::List, "");
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let below = match listing.cursor.as_deref().map(read_cursor) {
        None => i64::MAX,
        Some(Some(below)) => below,
        Some(None) => {
            return Ok(answer::problem(StatusCode::BAD_REQUEST, "Bad request", "The cursor is not valid."));
        }
    };
    let now = stage.clock.now();
    let lag = script.find(|fault| match fault {
        Fault::ListLags { seconds } => Some(*seconds),
        _ => None,
    });
    let after = listing.created_after.as_deref().and_then(parse_rfc3339).unwrap_or(i64::MIN);
    let before = listing.created_before.as_deref().and_then(parse_rfc3339).unwrap_or(i64::MAX);
    let before = lag.map_or(before, |lag| before.min(now - stage.clock.micros(lag)));
    let page = stage.ledger.page(below, now, (after, before), PAGE)?;
    let base = base.or(&stage.base);
    let results: Vec<Value> = page.results.iter().map(|p| listed(&stage, base, p)).collect();
    let next = page.more_below.map(|seq| format!("{base}/v1/predictions?cursor={}", write_cursor(seq)));
    let body = Json(json!({"previous": null, "next": next, "results": results}));
    Ok(depart(stage.clock, &script, &hangup, body.into_response()).await)
}

fn listed(stage: &Shared, base: &str, prediction: &Prediction) -> Value {
    let mut body = answer::prediction(stage, base, prediction);
    if let Some(members) = body.as_object_mut() {
        members.remove("logs");
    }
    body
}

fn write_cursor(below: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("below:{below}"))
}

fn read_cursor(cursor: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix("below:")?.parse().ok()
}

/// `GET /v1/webhooks/default/secret`
pub(super) async fn webhook_secret(State(stage): State<Handle>) -> Result<Response, Broken> {
    stage.ledger.count("webhook_secret")?;
    Ok(Json(json!({"key": *stage.secret.lock()})).into_response())
}
