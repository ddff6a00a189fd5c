//! Clips to cut to mix; posters and thumbnails.
//!
//! A cut is the chosen clips in order, silent; a mix is a cut with its soundtrack; an overlay is a video with a text
//! over it. Each is wanted under a key,
//! made once, and ends ready, failed with a reason, or canceled.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`settings`] | what the service can be told |
//! | [`overlay`] | pure: what a text over a video may be |
//! | [`product`] | pure: what a product is and how far it can be |
//! | `requests` | answering: wish, question, tombstone |
//! | `worker`, `make` | claiming what is due; making it |
//! | `room` | pure: how much of scratch it takes |
//! | `facts` | what is known of videos by their hash |
//! | `frames` | frames of any video, drawn once |
//! | [`backlog`] | how much is left to make |
//! | [`events`], [`publish`] | stored events; what is published for them |
//! | [`store`] | SQL of the read tables, and the one way to append |
//! | `grpc` | messages to our own types and back |
//! | [`error`] | what can go wrong |

pub mod backlog;
pub mod error;
pub mod events;
mod facts;
mod frames;
mod grpc;
mod make;
pub mod overlay;
pub mod product;
pub mod publish;
mod requests;
mod room;
pub mod settings;
pub mod store;
mod worker;

use std::sync::Arc;

use anyhow::Context as _;
use kit::{Deps, Running, Tasks};
use media::{Media, MediaSettings};
use protos::stitch::v1::{
    overlay_service_server::OverlayServiceServer, stitch_service_server::StitchServiceServer,
};
use tonic::service::RoutesBuilder;

pub use settings::Settings;
pub use store::MIGRATIONS;

use facts::Facts;
use frames::Frames;
use grpc::{Grpc, Overlays};
use make::Maker;
use requests::Requests;
use worker::Worker;

/// Starts the service: gRPC on the listener, and the worker, which goes on with whatever was unfinished, until
/// the token is canceled.
///
/// # Errors
/// The listener has no address, or the scratch directory cannot be used.
pub async fn build(settings: Settings, deps: Deps) -> anyhow::Result<Running> {
    let Deps { log, bus, blobs, clock, listener, cancel, readiness } = deps;
    let address = listener.local_addr().context("the stitch service's listener")?;
    let mut media = MediaSettings::new(blobs.scratch_dir());
    (media.ffmpeg, media.ffprobe) = (settings.ffmpeg.clone(), settings.ffprobe.clone());
    (media.limits.concurrent_runs, media.limits.threads) = (settings.at_once, settings.threads);
    let media = Media::new(media).context("the media tools")?;
    bus.register(bus::subjects::source::STITCH, log.clone(), publish::translate);

    let tasks = Tasks::new(bus::subjects::source::STITCH, cancel.clone());
    let requests = Requests { log: log.clone(), clock: clock.clone() };
    let frames =
        Frames { log: log.clone(), blobs: blobs.clone(), media: media.clone(), turns: Arc::default() };
    let maker = Maker { media, blobs, facts: Facts::default() };
    tasks.spawn("tell the backlog", backlog::tell(log.clone(), clock.clone(), cancel.clone()));
    let worker = Worker { log, maker, clock, settings, busy: parking_lot::Mutex::default() };
    tasks.spawn("make products", Arc::new(worker).run(cancel.clone()));

    let overlays = OverlayServiceServer::new(Overlays { requests: requests.clone() });
    let server = StitchServiceServer::new(Grpc { requests, frames });
    let mut routes = RoutesBuilder::default();
    routes.add_service(
        server
            .max_decoding_message_size(kit::grpc::MAX_MESSAGE)
            .max_encoding_message_size(kit::grpc::MAX_MESSAGE),
    );
    routes.add_service(overlays.max_decoding_message_size(kit::grpc::MAX_MESSAGE));
    tasks.spawn("serve gRPC", kit::grpc::serve(listener, routes, readiness, cancel));
    Ok(Running::new(address, tasks))
}
