//! Who calls while secrets are changed: with a key that changes, and with links that were handed out. None repeats
//! anything; every request must be answered well.

use std::sync::Arc;

use filmstrip::client::Client;
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{Moments, pause};

/// Links that are kept to be opened again.
const KEPT: usize = 400;

/// What callers go by at the moment.
struct Known {
    /// The key that they send.
    key: Mutex<String>,
    /// Links that they were handed out, the newest last.
    links: Mutex<Vec<String>>,
    /// What went wrong.
    failures: Mutex<Vec<String>>,
    answered: Mutex<usize>,
}

/// Callers of one address until they are stopped.
pub(super) struct Callers {
    known: Arc<Known>,
    stop: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

impl Callers {
    /// Some with the key, one who opens links of a job that is over.
    pub(super) fn start(client: &Client, key: &str, job: i64) -> Self {
        let known = Arc::new(Known {
            key: Mutex::new(key.to_owned()),
            links: Mutex::default(),
            failures: Mutex::default(),
            answered: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let running = (0..3)
            .map(|number| tokio::spawn(call(Arc::clone(&known), client.clone(), number, job, stop.clone())))
            .chain([tokio::spawn(open(Arc::clone(&known), client.clone(), stop.clone()))])
            .collect();
        Self { known, stop, running }
    }

    /// From now on they send this key.
    pub(super) fn turn_to(&self, key: &str) {
        key.clone_into(&mut self.known.key.lock());
    }

    /// The link that was handed out last.
    pub(super) fn newest_link(&self) -> Option<String> {
        self.known.links.lock().last().cloned()
    }

    /// They throw their links away, because those are as old as links become.
    pub(super) fn throw_links_away(&self) {
        self.known.links.lock().clear();
    }

    /// Until they were answered some more, so that nothing of before is under way; fails when something went wrong.
    pub(super) async fn are_answered(&self, more: usize) {
        let wanted = *self.known.answered.lock() + more;
        while *self.known.answered.lock() < wanted {
            let failures = self.known.failures.lock().clone();
            assert!(failures.is_empty(), "{failures:#?}");
            pause().await;
        }
    }

    /// How many requests were answered, all of them well.
    pub(super) async fn stop(self) -> usize {
        self.stop.cancel();
        for one in self.running {
            one.await.unwrap();
        }
        let failures = self.known.failures.lock().clone();
        assert!(failures.is_empty(), "{failures:#?}");
        *self.known.answered.lock()
    }
}

impl Known {
    fn was_answered(&self, what: &str, answer: reqwest::Result<reqwest::Response>) {
        match answer {
            Ok(answer) if answer.status().is_success() => *self.answered.lock() += 1,
            Ok(answer) => self.failures.lock().push(format!("{what}: {}", answer.status())),
            Err(error) => self.failures.lock().push(format!("{what}: {error:?}")),
        }
    }
}

/// Reads and writes with the key of the moment; what it reads of the job brings new links.
async fn call(known: Arc<Known>, client: Client, number: usize, job: i64, stop: CancellationToken) {
    for turn in 0.. {
        if stop.is_cancelled() {
            return;
        }
        let key = known.key.lock().clone();
        let client = client.clone().with_key(&key);
        let body = json!({"name": format!("Client {number}-{turn}")});
        let written = client.request(Method::POST, "/api/v3/clients").json(&body).send().await;
        known.was_answered("POST clients", written);
        known.was_answered("GET assets", client.request(Method::GET, "/api/v3/assets").send().await);
        match client.get(&format!("/api/v3/jobs/{job}")).await {
            Ok(job) => {
                *known.answered.lock() += 1;
                let new = ["video", "thumbnail"].map(|name| job["links"][name].as_str().unwrap().to_owned());
                let mut links = known.links.lock();
                links.extend(new);
                let more = links.len().saturating_sub(KEPT);
                links.drain(..more);
            }
            Err(error) => known.failures.lock().push(format!("GET job: {error:#}")),
        }
    }
}

/// Opens links without a key: the oldest that is kept, the newest, and one between them.
async fn open(known: Arc<Known>, client: Client, stop: CancellationToken) {
    let mut moments = Moments::seeded(0x11);
    while !stop.is_cancelled() {
        let chosen: Vec<String> = {
            let links = known.links.lock();
            let between = if links.is_empty() { 0 } else { moments.number(links.len()) };
            [links.first(), links.last(), links.get(between)].into_iter().flatten().cloned().collect()
        };
        if chosen.is_empty() {
            pause().await;
        }
        for link in chosen {
            let opened = client.request(Method::HEAD, &link).send().await;
            // It may have been thrown away meanwhile.
            if known.links.lock().contains(&link) {
                known.was_answered("a link", opened);
            }
        }
    }
}
