//! The whole product as processes: six kinds, two replicas each, on PostgreSQL, NATS and S3.

mod busy;
mod chaos;
mod kill;
mod lag;
mod leaks;
mod load;
mod main_job;
mod outages;
mod probes;
mod rolling;
mod rotation;
mod secrets;
mod seen;
mod stalled;
mod trace;
mod versions;

use std::time::Duration;

use filmstrip::client::{Answer, Client, answer, is_over};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use soundstage::{client::StageControl, report::Ledger};
use stack::{Options, Service, Stack};
use tempfile::TempDir;

use crate::world::{pause, until_at_any};

/// Several jobs share two cores with twelve processes and their servers.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long what a replica works on stays its own, where that can be chosen.
const LEASE: Duration = Duration::from_secs(3);

/// A stack, and where a test keeps its files.
struct Scaled {
    stack: Stack,
    scratch: TempDir,
}

impl Scaled {
    async fn start(options: Options) -> Self {
        let stack = Stack::start(options).await.unwrap_or_else(|error| panic!("{error:#}"));
        Self { stack, scratch: tempfile::tempdir().unwrap() }
    }

    /// What most tests want: small clips that take their time, and short leases.
    fn options() -> Options {
        Options { draft: true, lease: Some(LEASE), ..Options::default() }
    }

    /// A client of the gateway with this number.
    fn client(&self, gateway: usize) -> Client {
        Client::new(&self.stack.gateways()[gateway]).unwrap()
    }

    /// A client of each gateway.
    fn clients(&self) -> Vec<Client> {
        self.stack.gateways().iter().map(|gateway| Client::new(gateway).unwrap()).collect()
    }

    fn stage(&self) -> StageControl {
        StageControl::new(self.stack.soundstage_url())
    }

    /// Makes the providers misbehave by these rules.
    async fn faults(&self, rules: Value) {
        self.stage().faults(json!({ "rules": rules })).await.unwrap();
    }

    async fn ledger(&self) -> Ledger {
        self.stage().ledger().await.unwrap()
    }

    /// Waits until the ledger is as wanted.
    async fn until_ledger(&self, what: &str, wanted: impl Fn(&Ledger) -> bool) {
        let waiting = async {
            while !wanted(&self.ledger().await) {
                pause().await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{what}: {:#?}", self.ledger().await);
    }

    /// Waits until the job is over, asking whichever gateway answers.
    async fn finished(&self, job: i64) -> Value {
        until_at_any(PATIENCE, &self.clients(), job, is_over).await
    }

    /// All of these jobs have every clip, each clip and each track was bought once, and never too many at a time.
    async fn bought_once(&self, scenes: usize, tracks: usize) {
        let ledger = self.ledger().await;
        let charged = |kind: &str| ledger.of_kind(kind).filter(|prediction| prediction.charged).count();
        assert_eq!((charged("video"), charged("music")), (scenes, tracks), "{:#?}", ledger.predictions);
        assert!(ledger.max_in_flight.video <= 10, "{:?}", ledger.max_in_flight);
        assert!(ledger.max_in_flight.music <= 2, "{:?}", ledger.max_in_flight);
    }

    /// What every service published equals what its log holds, as soon as its relay has come to the end.
    async fn published_equals_logged(&self) {
        for service in Service::WITH_DATABASE {
            let mut last = String::new();
            let equal = async {
                loop {
                    match self.stack.run(service, &["events", "reconcile"]).await {
                        Ok(_) => return,
                        Err(error) => last = format!("{error:#}"),
                    }
                    pause().await;
                }
            };
            let waited = tokio::time::timeout(PATIENCE / 5, equal).await;
            assert!(waited.is_ok(), "{service}: {last}");
        }
    }

    async fn kill_and_start_again(&mut self, service: Service, index: usize) {
        self.stack.kill(service, index).await.unwrap();
        self.stack.start_again(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Everything ends well when it is told to.
    async fn stop(self) {
        self.stack.stop().await.unwrap_or_else(|error| panic!("{error:#}"));
    }
}

/// Sends one write again and again, to one gateway after the other, until it is answered for good: what a client
/// does that must not lose its request. The key makes it one write.
async fn insist(clients: &[Client], path: &str, key: &str, body: Option<Value>) -> Answer {
    let asking = async {
        for client in clients.iter().cycle() {
            let mut request = client.request(Method::POST, path).header("idempotency-key", key);
            if let Some(body) = &body {
                request = request.json(body);
            }
            if let Ok(response) = request.send().await
                && let Ok(answered) = answer(response).await
                && !answered.status.is_server_error()
            {
                return answered;
            }
            pause().await;
        }
        unreachable!("a cycle of clients does not end");
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("no answer to POST {path}"))
}

/// An approved job of `scenes` scenes, insisted on; `key` is its own.
async fn insisted_job(clients: &[Client], campaign: &str, scenes: usize, key: &str) -> i64 {
    let job = draft(clients, campaign, scenes, key).await;
    approve(clients, job, key).await;
    job
}

/// A job of `scenes` scenes that waits for its approval, insisted on; `key` is its own.
async fn draft(clients: &[Client], campaign: &str, scenes: usize, key: &str) -> i64 {
    let body = json!({"campaign_id": campaign, "num_pairs": scenes, "clip_duration": 4});
    let path = "/api/v3/jobs/from-image-pairs";
    let created = insist(clients, path, &format!("create-{key}"), Some(body)).await;
    let created = created.expect(StatusCode::CREATED, path).unwrap();
    created["job_id"].as_i64().unwrap()
}

/// Insists on the approval of a job.
async fn approve(clients: &[Client], job: i64, key: &str) {
    let path = format!("/api/v3/jobs/{job}/approve");
    let approved = insist(clients, &path, &format!("approve-{key}"), None).await;
    approved.expect(StatusCode::OK, &path).unwrap();
}
