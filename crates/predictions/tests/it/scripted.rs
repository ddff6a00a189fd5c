//! Engines over a scratch database and a scripted provider.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use blobs::Blobs;
use eventlog::{Log, Meta, Migrations, open_log, testing::scratch_log};
use kit::Clock;
use predictions::{
    Account, Buyer, Engine, MediaInput, Order, OrderView, POSTGRES_COORDINATION, POSTGRES_MIGRATION, Policy,
    Rejected, ReplicateConfig, SQLITE_COORDINATION, SQLITE_MIGRATION, Usable, engine::EngineParts,
};
use protos::common::v1::BlobRef;
use serde_json::json;
use tempfile::TempDir;
use testservers::PostgresServer;
use tokio_util::sync::CancellationToken;

pub(crate) use crate::provider::{
    Answer, Course, Frozen, Memory, Pause, SECRET, Scripted, signed, signed_at, signed_with,
};

pub(crate) const PRICE: i64 = 1_000_000;
/// How long a wait may take before it is a failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const MIGRATIONS: Migrations = Migrations {
    service: "scratch",
    sqlite: &[("0001_prediction", SQLITE_MIGRATION), ("0002_coordination", SQLITE_COORDINATION)],
    postgres: &[("0001_prediction", POSTGRES_MIGRATION), ("0002_coordination", POSTGRES_COORDINATION)],
};

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
    pub(crate) clock: Clock,
    /// Set when the database is PostgreSQL: more processes can open it.
    url: String,
    _servers: Option<PostgresServer>,
    _dirs: (TempDir, TempDir),
}

/// An engine at work.
pub(crate) struct Running {
    pub(crate) engine: Engine,
    cancel: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(engine: Engine) -> Self {
        let cancel = CancellationToken::new();
        let (runner, token) = (engine.clone(), cancel.clone());
        let task = tokio::spawn(async move { runner.run(token).await.unwrap() });
        Self { engine, cancel, task }
    }

    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("it ends when it is told to").unwrap();
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
        Self::over(log, log_dir, None, String::new())
    }

    /// The same on a PostgreSQL server of its own.
    pub(crate) async fn on_postgres() -> Self {
        let server = PostgresServer::start().await.unwrap();
        server.sql("CREATE ROLE film LOGIN; GRANT CREATE ON DATABASE postgres TO film").await.unwrap();
        // A process that is paused in the middle of a commit holds everybody up until the server gives up on it.
        server.sql("ALTER ROLE film SET idle_in_transaction_session_timeout = '5s'").await.unwrap();
        let url = format!("{}?schema=scratch", server.url("film", "postgres"));
        let log = open_log(&url, &MIGRATIONS).await.unwrap();
        Self::over(log, tempfile::tempdir().unwrap(), Some(server), url)
    }

    fn over(log: Log, log_dir: TempDir, servers: Option<PostgresServer>, url: String) -> Self {
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
        Self {
            provider: Arc::default(),
            log,
            blobs,
            account,
            policy,
            config,
            clock: Clock::system(),
            url,
            _servers: servers,
            _dirs: (log_dir, dir),
        }
    }

    /// Its time, and the provider's, is this clock's.
    pub(crate) fn at(mut self, clock: Clock) -> Self {
        self.provider = Arc::new(Scripted { clock: clock.clone(), ..Scripted::default() });
        self.clock = clock;
        self
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_of("one")
    }

    fn engine_of(&self, owner: &str) -> Engine {
        Engine::new(self.parts(owner, self.log.clone()))
    }

    /// What the engine of a process of this name is made of.
    pub(crate) fn parts(&self, owner: &str, log: Log) -> EngineParts {
        EngineParts {
            log,
            blobs: self.blobs.clone(),
            clock: self.clock.clone(),
            provider: self.provider.clone(),
            replicate: self.config.clone(),
            account: self.account,
            policy: self.policy,
            owner: owner.into(),
            buyer: Arc::new(Anyone),
        }
    }

    /// The database opened once more, as another process does.
    pub(crate) async fn open(&self) -> Log {
        self.opening().await
    }

    /// The same, to be done elsewhere.
    pub(crate) fn opening(&self) -> impl Future<Output = Log> + Send + use<> {
        let url = self.url.clone();
        async move { open_log(&url, &MIGRATIONS).await.unwrap() }
    }

    /// An engine that works in a process of this name, with connections of its own.
    pub(crate) async fn replica(&self, owner: &str) -> Running {
        Running::start(Engine::new(self.parts(owner, self.open().await)))
    }

    /// Who holds the runner's lease, once somebody does that `right` accepts.
    pub(crate) async fn leader(&self, right: impl Fn(&str) -> bool) -> String {
        let sql = "SELECT owner FROM lease WHERE name = 'prediction-runner' AND expires_at > 0";
        let looking = async {
            loop {
                let rows = self.log.query(sql, eventlog::params![]).await.unwrap();
                if let Some(owner) = rows.first().map(|row| row.get::<String>("owner").unwrap())
                    && right(&owner)
                {
                    return owner;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, looking).await.expect("somebody leads")
    }

    pub(crate) fn run(&self) -> Running {
        self.run_as("one")
    }

    /// A process of this name.
    pub(crate) fn run_as(&self, owner: &str) -> Running {
        Running::start(self.engine_of(owner))
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
