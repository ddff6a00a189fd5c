//! The job service on durable databases, and what is around it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use blobs::Blobs;
use bus::{Bus, InProcessBus, NatsBus};
use eventlog::{Log, Tail, open_log, testing::NO_TABLES};
use kit::{Clock, Deps, Readiness, Running, grpc};
use protos::{
    asset::v1::asset_service_server::AssetServiceServer, audio::v1::audio_service_server::AudioServiceServer,
    job::v1 as pb, job::v1::job_service_client::JobServiceClient,
    render::v1::render_service_server::RenderServiceServer,
    stitch::v1::stitch_service_server::StitchServiceServer,
};
use tempfile::TempDir;
use testservers::{NatsServer, PostgresServer};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use super::{
    assets::{Assets, CAMPAIGN},
    moments::Clockwork,
    workers::{Logs, TRANSLATE, Workers},
};

/// How long a job may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Scenes of a job.
const SCENES: i32 = 10;

/// Where state lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// SQLite files, messages inside the process.
    Standalone,
    /// PostgreSQL and NATS JetStream.
    Scaled,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standalone => "SQLite, one process",
            Self::Scaled => "PostgreSQL + NATS",
        }
    }
}

/// The job service and all that is around it.
pub(crate) struct World {
    client: JobServiceClient<grpc::Channel>,
    pub(crate) log: Log,
    pub(crate) workers: Workers,
    pub(crate) clockwork: Arc<Clockwork>,
    completed: watch::Receiver<HashSet<i32>>,
    running: Running,
    bus: Bus,
    cancel: CancellationToken,
    _servers: Option<(PostgresServer, NatsServer)>,
    _directory: TempDir,
}

impl World {
    pub(crate) async fn new(place: Place) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a scratch directory")?;
        let servers = match place {
            Place::Standalone => None,
            Place::Scaled => Some((PostgresServer::start_durable().await?, NatsServer::start().await?)),
        };
        let address = |service: &str| match &servers {
            None => directory.path().join(format!("{service}.db")).display().to_string(),
            Some((postgres, _)) => format!("{}?schema={service}", postgres.superuser_url()),
        };
        let bus: Bus = match &servers {
            None => InProcessBus::new(),
            Some((_, nats)) => NatsBus::connect(&nats.url(), "bench").await?,
        };
        let logs = Logs {
            render: open_log(&address("render"), &NO_TABLES).await?,
            stitch: open_log(&address("stitch"), &NO_TABLES).await?,
            audio: open_log(&address("audio"), &NO_TABLES).await?,
        };
        for (source, log) in [("render", &logs.render), ("stitch", &logs.stitch), ("audio", &logs.audio)] {
            bus.register(source, log.clone(), TRANSLATE);
        }
        let (clockwork, cancel) = (Arc::new(Clockwork::default()), CancellationToken::new());
        let workers = Workers::new(logs, Arc::clone(&clockwork));
        let around = serve_around(&workers, cancel.clone()).await?;
        let log = open_log(&address("job"), &job::MIGRATIONS).await?;
        let deps = Deps {
            log: log.clone(),
            bus: bus.clone(),
            blobs: Blobs::local(directory.path().join("blobs"))?,
            clock: Clock::system(),
            listener: grpc::bind(([127, 0, 0, 1], 0).into()).await?,
            cancel: cancel.clone(),
            readiness: Readiness::new(),
        };
        let running =
            Box::pin(job::build(job::Settings::new(&around, &around, &around, &around), deps)).await?;
        let client = JobServiceClient::new(grpc::channel(&running.address.to_string())?);
        let completed = follow(log.clone(), Arc::clone(&clockwork), cancel.clone());
        Ok(Self {
            client,
            log,
            workers,
            clockwork,
            completed,
            running,
            bus,
            cancel,
            _servers: servers,
            _directory: directory,
        })
    }

    /// A new job of ten scenes; nothing of it is timed.
    pub(crate) async fn create(&self) -> anyhow::Result<i32> {
        let request = pb::CreateJobRequest {
            kind: "image_pairs".to_owned(),
            campaign_id: CAMPAIGN.to_owned(),
            num_pairs: Some(SCENES),
            ..pb::CreateJobRequest::default()
        };
        let job = self.client.clone().create_job(request).await.context("creating a job")?.into_inner();
        let scenes = job.scenes.len();
        anyhow::ensure!(i32::try_from(scenes)? == SCENES, "the job has {scenes} scenes instead of {SCENES}");
        Ok(job.id)
    }

    /// Lets a job run and waits for its end.
    pub(crate) async fn run(&self, job: i32) -> anyhow::Result<()> {
        self.clockwork.mark(job, |moments, now| moments.approved = Some(now));
        let request = pb::ApproveJobRequest { command_id: String::new(), job_id: job };
        self.client.clone().approve_job(request).await.context("approving a job")?;
        let mut completed = self.completed.clone();
        match tokio::time::timeout(PATIENCE, completed.wait_for(|jobs| jobs.contains(&job))).await {
            Ok(done) => done.map(drop).context("following the jobs"),
            Err(_) => bail!("job {job} is not over after {PATIENCE:?}"),
        }
    }

    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        self.running.stopped().await;
        self.bus.stop().await;
    }
}

/// Follows the job's log as the gateway's feed does; the jobs that are over.
fn follow(log: Log, clockwork: Arc<Clockwork>, cancel: CancellationToken) -> watch::Receiver<HashSet<i32>> {
    let (told, completed) = watch::channel(HashSet::new());
    tokio::spawn(async move {
        let mut tail = Tail::new(log, 0);
        while let Ok(Some(batch)) = tail.next_batch(&cancel).await {
            let over = batch.iter().filter(|event| event.kind == "JobCompleted");
            let ids = over.filter_map(|event| event.stream.strip_prefix("job-")?.parse::<i32>().ok());
            let ids: Vec<i32> = ids
                .filter(|&id| clockwork.mark_known(id, |moments, now| moments.completed = Some(now)))
                .collect();
            if !ids.is_empty() {
                told.send_modify(|jobs| jobs.extend(ids));
            }
        }
    });
    completed
}

/// All the services around, on one port.
async fn serve_around(workers: &Workers, cancel: CancellationToken) -> anyhow::Result<String> {
    let listener = grpc::bind(([127, 0, 0, 1], 0).into()).await?;
    let address = listener.local_addr()?.to_string();
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(AssetServiceServer::new(Assets))
        .add_service(RenderServiceServer::new(workers.clone()))
        .add_service(StitchServiceServer::new(workers.clone()))
        .add_service(AudioServiceServer::new(workers.clone()));
    tokio::spawn(async move { grpc::serve(listener, routes, Readiness::new(), cancel).await });
    Ok(address)
}
