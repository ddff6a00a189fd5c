//! The service on its stage: a scratch database, scripted services around it, and a client.

mod assets;
mod gate;
mod replicas;
mod workers;

use std::{sync::Arc, time::Duration};

use blobs::Blobs;
use bus::InProcessBus;
use eventlog::{
    Log, open_log,
    testing::{Trap, Wrapped, scratch_log},
};
use futures::StreamExt as _;
use job::Settings;
use kit::{Clock, Deps, Running, ServiceError, grpc};
use protos::{
    asset::v1::asset_service_server::AssetServiceServer, audio::v1::audio_service_server::AudioServiceServer,
    job::v1 as pb, job::v1::job_service_client::JobServiceClient,
    job::v1::legacy_service_client::LegacyServiceClient,
    job::v1::pipeline_service_client::PipelineServiceClient,
    render::v1::render_service_server::RenderServiceServer,
    stitch::v1::stitch_service_server::StitchServiceServer,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub(crate) use assets::{Assets, image};
pub(crate) use gate::Gate;
pub(crate) use replicas::Replicas;
pub(crate) use workers::{Script, Tell, Workers, trace_id};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type Client = JobServiceClient<grpc::Channel>;
pub(crate) type Pipelines = PipelineServiceClient<grpc::Channel>;

/// The service and all that is around it.
pub(crate) struct Stage {
    pub(crate) client: Client,
    pub(crate) log: Log,
    pub(crate) assets: Assets,
    pub(crate) workers: Workers,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    running: Option<(Running, CancellationToken)>,
    around: CancellationToken,
    bus: Arc<InProcessBus>,
    directory: TempDir,
    _worker_log: TempDir,
}

impl Stage {
    /// With the campaign `spring` of eight photos and workers that deliver everything.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn with(settings: impl FnOnce(&mut Settings)) -> Self {
        Self::on(Clock::system(), settings, |log| log).await
    }

    /// By a clock that is moved by hand: nothing is asked twice before it is.
    pub(crate) async fn by(clock: Clock) -> Self {
        Self::on(clock, |_| {}, |log| log).await
    }

    /// On a log in which the service can be made to stumble.
    pub(crate) async fn trapped() -> (Self, Arc<Wrapped<Trap>>) {
        let mut trap = None;
        let stage = Self::on(
            Clock::system(),
            |_| {},
            |log| {
                let set = Wrapped::new(log, Trap::default());
                trap = Some(Arc::clone(&set));
                set
            },
        );
        (stage.await, trap.unwrap())
    }

    /// On a log whose appends can be counted and held up.
    pub(crate) async fn gated() -> (Self, Arc<Wrapped<Gate>>) {
        let mut gate = None;
        let stage = Self::on(
            Clock::system(),
            |_| {},
            |log| {
                let set = Gate::before(log);
                gate = Some(Arc::clone(&set));
                set
            },
        );
        (stage.await, gate.unwrap())
    }

    async fn on(clock: Clock, settings: impl FnOnce(&mut Settings), wrap: impl FnOnce(Log) -> Log) -> Self {
        let (worker_log, worker_directory) = scratch_log(&eventlog::testing::NO_TABLES).await;
        let (assets, workers) = (Assets::default(), Workers::new(worker_log.clone()));
        assets.campaign("spring", "Spring", 8);
        let around = CancellationToken::new();
        let address = serve_around(&assets, &workers, around.clone()).await;
        let bus = InProcessBus::new();
        for source in ["render", "stitch", "audio"] {
            bus.register(source, worker_log.clone(), workers::translation(source));
        }
        let mut own = Settings::new(&address, &address, &address, &address);
        own.ask_again = Duration::from_millis(100);
        settings(&mut own);
        let directory = tempfile::tempdir().unwrap();
        let log = wrap(open(&directory).await);
        let (client, running) = start(&own, &log, &bus, &directory, &clock).await;
        Self {
            client,
            log,
            assets,
            workers,
            settings: own,
            clock,
            running: Some(running),
            around,
            bus,
            directory,
            _worker_log: worker_directory,
        }
    }

    /// Stops the service and waits for its end; its database stays.
    pub(crate) async fn stop(&mut self) {
        if let Some((running, cancel)) = self.running.take() {
            cancel.cancel();
            tokio::time::timeout(PATIENCE, running.stopped())
                .await
                .expect("the service ends when it is told to");
        }
    }

    /// Starts it again on the same database.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.log = open(&self.directory).await;
        let (client, running) =
            start(&self.settings, &self.log, &self.bus, &self.directory, &self.clock).await;
        self.client = client;
        self.running = Some(running);
    }

    /// A new job of the campaign `spring`.
    pub(crate) async fn create(&mut self, scenes: i32) -> pb::Job {
        self.create_with(|request| request.num_pairs = Some(scenes)).await.unwrap()
    }

    /// A new job with a request of one's own.
    pub(crate) async fn create_with(
        &mut self,
        change: impl FnOnce(&mut pb::CreateJobRequest),
    ) -> Result<pb::Job, ServiceError> {
        let mut request = pb::CreateJobRequest {
            kind: "image_pairs".to_owned(),
            campaign_id: "spring".to_owned(),
            ..pb::CreateJobRequest::default()
        };
        change(&mut request);
        Ok(self.client.create_job(request).await.map_err(ServiceError::from)?.into_inner())
    }

    /// The service's other half, on the same port.
    pub(crate) fn pipeline(&self) -> Pipelines {
        let (running, _) = self.running.as_ref().expect("it runs");
        PipelineServiceClient::new(grpc::channel(&running.address.to_string()).unwrap())
    }

    /// The importer's part, on the same port.
    pub(crate) fn legacy(&self) -> LegacyServiceClient<grpc::Channel> {
        let (running, _) = self.running.as_ref().expect("it runs");
        LegacyServiceClient::new(grpc::channel(&running.address.to_string()).unwrap())
    }

    /// Lets a job start.
    pub(crate) async fn approve(&mut self, job_id: i32) -> pb::Job {
        let request = pb::ApproveJobRequest { command_id: String::new(), job_id };
        self.client.approve_job(request).await.unwrap().into_inner()
    }

    /// A job that was created and approved.
    pub(crate) async fn approved(&mut self, scenes: i32) -> i32 {
        let id = self.create(scenes).await.id;
        self.approve(id).await;
        id
    }

    /// The job now.
    pub(crate) async fn job(&mut self, job_id: i32) -> pb::Job {
        self.client.get_job(pb::GetJobRequest { job_id }).await.unwrap().into_inner()
    }

    /// The job once it is as wanted.
    pub(crate) async fn until(&mut self, job_id: i32, wanted: impl Fn(&pb::Job) -> bool) -> pb::Job {
        let feed = self.client.watch(pb::WatchRequest { after_position: -1 }).await.unwrap();
        let mut feed = feed.into_inner();
        let mut last = self.job(job_id).await;
        let waiting = async {
            while !wanted(&last) {
                feed.next().await.expect("the feed does not end").unwrap();
                last = self.job(job_id).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "the job did not get there: {last:#?}");
        last
    }

    /// The job once nothing more is to come.
    pub(crate) async fn over(&mut self, job_id: i32) -> pb::Job {
        let over = |job: &pb::Job| {
            ["completed", "failed", "canceled"].contains(&job.status.as_str())
                && job.next_cut.as_ref().is_none_or(|next| next.progress.is_none())
        };
        self.until(job_id, over).await
    }

    /// The kinds of the job's events.
    pub(crate) async fn kinds(&self, job_id: i32) -> Vec<String> {
        let events = self.log.load(&format!("job-{job_id}"), 0).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.around.cancel();
        if let Some((_, cancel)) = &self.running {
            cancel.cancel();
        }
    }
}

async fn open(directory: &TempDir) -> Log {
    open_log(&directory.path().join("job.db").to_string_lossy(), &job::MIGRATIONS).await.unwrap()
}

async fn loopback() -> TcpListener {
    grpc::bind(([127, 0, 0, 1], 0).into()).await.unwrap()
}

async fn start(
    settings: &Settings,
    log: &Log,
    bus: &Arc<InProcessBus>,
    directory: &TempDir,
    clock: &Clock,
) -> (Client, (Running, CancellationToken)) {
    let cancel = CancellationToken::new();
    let bus: bus::Bus = Arc::clone(bus) as bus::Bus;
    let deps = Deps {
        log: log.clone(),
        bus,
        blobs: Blobs::local(directory.path().join("blobs")).unwrap(),
        clock: clock.clone(),
        listener: loopback().await,
        cancel: cancel.clone(),
        readiness: kit::Readiness::new(),
    };
    let running = job::build(settings.clone(), deps).await.unwrap();
    let client = JobServiceClient::new(grpc::channel(&running.address.to_string()).unwrap());
    (client, (running, cancel))
}

/// All the services around, on one port.
async fn serve_around(assets: &Assets, workers: &Workers, cancel: CancellationToken) -> String {
    let listener = loopback().await;
    let address = listener.local_addr().unwrap().to_string();
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(AssetServiceServer::new(assets.clone()))
        .add_service(RenderServiceServer::new(workers.clone()))
        .add_service(StitchServiceServer::new(workers.clone()))
        .add_service(AudioServiceServer::new(workers.clone()));
    tokio::spawn(async move { grpc::serve(listener, routes, kit::Readiness::new(), cancel).await.unwrap() });
    address
}
