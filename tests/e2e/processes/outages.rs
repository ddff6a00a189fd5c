//! PostgreSQL, NATS or the providers away for a while, with traffic and jobs under way: requests wait or are told
//! what is away, nothing is lost, nothing is bought twice, and everything goes on by itself.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use filmstrip::client::Client;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use stack::Service;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, Scaled, insisted_job};
use crate::world::{campaign, pause};

/// Seconds that each of them is away, instead of [`AWAY`].
const SECONDS: &str = "FILMSTRIP_OUTAGE_SECONDS";
/// Longer than the ten seconds that a write waits for its database.
const AWAY: Duration = Duration::from_secs(13);
/// From one write of the traffic to the next.
const PERIOD: Duration = Duration::from_millis(50);
const SCENES: usize = 2;

fn away() -> Duration {
    let said = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok());
    said.map_or(AWAY, Duration::from_secs)
}

/// Somebody who makes clients, one after the other, over both gateways, and repeats under its key what was answered
/// 503, until it is done. Anything else than done or 503 is wrong.
struct Traffic {
    running: JoinHandle<Vec<String>>,
    refused: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Traffic {
    fn start(clients: Vec<Client>) -> Self {
        let (refused, stop) = (Arc::<AtomicUsize>::default(), CancellationToken::new());
        let running = tokio::spawn(write(clients, Arc::clone(&refused), stop.clone()));
        Self { running, refused, stop }
    }

    /// How many writes were answered 503 until now.
    fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// The names of all clients that were made.
    async fn stop(self) -> Vec<String> {
        self.stop.cancel();
        self.running.await.unwrap()
    }
}

async fn write(clients: Vec<Client>, refused: Arc<AtomicUsize>, stop: CancellationToken) -> Vec<String> {
    let mut ticks = tokio::time::interval(PERIOD);
    let mut writing = tokio::task::JoinSet::new();
    let mut made = Vec::new();
    for (number, client) in clients.into_iter().cycle().enumerate() {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let refused = Arc::clone(&refused);
        writing.spawn(async move {
            let name = format!("client-{number}");
            until_made(&client, &name, &refused).await;
            name
        });
        while let Some(name) = writing.try_join_next() {
            made.push(name.unwrap());
        }
    }
    while let Some(name) = writing.join_next().await {
        made.push(name.unwrap());
    }
    made
}

async fn until_made(client: &Client, name: &str, refused: &AtomicUsize) {
    let trying = async {
        loop {
            let request = client.request(Method::POST, "/api/v3/clients").header("idempotency-key", name);
            let answer = request.json(&json!({ "name": name })).send().await;
            let answer = answer.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            if answer.status() == StatusCode::CREATED {
                return;
            }
            says_what_is_away(answer, "database").await;
            refused.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(PATIENCE, trying).await.unwrap_or_else(|_| panic!("{name} is never made"));
}

/// A 503 of ours, with everything that its reader needs.
async fn says_what_is_away(answer: reqwest::Response, what: &str) {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{text}");
    let retry_after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    assert!(retry_after.is_some_and(|value| value.parse::<u64>().is_ok()), "{headers:?}");
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{text}");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&body["type"], &body["success"]), (&json!("/errors/unavailable"), &json!(false)), "{body}");
    assert!(body["detail"].as_str().is_some_and(|detail| detail.contains(what)), "{body}");
}

/// Waits until every gateway says that it is ready, or that it is not; how long that took.
async fn until_ready_is(scaled: &Scaled, ready: bool) -> Duration {
    let started = Instant::now();
    let turning = async {
        for client in scaled.clients() {
            while status(&client, "/readyz").await.is_success() != ready {
                pause().await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, turning).await.unwrap_or_else(|_| panic!("ready should be {ready}"));
    started.elapsed()
}

async fn status(client: &Client, path: &str) -> StatusCode {
    let answer = client.request(Method::GET, path).send().await;
    answer.unwrap_or_else(|error| panic!("{path}: {error:?}")).status()
}

/// Whether each process that has a database says of itself that it is ready.
async fn healthy(scaled: &Scaled) -> Vec<(Service, bool)> {
    let asked = Service::WITH_DATABASE
        .map(|service| async move { (service, scaled.stack.run(service, &["healthcheck"]).await.is_ok()) });
    futures::future::join_all(asked).await
}

/// Waits until each of them says so, or that it is not: they look at the database on their own, not all at once.
async fn until_healthy_is(scaled: &Scaled, wanted: bool) {
    let mut last = Vec::new();
    let turning = async {
        loop {
            last = healthy(scaled).await;
            if last.iter().all(|(_, healthy)| *healthy == wanted) {
                return;
            }
            pause().await;
        }
    };
    let turned = tokio::time::timeout(PATIENCE, turning).await;
    assert!(turned.is_ok(), "healthy should be {wanted}: {last:?}");
}

/// All processes run; those that need no database answer as ever.
async fn everybody_lives(scaled: &mut Scaled) {
    let ended = scaled.stack.ended();
    assert!(ended.is_empty(), "{ended:?}");
    for client in scaled.clients() {
        for path in ["/livez", "/api/openapi.json", "/errors/unavailable"] {
            assert_eq!(status(&client, path).await, StatusCode::OK, "{path}");
        }
    }
}

/// Reads are refused at once, saying why.
async fn reads_are_refused(scaled: &Scaled, job: i64) {
    for client in scaled.clients() {
        for path in [format!("/api/v3/jobs/{job}"), "/api/v3/clients".to_owned(), "/api/v3/assets".to_owned()]
        {
            let answer = client.request(Method::GET, &path).send().await.unwrap();
            says_what_is_away(answer, "database").await;
        }
    }
}

/// Every client is there once.
async fn each_is_there_once(client: &Client, made: &[String]) {
    let clients = client.get("/api/v3/clients").await.unwrap();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for made in clients["data"].as_array().unwrap() {
        *names.entry(made["name"].as_str().unwrap()).or_default() += 1;
    }
    let wrong: Vec<_> = made.iter().filter(|name| names.get(name.as_str()) != Some(&1)).collect();
    assert!(wrong.is_empty(), "not there once: {wrong:?}");
    // One more: whom the campaign belongs to.
    assert_eq!(names.values().sum::<usize>(), made.len() + 1);
}

#[allow(clippy::print_stderr, reason = "numbers to look at; nothing depends on them")]
fn note(what: &str, took: Duration) {
    eprintln!("{what}: {:.1} s", took.as_secs_f64());
}

/// PostgreSQL ends in the middle of everything and comes back.
async fn without_postgresql(scaled: &mut Scaled, job: i64) {
    let traffic = Traffic::start(scaled.clients());
    let stopped = Instant::now();
    scaled.stack.postgres().stop();
    note("not ready after", until_ready_is(scaled, false).await);
    until_healthy_is(scaled, false).await;
    reads_are_refused(scaled, job).await;
    while stopped.elapsed() < away() {
        everybody_lives(scaled).await;
        pause().await;
    }
    assert!(traffic.refused() > 0, "a write that waited for too long is told so");
    scaled.stack.postgres().run().await.unwrap();
    note("ready again after", until_ready_is(scaled, true).await);
    until_healthy_is(scaled, true).await;
    let made = traffic.stop().await;
    each_is_there_once(&scaled.client(0), &made).await;
    everybody_lives(scaled).await;
}

/// NATS ends and comes back; nobody who asks notices.
async fn without_nats(scaled: &mut Scaled, campaign: &str) -> i64 {
    let before = scaled.client(0).get("/api/v3/clients").await.unwrap()["meta"]["total"].as_u64().unwrap();
    let stopped = Instant::now();
    scaled.stack.nats().stop();
    let job = insisted_job(&scaled.clients(), campaign, SCENES, "without-nats").await;
    let mut made = 0;
    while stopped.elapsed() < away() {
        everybody_lives(scaled).await;
        for client in scaled.clients() {
            assert_eq!(status(&client, "/readyz").await, StatusCode::OK);
            let body = json!({ "name": format!("Without NATS {made}") });
            let answer = client.call(Method::POST, "/api/v3/clients", Some(body)).await.unwrap();
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
            made += 1;
        }
        pause().await;
    }
    scaled.stack.nats().run().await.unwrap();
    let back = Instant::now();
    scaled.published_equals_logged().await;
    note("everything is published after", back.elapsed());
    let after = scaled.client(0).get("/api/v3/clients").await.unwrap()["meta"]["total"].as_u64().unwrap();
    assert_eq!(after, before + made);
    job
}

/// The providers answer everything with 500 for a while.
async fn without_providers(scaled: &Scaled, campaign: &str) -> i64 {
    let kinds = ["video", "music", "chat", "download", "get", "list", "cancel", "files"];
    let broken = json!({"fault": "status", "code": 500});
    // The storyboard comes first: without a planner there is no job.
    let rules: Vec<Value> = kinds
        .iter()
        .filter(|kind| **kind != "chat")
        .map(|kind| json!({"when": {"kind": kind}, "then": broken}))
        .collect();
    scaled.faults(json!(rules)).await;
    let started = Instant::now();
    let job = insisted_job(&scaled.clients(), campaign, SCENES, "without-providers").await;
    while started.elapsed() < away() {
        let now = scaled.client(0).job(job).await.unwrap();
        assert_eq!(now["status"], "processing", "{now}");
        pause().await;
    }
    scaled.stage().reset().await.unwrap();
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_without_postgresql_nats_or_providers_for_a_while_requests_are_told_and_nothing_is_lost() {
    let mut scaled = Scaled::start(Scaled::options()).await;
    let campaign = campaign(&scaled.client(0), "Quay House", 8).await;
    let clients = scaled.clients();
    let mut jobs = Vec::new();
    for number in 0..2 {
        jobs.push(insisted_job(&clients, &campaign, SCENES, &number.to_string()).await);
    }
    scaled.until_ledger("a render is asked for", |ledger| ledger.of_kind("video").count() > 0).await;
    without_postgresql(&mut scaled, jobs[0]).await;
    jobs.push(without_nats(&mut scaled, &campaign).await);
    jobs.push(without_providers(&scaled, &campaign).await);

    let back = Instant::now();
    let total = jobs.len();
    for job in jobs {
        let done = scaled.finished(job).await;
        assert_eq!(done["outcome"], "full", "{done}");
    }
    note("every job is done after", back.elapsed());
    scaled.bought_once(total * SCENES, total).await;
    scaled.published_equals_logged().await;
    scaled.stop().await;
}
