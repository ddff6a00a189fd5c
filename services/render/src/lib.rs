//! Scene to clip, by image-to-video predictions.
//!
//! Each take of a scene is one order of the crate `predictions`, which buys it once and follows it to its end. What
//! is here is what a clip is: which models there are, what they get, and whether what they deliver is what was
//! wanted.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`settings`] | typed settings |
//! | [`request`] | pure: a wish checked and turned into an order |
//! | [`model`] | pure: the input of each model |
//! | [`clip`] | the service as the orders' engine sees it: photos prepared, clips checked |
//! | [`events`] | stored events |
//! | [`publish`] | stored events to published ones |
//! | [`store`] | SQL of the read tables |
//! | `grpc` | messages to our own types and back |
//! | [`error`] | what can go wrong |

pub mod clip;
pub mod error;
pub mod events;
mod grpc;
pub mod model;
pub mod publish;
pub mod request;
pub mod settings;
pub mod store;

use std::sync::Arc;

use anyhow::Context as _;
use kit::{Deps, Running, Tasks};
use media::{Media, MediaSettings};
use predictions::{Engine, engine::EngineParts, replicate};
use protos::render::v1::render_service_server::RenderServiceServer;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub use settings::Settings;
pub use store::MIGRATIONS;

use clip::Clips;
use grpc::Grpc;

/// What the metrics call the work of this service.
const WORK: &str = "render";

/// Starts the service: gRPC on the listener, and the runner, which goes on with whatever was unfinished, until the
/// token is canceled.
///
/// # Errors
/// The listener has no address, the scratch directory cannot be used, or the provider's address is none.
pub async fn build(settings: Settings, deps: Deps) -> anyhow::Result<Running> {
    let Deps { log, bus, blobs, clock, listener, cancel, readiness } = deps;
    let address = listener.local_addr().context("the render service's listener")?;
    let mut tools = MediaSettings::new(blobs.scratch_dir());
    (tools.ffmpeg, tools.ffprobe) = (settings.ffmpeg.clone(), settings.ffprobe.clone());
    tools.limits.threads = settings.threads;
    let media = Media::new(tools).context("the media tools")?;
    let provider = replicate::Client::new(&settings.replicate, blobs.clone(), clock.clone())
        .context("the client of the video provider")?;
    let clips = Clips { media, blobs: blobs.clone(), log: log.clone(), drawing: Arc::default() };
    let engine = Engine::new(EngineParts {
        log: log.clone(),
        blobs,
        clock,
        provider: Arc::new(provider),
        replicate: settings.replicate,
        account: settings.account,
        policy: settings.policy,
        owner: settings.owner,
        buyer: Arc::new(clips),
    });
    bus.register(bus::subjects::source::RENDER, log.clone(), publish::translate);

    let tasks = Tasks::new(bus::subjects::source::RENDER, cancel.clone());
    let (runner, stop) = (engine.clone(), cancel.clone());
    tasks.spawn("buy clips", async move { runner.run(stop).await });
    tasks.spawn("tell how much there is to buy", tell(engine.clone(), cancel.clone()));
    let server = RenderServiceServer::new(Grpc { log, engine });
    let mut routes = RoutesBuilder::default();
    routes.add_service(server.max_decoding_message_size(kit::grpc::MAX_MESSAGE));
    tasks.spawn("serve gRPC", kit::grpc::serve(listener, routes, readiness, cancel));
    Ok(Running::new(address, tasks))
}

/// Tells the metrics how many clips wait and are made, until `cancel`.
async fn tell(engine: Engine, cancel: CancellationToken) -> anyhow::Result<()> {
    let look = || async {
        engine.work().await?.tell(WORK);
        engine.tell_slots(WORK).await
    };
    kit::work::every_second(&cancel, look).await;
    Ok(())
}
