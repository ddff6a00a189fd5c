//! Jobs, scenes and storyboards: the service that decides.
//!
//! A job is a stream of events; the rules are in the crate `job-domain`, which knows no clock and no network.
//! This crate gives it both.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`grpc`] | `JobService` |
//! | [`create`], [`photos`], [`planner`] | a new job: checks, photos, storyboard |
//! | [`edit`] | a changed scene: its frames |
//! | [`app`] | load, fold, decide, append |
//! | [`events`], [`store`] | stored events; read tables |
//! | [`catch_up`] | read tables of an older program are brought up to date |
//! | [`runner`], [`workers`] | what should be outstanding at the workers is made so |
//! | [`watchdog`] | jobs that stand still are told, with a cause |
//! | [`consumers`] | what the workers publish |
//! | [`feed`], [`listing`], [`view`] | what others see of jobs |
//! | [`publish`] | stored events as published messages |
//! | [`pipeline`] | the settings of new jobs; soundtracks by wish; previews and scripts |
//! | [`legacy`] | the jobs of older databases |
//! | [`assets`] | what the asset service knows of a campaign |
//! | [`error`], [`settings`] | refusals; what the service can be told |

pub mod app;
pub mod assets;
pub mod catch_up;
pub mod consumers;
pub mod create;
pub mod edit;
pub mod error;
pub mod events;
pub mod feed;
pub mod grpc;
pub mod legacy;
pub mod listing;
pub mod photos;
pub mod pipeline;
pub mod planner;
pub mod publish;
pub mod runner;
pub mod settings;
pub mod store;
pub mod view;
pub mod watchdog;
pub mod workers;

use std::sync::Arc;

use bus::subjects::source;
use kit::{Deps, Running, Tasks};
use protos::job::v1::{
    job_service_server::JobServiceServer, legacy_service_server::LegacyServiceServer,
    pipeline_service_server::PipelineServiceServer,
};
use tonic::service::RoutesBuilder;

pub use settings::{Settings, XaiSettings};
pub use store::MIGRATIONS;

/// Starts the service: it publishes, listens to the workers, takes up what is unfinished, and serves.
///
/// # Errors
/// A setting is wrong or the listener has no address.
pub async fn build(settings: Settings, deps: Deps) -> anyhow::Result<Running> {
    let Deps { log, bus, clock, listener, cancel, readiness, .. } = deps;
    let address = listener.local_addr()?;
    anyhow::ensure!(
        job_domain::models::find(&settings.default_model).is_some(),
        "the default video model {:?} is not one of the supported ones",
        settings.default_model
    );
    let planner = planner::Planner::new(settings.planner.as_ref())?;
    let assets = assets::Assets::new(&settings.asset)?;
    let pipeline = pipeline::PipelineSettings::new(log.clone(), clock.clone());
    let pipeline = pipeline.of_process(&settings);
    let workers = workers::Workers::new(&settings)?;
    let tasks = Tasks::new("job", cancel.clone());

    bus.register(source::JOB, log.clone(), publish::translate);
    let app = Arc::new(app::App::new(log.clone(), clock.clone()).patient(settings.patience));
    consumers::start(&app, &bus, &tasks);
    let runner = runner::Runner::new(Arc::clone(&app), workers.clone(), settings.clone(), cancel.clone());
    tasks.spawn("run jobs", runner.run());
    let watchdog = watchdog::Watchdog::new(Arc::clone(&app), workers, settings.clone(), cancel.clone());
    tasks.spawn("watch over jobs", watchdog.run());
    tasks.spawn("tell of unfinished jobs", watchdog::tell(log, clock, cancel.clone()));

    tasks.spawn("bring read tables up to date", catch_up::run(Arc::clone(&app), cancel.clone()));

    let pipelines = pipeline::grpc::Pipelines {
        app: Arc::clone(&app),
        settings: pipeline.clone(),
        previewer: pipeline::preview::Previewer {
            assets: assets.clone(),
            planner: planner::Planner::new(settings.planner.as_ref())?,
            default_model: settings.default_model.clone(),
        },
        writer: pipeline::script::Writer::new(settings.planner.as_ref())?,
    };
    let editor = edit::Editor::new(Arc::clone(&app), assets.clone());
    let creator = create::Creator::new(Arc::clone(&app), assets, planner, &settings)
        .under(pipeline, pipeline::script::Writer::new(settings.planner.as_ref())?);
    let legacy = legacy::Legacy::new(Arc::clone(&app));
    let jobs = grpc::Jobs::new(app, creator, editor, cancel.clone());
    let mut routes = RoutesBuilder::default();
    routes.add_service(JobServiceServer::new(jobs).max_decoding_message_size(kit::grpc::MAX_MESSAGE));
    routes.add_service(PipelineServiceServer::new(pipelines));
    routes.add_service(LegacyServiceServer::new(legacy).max_decoding_message_size(kit::grpc::MAX_MESSAGE));
    tasks.spawn("serve gRPC", kit::grpc::serve(listener, routes, readiness, cancel));
    Ok(Running::new(address, tasks))
}
