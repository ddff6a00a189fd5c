//! Every replica is replaced in turn while jobs run and clients call: a deployment in small.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use filmstrip::client::Client;
use reqwest::Method;
use serde_json::json;
use stack::{Options, Service};
use tokio_util::sync::CancellationToken;

use super::{Scaled, insisted_job};
use crate::world::{campaign, pause};

/// A client that never repeats anything: every request it makes must be answered.
#[derive(Clone)]
struct Demanding {
    clients: Vec<Client>,
    /// Which gateway it turns to: what a balancer before them would do.
    gateway: Arc<AtomicUsize>,
    /// Requests that were answered.
    answered: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Demanding {
    /// Reads and writes without a pause until it is stopped.
    async fn ask(self, job: i64) {
        while !self.stop.is_cancelled() {
            let body = json!({"name": format!("Client {}", self.answered.load(Ordering::SeqCst))});
            let writes = [(Method::POST, "/api/v3/clients".to_owned(), Some(body))];
            let reads = [format!("/api/v3/jobs/{job}"), "/api/v3/assets".to_owned()];
            let reads = reads.into_iter().map(|path| (Method::GET, path, None));
            for (method, path, body) in writes.into_iter().chain(reads) {
                let client = &self.clients[self.gateway.load(Ordering::SeqCst)];
                let call = client.call(method.clone(), &path, body).await;
                let answer = call.unwrap_or_else(|error| panic!("{method} {path}: {error:#}"));
                assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
                self.answered.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_every_replica_is_replaced_in_turn_and_no_request_fails_and_no_job_is_lost() {
    // As in a deployment, a process that stops takes work until its callers have noticed.
    let options = Options { stop_delay: Duration::from_millis(500), ..Scaled::options() };
    let mut scaled = Scaled::start(options).await;
    let campaign = campaign(&scaled.client(0), "Quay House", 8).await;
    let clients = scaled.clients();
    let mut jobs = Vec::new();
    for number in 0..3 {
        jobs.push(insisted_job(&clients, &campaign, 3, &number.to_string()).await);
    }
    let (gateway, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stop = CancellationToken::new();
    let demanding = Demanding {
        clients,
        gateway: Arc::clone(&gateway),
        answered: Arc::clone(&answered),
        stop: stop.clone(),
    };
    let mut asking = tokio::spawn(demanding.ask(jobs[0]));

    let replicas: Vec<(Service, usize)> = scaled.stack.replicas().map(|(s, index, _)| (s, index)).collect();
    for (service, index) in replicas {
        if service == Service::Gateway {
            gateway.store(1 - index, Ordering::SeqCst);
            // The request that was under way then is not the other one's.
            let turned = answered.load(Ordering::SeqCst) + 2;
            while answered.load(Ordering::SeqCst) < turned && !asking.is_finished() {
                pause().await;
            }
        }
        let status = scaled.stack.terminate(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
        assert!(status.success(), "{service} {index}: {status}\n{}", scaled.stack.log(service, index));
        scaled.stack.start_again(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }
    stop.cancel();
    (&mut asking).await.unwrap();
    let answered = answered.load(Ordering::SeqCst);
    assert!(answered > 100, "{answered} requests");
    let total = jobs.len();
    for job in jobs {
        let done = scaled.finished(job).await;
        assert_eq!(done["outcome"], "full", "{done}");
    }
    scaled.bought_once(total * 3, total).await;
    scaled.published_equals_logged().await;
    scaled.stop().await;
}
