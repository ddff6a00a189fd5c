//! Webhooks: signatures, repetition and lies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::scratch::{PATIENCE, Scratch, VEO, clip};

/// One delivery as it came in.
struct Received {
    id: String,
    body: Value,
    genuine: bool,
}

/// Somebody who listens, and refuses the first few deliveries.
struct Listener {
    url: String,
    received: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    hook: standardwebhooks::Webhook,
}

#[derive(Clone)]
struct Ear {
    sender: mpsc::UnboundedSender<(HeaderMap, Bytes)>,
    refusals: Arc<AtomicU32>,
}

async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let _ = ear.sender.send((headers, body));
    let refused = ear.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if refused.is_ok() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

impl Listener {
    async fn start(stage: &Scratch, refusals: u32) -> Self {
        let secret = stage.get_json("/v1/webhooks/default/secret").await;
        let hook = standardwebhooks::Webhook::new(secret["key"].as_str().expect("a key")).expect("a secret");
        let (sender, received) = mpsc::unbounded_channel();
        let ear = Ear { sender, refusals: Arc::new(AtomicU32::new(refusals)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let router = axum::Router::new().route("/hook", post(hear)).with_state(ear);
        // Ends with the test's runtime.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, received, hook }
    }

    async fn next(&mut self) -> Received {
        let received = tokio::time::timeout(PATIENCE, self.received.recv()).await;
        let (headers, body) = received.expect("a delivery in time").expect("a delivery");
        Received {
            id: headers["webhook-id"].to_str().expect("text").to_owned(),
            genuine: self.hook.verify(&body, &headers).is_ok(),
            body: serde_json::from_slice(&body).expect("JSON"),
        }
    }
}

async fn create(stage: &Scratch, listener: &Listener, events: &[&str]) -> String {
    let body =
        json!({"version": VEO, "input": clip("a"), "webhook": listener.url, "webhook_events_filter": events});
    let answer = stage.post("/v1/predictions", &body).await;
    assert_eq!(answer.status(), 201);
    let body: Value = answer.json().await.expect("JSON");
    body["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn the_end_is_announced_with_a_signature_that_verifies() {
    let stage = Scratch::start().await;
    let mut listener = Listener::start(&stage, 0).await;
    let id = create(&stage, &listener, &["completed"]).await;
    let news = listener.next().await;
    assert!(news.genuine);
    assert_eq!((&news.body["id"], &news.body["status"]), (&json!(id), &json!("succeeded")));
    assert!(news.body["output"].is_string());
    stage.stop().await;
}

#[tokio::test]
async fn a_refused_delivery_is_repeated_under_its_id() {
    let stage = Scratch::scaled(50.0).await;
    let mut listener = Listener::start(&stage, 2).await;
    create(&stage, &listener, &["completed"]).await;
    let (first, second, third) = (listener.next().await, listener.next().await, listener.next().await);
    assert!(first.genuine && second.genuine && third.genuine);
    assert!(first.id == second.id && second.id == third.id);
    stage.stop().await;
}

#[tokio::test]
async fn a_duplicate_comes_under_the_same_id() {
    let stage = Scratch::start().await;
    let mut listener = Listener::start(&stage, 0).await;
    stage.faults(json!([{"when": {"kind": "webhook"}, "then": {"fault": "webhook_duplicate"}}])).await;
    create(&stage, &listener, &["completed"]).await;
    let (first, second) = (listener.next().await, listener.next().await);
    assert_eq!((first.id, first.body), (second.id, second.body));
    stage.stop().await;
}

#[tokio::test]
async fn a_forged_one_lies_and_does_not_verify() {
    let stage = Scratch::start().await;
    let mut listener = Listener::start(&stage, 0).await;
    stage
        .faults(json!([
            {"when": {"kind": "video"}, "then": {"fault": "fail"}},
            {"when": {"kind": "webhook"}, "then": {"fault": "webhook_forged"}},
        ]))
        .await;
    create(&stage, &listener, &["completed"]).await;
    let forged = listener.next().await;
    assert!(!forged.genuine);
    assert_eq!(forged.body["status"], "succeeded");
    let genuine = listener.next().await;
    assert!(genuine.genuine);
    assert_eq!(genuine.body["status"], "failed");
    stage.stop().await;
}

#[tokio::test]
async fn the_start_can_be_announced_after_the_end() {
    let stage = Scratch::start().await;
    let mut listener = Listener::start(&stage, 0).await;
    stage.faults(json!([{"when": {"kind": "video"}, "then": {"fault": "webhook_out_of_order"}}])).await;
    create(&stage, &listener, &["start", "completed"]).await;
    let (first, second) = (listener.next().await, listener.next().await);
    assert_eq!(first.body["status"], "succeeded");
    assert_eq!(second.body["status"], "processing");
    stage.stop().await;
}

#[tokio::test]
async fn silence_is_possible() {
    let stage = Scratch::start().await;
    let mut listener = Listener::start(&stage, 0).await;
    stage.faults(json!([{"when": {"kind": "video", "nth": 1}, "then": {"fault": "webhook_never"}}])).await;
    let silent = create(&stage, &listener, &["completed"]).await;
    stage.finished(&silent).await;
    let heard = create(&stage, &listener, &["completed"]).await;
    assert_eq!(listener.next().await.body["id"], json!(heard));
    let ledger = stage.control.ledger().await.expect("a ledger");
    assert!(ledger.webhooks.iter().all(|delivery| delivery.prediction_id == heard));
    stage.stop().await;
}

#[tokio::test]
async fn a_new_secret_counts_from_the_next_try_on_and_is_told_to_who_asks() {
    let stage = Scratch::scaled(50.0).await;
    let mut listener = Listener::start(&stage, 1).await;
    create(&stage, &listener, &["completed"]).await;
    assert!(listener.next().await.genuine);
    stage.control.new_webhook_secret().await.expect("a new one");
    let told = stage.get_json("/v1/webhooks/default/secret").await;
    let hook = standardwebhooks::Webhook::new(told["key"].as_str().expect("a key")).expect("a secret");
    let former = std::mem::replace(&mut listener.hook, hook);
    // The refused delivery may have been repeated before the change; the next prediction's comes after it.
    create(&stage, &listener, &["completed"]).await;
    let mut news = listener.next().await;
    while !news.genuine {
        news = listener.next().await;
    }
    listener.hook = former;
    create(&stage, &listener, &["completed"]).await;
    assert!(!listener.next().await.genuine, "the former one signs nothing any more");
    stage.stop().await;
}
