//! Clients, campaigns, assets and their thumbnails.
//!
//! A write goes one way: check the fields, look at the bytes, then one append that holds the event, the row
//! that follows from it and the reply to remember under the caller's idempotency key.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`settings`] | what the service can be told |
//! | [`grpc`] | the service's RPCs, translated |
//! | `app` | everything that the RPCs work with |
//! | `clients`, `campaigns`, `assets`, `keys` | one resource each: its commands and its queries |
//! | `changes` | partial updates: what was sent, and what of it is new |
//! | [`pictures`] | pictures of images and videos at the widths that callers may ask for |
//! | `fields` | rules for fields that callers fill, with the contract's texts |
//! | `assets::inspect` | what the bytes are: type, size in pixels, length, thumbnail |
//! | `import` | fetching a URL, from public addresses only |
//! | [`legacy`] | bringing over what older databases hold |
//! | `command` | idempotency keys |
//! | [`events`], [`publish`] | stored events; what is published for them |
//! | [`store`] | the read tables |
//! | `error` | failures of what lies below, as callers see them |

mod app;
mod assets;
mod campaigns;
mod changes;
mod clients;
mod command;
mod error;
pub mod events;
mod fields;
pub mod grpc;
mod import;
mod keys;
pub mod legacy;
pub mod pictures;
pub mod publish;
pub mod settings;
pub mod store;

use std::sync::Arc;

use anyhow::Context as _;
use kit::{Deps, Running, Tasks};
use protos::asset::v1::asset_service_server::AssetServiceServer;
use protos::asset::v1::legacy_service_server::LegacyServiceServer;
use tonic::service::RoutesBuilder;

pub use settings::{ImportSettings, Settings};

use app::App;
use grpc::Grpc;
use legacy::Legacy;

/// Starts the service: publishes from its log, serves gRPC on the listener, until the token is canceled.
///
/// # Errors
/// The listener has no address, or a directory or the HTTP client cannot be made.
pub async fn build(settings: Settings, deps: Deps) -> anyhow::Result<Running> {
    let Deps { log, bus, blobs, clock, listener, cancel, readiness } = deps;
    let address = listener.local_addr().context("the asset service's listener")?;
    bus.register(bus::subjects::source::ASSET, log.clone(), publish::translate);
    let app = Arc::new(App::new(settings, log, blobs, clock)?);
    let mut routes = RoutesBuilder::default();
    let server = AssetServiceServer::new(Grpc::new(app.clone()));
    let server = server.max_decoding_message_size(kit::grpc::MAX_MESSAGE);
    routes.add_service(server.max_encoding_message_size(kit::grpc::MAX_MESSAGE));
    let legacy = LegacyServiceServer::new(Legacy::new(app)).max_decoding_message_size(kit::grpc::MAX_MESSAGE);
    routes.add_service(legacy.max_encoding_message_size(kit::grpc::MAX_MESSAGE));
    let tasks = Tasks::new(bus::subjects::source::ASSET, cancel.clone());
    tasks.spawn("grpc", kit::grpc::serve(listener, routes, readiness, cancel));
    Ok(Running::new(address, tasks))
}
