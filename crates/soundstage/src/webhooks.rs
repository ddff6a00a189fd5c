//! Tells the product what happened: signed like Replicate's webhooks (Standard Webhooks), repeated with backoff.

use std::time::Duration;

use standardwebhooks::Webhook;

use crate::error::StageError;
use crate::faults::{Fault, Kind, WebhookFault, webhook_faults};
use crate::http::answer;
use crate::ledger::{Outgoing, Prediction};
use crate::stage::{Handle, Shared};

/// Tries per delivery; the nth pause is 2^(n-1) stage seconds.
const TRIES: u32 = 8;
/// What is announced when no filter was given.
const DEFAULT_EVENTS: [&str; 2] = ["output", "completed"];

/// The client for everything that the stage calls. Providers do not follow redirects of webhooks.
pub(crate) fn client() -> Result<reqwest::Client, StageError> {
    Ok(reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .no_proxy()
        .build()?)
}

/// Goes on with what was not delivered when the stage stopped.
pub(crate) fn resume(stage: &Handle) -> Result<(), StageError> {
    for out in stage.ledger.undelivered()? {
        spawn(stage, out, 0.0);
    }
    Ok(())
}

/// Stores and starts the delivery of `event`, if the prediction has a webhook that wants it.
pub(crate) fn announce(stage: &Handle, prediction: &Prediction, event: &str) {
    let Some(url) = prediction.webhook.clone() else { return };
    let wanted = match prediction.webhook_events.as_slice() {
        [] => DEFAULT_EVENTS.contains(&event),
        events => events.iter().any(|e| e == event),
    };
    if !wanted {
        return;
    }
    let script = stage.faults.script(Kind::Webhook, &prediction.prompt);
    let mut faults = prediction.fate.webhooks.clone();
    faults.extend(webhook_faults(&script));
    if faults.contains(&WebhookFault::Never) {
        return;
    }
    let delay = script.find(|fault| match fault {
        Fault::Latency { seconds } | Fault::DelayedAnswer { seconds } => Some(*seconds),
        _ => None,
    });
    let waits = event == "start" && faults.contains(&WebhookFault::OutOfOrder);
    let out = Outgoing {
        id: format!("msg_{}", uuid::Uuid::new_v4().simple()),
        prediction: prediction.id.clone(),
        event: event.to_owned(),
        url,
        body: answer::prediction(stage, &stage.base, prediction).to_string(),
        faults,
        attempts: 0,
    };
    if let Err(error) = stage.ledger.add_delivery(&out, waits) {
        tracing::error!(%error, "soundstage could not store a webhook delivery");
        return;
    }
    if !waits {
        spawn(stage, out, delay.unwrap_or(0.0));
    }
}

fn spawn(stage: &Handle, out: Outgoing, delay: f64) {
    let shared = stage.clone();
    stage.spawn(async move {
        shared.clock.sleep(delay).await;
        if let Err(error) = deliver(&shared, &out).await {
            tracing::error!(%error, "soundstage lost track of a webhook delivery");
        }
        if out.event == "completed" {
            deliver_late_ones(&shared, &out.prediction).await;
        }
    });
}

async fn deliver_late_ones(stage: &Handle, prediction: &str) {
    while let Ok(Some(late)) = stage.ledger.take_waiting(prediction) {
        if let Err(error) = deliver(stage, &late).await {
            tracing::error!(%error, "soundstage lost track of a webhook delivery");
        }
    }
}

async fn deliver(stage: &Shared, out: &Outgoing) -> rusqlite::Result<()> {
    if out.faults.contains(&WebhookFault::Forged) {
        forge(stage, out).await;
    }
    for attempt in out.attempts..TRIES {
        if attempt > 0 {
            stage.clock.sleep(f64::from(1u32 << (attempt - 1))).await;
        }
        // Each try is signed with the secret of its moment.
        let secret = stage.secret.lock().clone();
        let status = post(stage, &out.url, &out.id, &out.body, &secret).await;
        let delivered = status.is_some_and(|code| (200..300).contains(&code));
        stage.ledger.tried(&out.id, status, delivered, delivered || attempt + 1 == TRIES)?;
        if delivered {
            if out.faults.contains(&WebhookFault::Duplicate) {
                post(stage, &out.url, &out.id, &out.body, &secret).await;
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Claims that the prediction is over, with an output elsewhere, signed with a key of nobody's.
async fn forge(stage: &Shared, out: &Outgoing) {
    let mut body: serde_json::Value = serde_json::from_str(&out.body).unwrap_or_default();
    body["status"] = "succeeded".into();
    body["output"] = "https://replicate.delivery/forged/output.mp4".into();
    let id = format!("msg_{}", uuid::Uuid::new_v4().simple());
    post(stage, &out.url, &id, &body.to_string(), "whsec_bm9ib2R5J3Mga2V5IG5vYm9keSdzIGtleQ==").await;
}

/// One signed POST; the status, or none when nobody answered.
async fn post(stage: &Shared, url: &str, id: &str, body: &str, secret: &str) -> Option<u16> {
    let now = stage.clock.now() / 1_000_000;
    let signature = Webhook::new(secret).and_then(|hook| hook.sign(id, now, body.as_bytes()));
    let signature = signature.inspect_err(|error| tracing::error!(%error, "signing a webhook")).ok()?;
    let answer = stage
        .outbound
        .post(url)
        .timeout(Duration::from_secs(10))
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", now.to_string())
        .header("webhook-signature", signature)
        .body(body.to_owned())
        .send()
        .await;
    answer.ok().map(|answer| answer.status().as_u16())
}
