//! The job service on durable databases, and what is around it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use eventlog::{Log, Tail, open_log, testing::NO_TABLES};
use kit::{Readiness, grpc};
use protos::{
    asset::v1::asset_service_server::AssetServiceServer, audio::v1::audio_service_server::AudioServiceServer,
    job::v1 as pb, job::v1::job_service_client::JobServiceClient,
    render::v1::render_service_server::RenderServiceServer,
    stitch::v1::stitch_service_server::StitchServiceServer,
};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use uuid::Uuid;

use super::{
    assets::{Assets, CAMPAIGN},
    counted::Counted,
    fill::Model,
    moments::Clockwork,
    place::{Place, Servers},
    service::Service,
    usage::Usage,
    workers::{Logs, TRANSLATE, Workers},
};
use crate::process;

/// How long a job may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// A service at rest uses less processor time than this between two looks, so many times in a row.
const IDLE_MS: f64 = 40.0;
const LOOK: Duration = Duration::from_millis(500);
const QUIET: usize = 3;
/// Scenes of a job.
const SCENES: i32 = 10;

/// The job service and all that is around it.
pub(crate) struct World {
    client: JobServiceClient<grpc::Channel>,
    /// The job service's log.
    pub(crate) log: Log,
    pub(crate) workers: Workers,
    pub(crate) clockwork: Arc<Clockwork>,
    /// What the job service asks its log, where that is counted.
    pub(crate) counted: Option<Arc<Counted>>,
    completed: watch::Receiver<HashSet<i32>>,
    service: Service,
    around: bus::Bus,
    cancel: CancellationToken,
    pub(crate) servers: Servers,
    _directory: TempDir,
}

impl World {
    pub(crate) async fn new(place: Place) -> anyhow::Result<Self> {
        Self::start(place, None).await
    }

    /// With so many finished jobs in the database before the service starts, and what it asks its log counted.
    pub(crate) async fn filled(place: Place, model: &Model, jobs: i32) -> anyhow::Result<Self> {
        Self::start(place, Some((model, jobs))).await
    }

    async fn start(place: Place, filling: Option<(&Model, i32)>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a scratch directory")?;
        let servers = Servers::start(place).await?;
        let address = |service: &str| servers.address(directory.path(), service);
        let logs = Logs {
            render: open_log(&address("render"), &NO_TABLES).await?,
            stitch: open_log(&address("stitch"), &NO_TABLES).await?,
            audio: open_log(&address("audio"), &NO_TABLES).await?,
        };
        let (around, own) = servers.buses().await?;
        for (source, log) in [("render", &logs.render), ("stitch", &logs.stitch), ("audio", &logs.audio)] {
            around.register(source, log.clone(), TRANSLATE);
        }
        let (clockwork, cancel) = (Arc::new(Clockwork::default()), CancellationToken::new());
        let workers = Workers::new(logs, Arc::clone(&clockwork));
        let asked = serve_around(&workers, cancel.clone()).await?;
        let mut service = Service::new()?;
        let log = service.open(address("job")).await?;
        let mut counted = None;
        if let Some((model, jobs)) = filling {
            model.fill(&log, jobs).await?;
            servers.tidy().await?;
            counted = Some(Counted::new(log.clone()));
        }
        let served: Log = match &counted {
            Some(counted) => counted.clone(),
            None => log.clone(),
        };
        let listens = service.serve(served, own, &asked, directory.path(), cancel.clone()).await?;
        let client = JobServiceClient::new(grpc::channel(&listens)?);
        let completed = follow(log.clone(), Arc::clone(&clockwork), cancel.clone()).await?;
        Ok(Self {
            client,
            log,
            workers,
            clockwork,
            counted,
            completed,
            service,
            around,
            cancel,
            servers,
            _directory: directory,
        })
    }

    /// Waits until the service has done what there was to do at its start: it publishes all that is stored.
    pub(crate) async fn settled(&self) -> anyhow::Result<()> {
        let settling = async {
            let mut quiet = 0;
            while quiet < QUIET {
                let before = self.service.cpu_ms();
                tokio::time::sleep(LOOK).await;
                quiet = if self.service.cpu_ms() - before < IDLE_MS { quiet + 1 } else { 0 };
            }
        };
        tokio::time::timeout(PATIENCE * 2, settling).await.context("the service does not come to rest")
    }

    /// A new job of ten scenes; nothing of it is timed.
    pub(crate) async fn create(&self) -> anyhow::Result<i32> {
        let request = pb::CreateJobRequest {
            // As the gateway does for every write.
            command_id: Uuid::now_v7().to_string(),
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
        let command_id = Uuid::now_v7().to_string();
        self.clockwork.mark(job, |moments, now| moments.approved = Some(now));
        let request = pb::ApproveJobRequest { command_id, job_id: job };
        self.client.clone().approve_job(request).await.context("approving a job")?;
        let mut completed = self.completed.clone();
        match tokio::time::timeout(PATIENCE, completed.wait_for(|jobs| jobs.contains(&job))).await {
            Ok(done) => done.map(drop).context("following the jobs"),
            Err(_) => bail!("job {job} is not over after {PATIENCE:?}"),
        }
    }

    /// The first page of all videos, as the gallery asks for it.
    pub(crate) async fn first_page(&self) -> anyhow::Result<()> {
        let page = self.client.clone().list_videos(pb::ListVideosRequest::default()).await;
        let page = page.context("listing the videos")?.into_inner();
        anyhow::ensure!(!page.jobs.is_empty(), "there is no video");
        Ok(())
    }

    /// What has been used so far.
    pub(crate) fn usage(&self) -> Usage {
        let (service_ms, stats) = (self.service.cpu_ms(), self.log.stats());
        Usage {
            service_ms,
            bench_ms: process::cpu_ms() - service_ms,
            servers_ms: self.servers.cpu_ms(),
            commits: stats.commits,
            events: stats.events,
            worker_commits: self.workers.commits(),
        }
    }

    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        self.service.stopped().await;
        self.around.stop().await;
    }
}

/// Follows the job's log from its end as the gateway's feed does; the jobs that are over.
async fn follow(
    log: Log,
    clockwork: Arc<Clockwork>,
    cancel: CancellationToken,
) -> anyhow::Result<watch::Receiver<HashSet<i32>>> {
    let (told, completed) = watch::channel(HashSet::new());
    let mut tail = Tail::new(log.clone(), log.head().await?);
    tokio::spawn(async move {
        while let Ok(Some(batch)) = tail.next_batch(&cancel).await {
            let over = batch.iter().filter(|event| event.kind == "JobCompleted");
            let ids = over.filter_map(|event| event.stream.strip_prefix("job-")?.parse::<i32>().ok());
            let ids: Vec<i32> = ids.collect();
            for &id in &ids {
                clockwork.mark(id, |moments, now| moments.completed = Some(now));
            }
            if !ids.is_empty() {
                told.send_modify(|jobs| jobs.extend(ids));
            }
        }
    });
    Ok(completed)
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
