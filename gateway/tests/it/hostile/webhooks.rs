//! Webhooks that are forged, or sent again by somebody who kept them: thanked for, and without effect.

use std::sync::{Arc, OnceLock};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    response::Response,
};
use http::{HeaderMap, Method, header};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{client, site::Site};
use crate::{
    real::{Real, photo},
    world::{PATIENCE, answer},
};

/// Makes a film of one scene; returns its job.
async fn filmed(real: &Real) -> i64 {
    let owner = client(real).await;
    let body = json!({"name": "Spring", "client_id": owner});
    let campaign = real.client.call(Method::POST, "/api/v3/campaigns", Some(body)).await.expect("an answer");
    let campaign = campaign.body["data"]["id"].as_str().expect("an id").to_owned();
    for name in ["kitchen-1.jpg", "kitchen-2.jpg"] {
        let form = Form::new().text("campaign_id", campaign.clone());
        let form = form.part("file", Part::bytes(photo(name)).file_name(name));
        answer(real.client.request(Method::POST, "/api/v3/assets").multipart(form)).await.ok(201);
    }
    let job = json!({"campaign_id": campaign, "num_pairs": 1, "clip_duration": 4, "planner": "template"});
    let job =
        real.client.create_job("image-pairs", job).await.expect("a job")["job_id"].as_i64().expect("an id");
    real.client.approve(job).await.expect("an approval");
    real.over(job).await;
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_webhooks_are_thanked_for_and_change_nothing() {
    let real = Real::start().await;
    let job = filmed(&real).await;
    let before = real.client.job(job).await.expect("the job");
    let prediction = before["scenes"][0]["provider_id"].as_str().expect("a prediction").to_owned();
    let lie = |status: &str| {
        json!({"id": prediction, "status": status, "output": format!("{}/livez", real.base()), "error": "a lie"}).to_string()
    };
    for path in [
        "/api/webhooks/replicate".to_owned(),
        format!("/api/webhooks/replicate?service=render&attempt={prediction}"),
        format!("/api/webhooks/replicate/render/{prediction}"),
        format!("/api/webhooks/replicate/audio/{prediction}"),
    ] {
        for status in ["succeeded", "failed", "canceled", "aborted", "starting", "nonsense"] {
            let signed = real
                .client
                .request(Method::POST, &path)
                .header("webhook-id", "msg_1")
                .header("webhook-timestamp", "1772600767")
                .header("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=")
                .header("content-type", "application/json")
                .body(lie(status));
            for request in [real.client.request(Method::POST, &path).body(lie(status)), signed] {
                let given = answer(request).await;
                assert_eq!(given.ok(200), json!({"status": "ok"}), "{path} {status}");
            }
        }
    }
    let after: Value = real.client.job(job).await.expect("the job");
    assert_eq!(before, after);
    real.stop().await;
}

/// A webhook as the provider sent it.
#[derive(Clone, Debug)]
struct Sent {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Sent {
    /// The prediction that is over, according to it.
    fn is_about_the_end_of(&self, prediction: &Value) -> bool {
        let said: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        said["id"] == *prediction && said["status"] == "succeeded"
    }
}

/// Stands between the provider and the gateway, and keeps the webhooks that it passes on.
struct Between {
    gateway: OnceLock<String>,
    http: reqwest::Client,
    sent: watch::Sender<Vec<Sent>>,
}

async fn pass_on(State(between): State<Arc<Between>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let path = head.uri.to_string();
    let gateway = between.gateway.get().expect("nobody calls before the gateway is up");
    let mut headers = head.headers;
    headers.remove(header::HOST);
    let passed = between.http.request(head.method, format!("{gateway}{path}"));
    let given = answer(passed.headers(headers.clone()).body(body.clone())).await;
    if path.starts_with("/api/webhooks/") {
        between.sent.send_modify(|sent| sent.push(Sent { path, headers, body }));
    }
    let mut response = Response::new(Body::from(given.bytes));
    *response.status_mut() = given.status;
    if let Some(kind) = given.headers.get(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response
}

/// What the provider has done so far; not how far the news of it have come.
async fn ledger(real: &Real) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut ledger = answer(http.get(format!("{}/_stage/ledger", real.stage()))).await.json();
    ledger["webhooks"].take();
    ledger
}

/// All that is told of a job and of what was bought for it.
async fn everything(real: &Real, job: i64) -> [Value; 3] {
    let events = answer(real.client.request(Method::GET, &format!("/api/v3/jobs/{job}/events"))).await;
    assert_eq!(events.status, 200);
    let events = String::from_utf8_lossy(&events.bytes).into_owned();
    [real.client.job(job).await.expect("the job"), events.into(), ledger(real).await]
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_were_kept_and_come_again_are_thanked_for_and_change_nothing() {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let between = Arc::new(Between { gateway: OnceLock::new(), http, sent: watch::Sender::new(Vec::new()) });
    let site = Site::start(axum::Router::new().fallback(pass_on).with_state(between.clone())).await;
    let public = site.url("").parse().expect("a URL");
    let real = Real::with(|options| options.public_base_url = Some(public)).await;
    between.gateway.set(real.base().to_owned()).expect("it is set once");
    let job = filmed(&real).await;
    let bought: Vec<Value> = ledger(&real).await["predictions"]
        .as_array()
        .expect("predictions")
        .iter()
        .map(|prediction| prediction["id"].clone())
        .collect();
    assert!(bought.len() >= 2, "a clip and a soundtrack");
    let mut sent = between.sent.subscribe();
    let told = |sent: &Vec<Sent>| {
        bought.iter().all(|prediction| sent.iter().any(|sent| sent.is_about_the_end_of(prediction)))
    };
    let sent = tokio::time::timeout(PATIENCE, sent.wait_for(told)).await.expect("in time");
    let sent = sent.expect("webhooks").clone();
    let before = everything(&real, job).await;
    // Each to its own attempt, and to that of every other.
    for Sent { headers, body, .. } in &sent {
        for Sent { path, .. } in &sent {
            let request = real.client.request(Method::POST, path);
            let given = answer(request.headers(headers.clone()).body(body.clone())).await;
            assert_eq!(given.ok(200), json!({"status": "ok"}), "{path}");
        }
    }
    assert_eq!(everything(&real, job).await, before);
    real.stop().await;
}
