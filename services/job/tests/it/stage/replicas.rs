//! Several processes of the service, so to speak, on one PostgreSQL database.

use bus::InProcessBus;
use eventlog::{Log, open_log};
use job::Settings;
use kit::{Clock, Running};
use protos::job::v1 as pb;
use tempfile::TempDir;
use testservers::PostgresServer;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::{Assets, Client, PATIENCE, Script, Workers, scratch_log, serve_around, start, workers};

/// The database and what is around it.
pub(crate) struct Replicas {
    pub(crate) workers: Workers,
    pub(crate) settings: Settings,
    database: PostgresServer,
    around: CancellationToken,
    worker_log: (Log, TempDir),
    started: usize,
}

/// One process. Dropped without a word, it is killed: nothing is given back.
pub(crate) struct Replica {
    pub(crate) client: Client,
    pub(crate) log: Log,
    running: Running,
    cancel: CancellationToken,
    runtime: Option<Runtime>,
    _directory: TempDir,
}

impl Replicas {
    pub(crate) async fn new(settings: impl FnOnce(&mut Settings)) -> Self {
        let worker_log = scratch_log(&eventlog::testing::NO_TABLES).await;
        let (assets, workers) = (Assets::default(), Workers::new(worker_log.0.clone()));
        assets.campaign("spring", "Spring", 8);
        let around = CancellationToken::new();
        let address = serve_around(&assets, &workers, around.clone()).await;
        let mut own = Settings::new(&address, &address, &address, &address);
        own.ask_again = std::time::Duration::from_millis(100);
        settings(&mut own);
        let database = PostgresServer::start().await.unwrap();
        Self { workers, settings: own, database, around, worker_log, started: 0 }
    }

    /// One more process, with a name of its own.
    pub(crate) async fn start(&mut self) -> Replica {
        self.started += 1;
        let mut settings = self.settings.clone();
        settings.instance = format!("replica-{}", self.started);
        let url = format!("{}?schema=job", self.database.superuser_url());
        let worker_log = self.worker_log.0.clone();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let started = runtime.spawn(async move {
            let log = open_log(&url, &job::MIGRATIONS).await.unwrap();
            let bus = InProcessBus::new();
            for source in ["render", "stitch", "audio"] {
                bus.register(source, worker_log.clone(), workers::translation(source));
            }
            let directory = tempfile::tempdir().unwrap();
            let (_, (running, cancel)) = start(&settings, &log, &bus, &directory, &Clock::system()).await;
            (log, running, cancel, directory)
        });
        let (log, running, cancel, directory) = started.await.unwrap();
        let client = Client::new(kit::grpc::channel(&running.address.to_string()).unwrap());
        Replica { client, log, running, cancel, runtime: Some(runtime), _directory: directory }
    }

    /// Ends a process as SIGKILL would.
    pub(crate) fn kill(replica: Replica) {
        drop(replica);
    }

    /// The service's log, in the hands of the test.
    pub(crate) async fn log(&self) -> Log {
        let url = format!("{}?schema=job", self.database.superuser_url());
        open_log(&url, &job::MIGRATIONS).await.unwrap()
    }

    /// What becomes of the requests of a job's scene from now on.
    pub(crate) fn script(&self, job: i32, scene: u32, script: Script) {
        self.workers.script(&format!("job-{job}/scene-{scene}/take-1"), script);
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        self.around.cancel();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Replica {
    /// Ends it as SIGTERM would.
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(PATIENCE, self.running.stopped()).await.expect("it ends when it is told to");
    }

    pub(crate) async fn create(&self, command_id: &str, scenes: i32) -> pb::Job {
        let request = pb::CreateJobRequest {
            command_id: command_id.to_owned(),
            kind: "image_pairs".to_owned(),
            campaign_id: "spring".to_owned(),
            num_pairs: Some(scenes),
            ..pb::CreateJobRequest::default()
        };
        self.client.clone().create_job(request).await.unwrap().into_inner()
    }

    pub(crate) async fn approve(&self, job_id: i32) -> Result<pb::Job, tonic::Status> {
        let request = pb::ApproveJobRequest { command_id: String::new(), job_id };
        self.client.clone().approve_job(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn job(&self, job_id: i32) -> pb::Job {
        self.client.clone().get_job(pb::GetJobRequest { job_id }).await.unwrap().into_inner()
    }

    /// The job once it is as wanted, as this process's feed tells.
    pub(crate) async fn until(&self, job_id: i32, wanted: impl Fn(&pb::Job) -> bool) -> pb::Job {
        let feed = self.client.clone().watch(pb::WatchRequest { after_position: -1 }).await.unwrap();
        let mut feed = feed.into_inner();
        let mut last = self.job(job_id).await;
        let waiting = async {
            while !wanted(&last) {
                feed.message().await.unwrap().expect("the feed does not end");
                last = self.job(job_id).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "the job did not get there: {last:#?}");
        last
    }

    /// The kinds of the job's events.
    pub(crate) async fn kinds(&self, job_id: i32) -> Vec<String> {
        let events = self.log.load(&format!("job-{job_id}"), 0).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}
