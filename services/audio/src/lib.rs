//! Scenes to soundtrack, by music predictions.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`settings`] | typed settings |
//! | [`model`] | the music models that can be ordered |
//! | [`plan`] | pure: which segments make a soundtrack, where each lies in it |
//! | [`prompt`] | pure: the words that a model gets |
//! | [`track`] | pure: what a soundtrack is, what is to be done next |
//! | [`order`] | the orders that buy segments |
//! | [`service`] | answering requests: wish, question, tombstone |
//! | `driver` | doing the next step of every unfinished soundtrack |
//! | `joins` | joins under way, and those to be tried again |
//! | [`join`] | segments to one file |
//! | [`voice`] | scripts to speech: all of it |
//! | [`events`], [`write`] | stored events, and the one way to write them |
//! | [`store`] | SQL of the read tables |
//! | [`publish`] | stored events to published ones |
//! | `grpc` | messages to our own types and back |
//! | [`error`] | what can go wrong |

mod driver;
pub mod error;
pub mod events;
mod grpc;
pub mod join;
mod joins;
pub mod model;
pub mod order;
pub mod plan;
pub mod prompt;
pub mod publish;
pub mod service;
pub mod settings;
pub mod store;
pub mod track;
pub mod voice;
pub mod write;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use eventlog::Log;
use kit::{Clock, Deps, Running, Tasks};
use media::{Media, MediaSettings};
use predictions::engine::EngineParts;
use predictions::{Engine, replicate};
use protos::audio::v1::{audio_service_server::AudioServiceServer, voice_service_server::VoiceServiceServer};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

pub use settings::Settings;
pub use store::MIGRATIONS;

/// What the metrics call making soundtracks.
const MUSIC: &str = "soundtrack";
/// What the metrics call speaking scripts.
const SPEECH: &str = "voice";

/// Starts the service: gRPC, the orders' engine, and the driver, which goes on with whatever was unfinished.
///
/// # Errors
/// A part of it cannot be set up.
pub async fn build(settings: Settings, deps: Deps) -> anyhow::Result<Running> {
    let Deps { log, bus, blobs, clock, listener, cancel, readiness } = deps;
    let address = listener.local_addr()?;
    let mut tools = MediaSettings::new(blobs.scratch_dir());
    tools.limits.threads = settings.threads;
    let media = Media::new(tools).context("the media tools")?;
    let provider = replicate::Client::new(&settings.replicate, blobs.clone(), clock.clone())
        .context("the client of the music provider")?;
    let engine = Engine::new(EngineParts {
        log: log.clone(),
        blobs: blobs.clone(),
        clock: clock.clone(),
        provider: Arc::new(provider),
        replicate: settings.replicate.clone(),
        account: settings.account,
        policy: settings.policy,
        owner: settings.owner.clone(),
        buyer: Arc::new(order::AudioBuyer { media: media.clone() }),
    });
    bus.register(bus::subjects::source::AUDIO, log.clone(), publish::translate);

    let tasks = Tasks::new("audio", cancel.clone());
    let runner = engine.clone();
    let stop = cancel.clone();
    tasks.spawn("buy segments", async move { runner.run(stop).await });
    let told = tell(engine.clone(), log.clone(), clock.clone(), cancel.clone());
    tasks.spawn("tell how much there is to do", told);
    let driver = driver::Driver {
        log: log.clone(),
        engine: engine.clone(),
        media: media.clone(),
        blobs: blobs.clone(),
        clock: clock.clone(),
        model: settings.model,
        owner: settings.owner.clone(),
        lease: settings.policy.lease,
    };
    tasks.spawn("make soundtracks", driver.run(cancel.clone()));

    let client = settings.voices.as_ref().map(voice::elevenlabs::Client::new).transpose();
    // Longer than a call may take.
    let call =
        settings.voices.as_ref().map_or(Duration::ZERO, |config| config.timeout + Duration::from_secs(30));
    let speaking = voice::driver::Driver {
        log: log.clone(),
        client: client.context("the client of the voice provider")?,
        media,
        blobs,
        clock: clock.clone(),
        owner: settings.owner.clone(),
        lease: settings.policy.lease.max(call),
    };
    tasks.spawn("speak scripts", speaking.run(cancel.clone()));
    let voices =
        voice::grpc::Voices { log: log.clone(), clock: clock.clone(), configured: settings.voices.is_some() };

    let service = service::Service { log, clock, settings };
    let server = AudioServiceServer::new(grpc::Grpc { service, engine });
    let mut routes = RoutesBuilder::default();
    routes.add_service(server.max_decoding_message_size(kit::grpc::MAX_MESSAGE));
    routes.add_service(VoiceServiceServer::new(voices));
    tasks.spawn("serve gRPC", kit::grpc::serve(listener, routes, readiness, cancel));
    Ok(Running::new(address, tasks))
}

/// Tells the metrics how many soundtracks and voices wait and are made, until `cancel`.
async fn tell(engine: Engine, log: Log, clock: Clock, cancel: CancellationToken) -> anyhow::Result<()> {
    let look = || async {
        store::work(&log, clock.now()).await?.tell(MUSIC);
        voice::store::work(&log, clock.now()).await?.tell(SPEECH);
        engine.tell_slots(MUSIC).await
    };
    kit::work::every_second(&cancel, look).await;
    Ok(())
}
