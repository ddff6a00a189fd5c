//! A provider in memory that does what a test tells it, and what an engine needs around it.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use blobs::Blobs;
use eventlog::{Log, Meta, Migrations, testing::scratch_log};
use kit::Clock;
use parking_lot::Mutex;
use predictions::{
    Account, Buyer, Engine, MediaInput, Order, OrderView, Policy, Provider, ProviderError, Rejected,
    ReplicateConfig, SQLITE_MIGRATION, Usable,
    engine::EngineParts,
    provider::Create,
    replicate::wire::{Page, Prediction, Status},
};
use protos::common::v1::BlobRef;
use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub(crate) const PRICE: i64 = 1_000_000;
/// How long a wait may take before it is a failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
const MIGRATIONS: Migrations =
    Migrations { service: "scratch", sqlite: &[("0001_prediction", SQLITE_MIGRATION)], postgres: &[] };

/// What happens to one create call.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Accepted, answered.
    Taken,
    /// Accepted, and the answer is lost.
    Dropped,
    /// Accepted, and no answer ever.
    Silent,
    /// This error, nothing accepted.
    Error(ProviderError),
}

/// How a prediction goes on when it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Course {
    Succeeds,
    Fails(&'static str),
    /// Runs until it is canceled or let go.
    Runs,
}

/// Everything the provider remembers.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) courses: VecDeque<Course>,
    pub(crate) predictions: Vec<(Prediction, Course)>,
    pub(crate) creates: Vec<Create>,
    pub(crate) canceled: Vec<String>,
    pub(crate) charged: Vec<String>,
    pub(crate) most_in_flight: usize,
    pub(crate) lists: usize,
    pub(crate) uploads: usize,
    pub(crate) downloads: usize,
    pub(crate) broken_downloads: usize,
}

impl Memory {
    fn in_flight(&self) -> usize {
        let runs = |p: &&(Prediction, Course)| matches!(p.0.status, Status::Starting | Status::Processing);
        self.predictions.iter().filter(runs).count()
    }

    fn accept(&mut self, create: &Create) -> Prediction {
        let prediction = Prediction {
            id: format!("p{}", self.predictions.len()),
            status: Status::Processing,
            input: create.input.clone(),
            created_at: Some(Clock::system().now()),
            started_at: Some(Clock::system().now()),
            ..Prediction::default()
        };
        let course = self.courses.pop_front().unwrap_or(Course::Succeeds);
        self.predictions.push((prediction.clone(), course));
        self.most_in_flight = self.most_in_flight.max(self.in_flight());
        prediction
    }

    fn end(&mut self, id: &str, status: Status) {
        let Some((prediction, _)) = self.predictions.iter_mut().find(|(p, _)| p.id == id) else { return };
        if !matches!(prediction.status, Status::Starting | Status::Processing) {
            return;
        }
        if matches!(status, Status::Succeeded | Status::Canceled) {
            self.charged.push(id.to_owned());
        }
        prediction.output = json!("https://replicate.delivery/clip.mp4");
        prediction.completed_at = Some(Clock::system().now());
        prediction.status = status;
    }
}

/// The provider; outlives engines.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) memory: Mutex<Memory>,
    /// Changes whenever something was asked.
    pub(crate) asked: Notify,
}

pub(crate) const SECRET: &[u8] = b"a secret that webhooks are signed with";

#[async_trait]
impl Provider for Scripted {
    async fn create(&self, create: &Create) -> Result<Prediction, ProviderError> {
        let answer = {
            let mut memory = self.memory.lock();
            memory.creates.push(create.clone());
            let answer = memory.answers.pop_front().unwrap_or(Answer::Taken);
            if let Answer::Error(error) = answer { Err(error) } else { Ok((answer, memory.accept(create))) }
        };
        self.asked.notify_waiters();
        match answer? {
            (Answer::Dropped, _) => Err(ProviderError::Ambiguous("reset".into())),
            (Answer::Silent, _) => std::future::pending().await,
            (_, prediction) => Ok(prediction),
        }
    }

    async fn get(&self, id: &str) -> Result<Prediction, ProviderError> {
        let mut memory = self.memory.lock();
        let course = memory.predictions.iter().find(|(p, _)| p.id == id).map(|(_, course)| course.clone());
        match course {
            Some(Course::Succeeds) => memory.end(id, Status::Succeeded),
            Some(Course::Fails(error)) => {
                memory.end(id, Status::Failed);
                if let Some((prediction, _)) = memory.predictions.iter_mut().find(|(p, _)| p.id == id) {
                    prediction.error = json!(error);
                }
            }
            Some(Course::Runs) => {}
            None => return Err(ProviderError::Refused { status: 404, detail: "not found".into() }),
        }
        let found = memory.predictions.iter().find(|(p, _)| p.id == id).map(|(p, _)| p.clone());
        drop(memory);
        self.asked.notify_waiters();
        found.ok_or(ProviderError::Ambiguous("gone".into()))
    }

    async fn cancel(&self, id: &str) -> Result<(), ProviderError> {
        let mut memory = self.memory.lock();
        memory.canceled.push(id.to_owned());
        memory.end(id, Status::Canceled);
        Ok(())
    }

    async fn list(&self, _next: Option<&str>) -> Result<Page, ProviderError> {
        let mut memory = self.memory.lock();
        memory.lists += 1;
        Ok(Page { next: None, results: memory.predictions.iter().rev().map(|(p, _)| p.clone()).collect() })
    }

    async fn upload(&self, blob: &BlobRef, _name: &str, attempt: &str) -> Result<String, ProviderError> {
        self.memory.lock().uploads += 1;
        Ok(format!("https://files/{attempt}/{}", blob.sha256))
    }

    async fn download(&self, _url: &str, to: &Path) -> Result<u64, ProviderError> {
        let mut memory = self.memory.lock();
        memory.downloads += 1;
        let broken = memory.broken_downloads > 0;
        memory.broken_downloads = memory.broken_downloads.saturating_sub(1);
        std::fs::write(to, if broken { "<html>" } else { "a clip" }).unwrap();
        Ok(6)
    }

    async fn webhook_secret(&self) -> Result<SecretString, ProviderError> {
        Ok(format!("whsec_{}", BASE64_STANDARD.encode(SECRET)).into())
    }
}

/// Takes what starts with "a clip".
struct Anyone;

#[async_trait]
impl Buyer for Anyone {
    fn name(&self) -> &'static str {
        "scratch"
    }

    async fn check(&self, _order: &Order, file: &Path) -> anyhow::Result<Result<Usable, Rejected>> {
        let text = std::fs::read_to_string(file)?;
        if !text.starts_with("a clip") {
            return Ok(Err(Rejected("it is not a clip".into())));
        }
        Ok(Ok(Usable { content_type: "video/mp4".into(), found: json!({"duration_ms": 6000}) }))
    }
}

/// A service's database and a provider, and engines that come and go over them.
pub(crate) struct World {
    pub(crate) provider: Arc<Scripted>,
    pub(crate) log: Log,
    pub(crate) blobs: Blobs,
    pub(crate) account: Account,
    pub(crate) policy: Policy,
    pub(crate) config: ReplicateConfig,
    _dirs: (TempDir, TempDir),
}

/// An engine at work.
pub(crate) struct Running {
    pub(crate) engine: Engine,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }

    /// As if the process had been killed.
    pub(crate) fn kill(self) {
        self.task.abort();
    }

    pub(crate) async fn settled(&self, key: &str) -> OrderView {
        let settled = self.engine.settled(key, &self.cancel);
        tokio::time::timeout(DEADLINE, settled).await.expect("it settles").unwrap().unwrap()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let (log, log_dir) = scratch_log(&MIGRATIONS).await;
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::local(dir.path()).unwrap();
        let mut config = ReplicateConfig::soundstage("http://127.0.0.1:1".parse().unwrap());
        config.post_timeout = Duration::from_millis(2500);
        config.orphan_margin = Duration::from_millis(100);
        let policy = Policy {
            backoff_first: Duration::from_millis(10),
            poll_first: Duration::from_millis(5),
            poll_most: Duration::from_millis(20),
            ..Policy::default()
        };
        let account = Account { max_in_flight: 3, starts_per_second: 1000 };
        Self { provider: Arc::default(), log, blobs, account, policy, config, _dirs: (log_dir, dir) }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_of("one")
    }

    fn engine_of(&self, owner: &str) -> Engine {
        Engine::new(EngineParts {
            log: self.log.clone(),
            blobs: self.blobs.clone(),
            clock: Clock::system(),
            provider: self.provider.clone(),
            replicate: self.config.clone(),
            account: self.account,
            policy: self.policy,
            owner: owner.into(),
            buyer: Arc::new(Anyone),
        })
    }

    pub(crate) fn run(&self) -> Running {
        self.run_as("one")
    }

    /// A process of this name.
    pub(crate) fn run_as(&self, owner: &str) -> Running {
        let (engine, cancel) = (self.engine_of(owner), CancellationToken::new());
        let (runner, token) = (engine.clone(), cancel.clone());
        let task = tokio::spawn(async move { runner.run(token).await.unwrap() });
        Running { engine, cancel, task }
    }

    pub(crate) fn script(
        &self,
        answers: impl IntoIterator<Item = Answer>,
        courses: impl IntoIterator<Item = Course>,
    ) {
        let mut memory = self.provider.memory.lock();
        memory.answers.extend(answers);
        memory.courses.extend(courses);
    }

    pub(crate) fn charges(&self) -> usize {
        self.provider.memory.lock().charged.len()
    }

    /// Waits until the provider's memory looks like that.
    pub(crate) async fn until(&self, what: &str, looks: impl Fn(&Memory) -> bool) {
        let waiting = async {
            loop {
                let asked = self.provider.asked.notified();
                tokio::pin!(asked);
                asked.as_mut().enable();
                if looks(&self.provider.memory.lock()) {
                    return;
                }
                asked.await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
    }
}

pub(crate) fn order(key: &str, campaign: &str) -> Order {
    let blob = BlobRef { sha256: "ab".repeat(32), size: 4, content_type: "image/jpeg".into() };
    Order {
        key: key.into(),
        digest: "d1".into(),
        campaign_id: campaign.into(),
        model: "google/veo-3.1".into(),
        input: json!({"prompt": key}),
        media: vec![
            MediaInput { field: "image".into(), blob: blob.clone() },
            MediaInput { field: "last_frame".into(), blob },
        ],
        mark_seed: None,
        price_micros: PRICE,
        context: json!({}),
    }
}

pub(crate) fn meta() -> Meta {
    Meta { correlation_id: "test".into(), actor: "test".into(), ..Meta::default() }
}

/// Headers of a webhook with this body, signed by the provider.
pub(crate) fn signed(body: &[u8]) -> HashMap<String, String> {
    let webhook = standardwebhooks::Webhook::from_bytes(SECRET.to_vec()).unwrap();
    let now = Clock::system().now().as_second();
    HashMap::from([
        ("webhook-id".to_owned(), "msg_1".to_owned()),
        ("webhook-timestamp".to_owned(), now.to_string()),
        ("webhook-signature".to_owned(), webhook.sign("msg_1", now, body).unwrap()),
    ])
}
