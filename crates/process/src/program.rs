//! What a binary implements.

use std::future::Future;

use blobs::Blobs;
use bus::Translate;
use eventlog::Migrations;
use kit::{Clock, Deps, Readiness, Running};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Reader, settings::Common};

/// A process with a database and the bus. The type holds its settings.
pub trait Service: Sized + Send + 'static {
    /// Its name: part of its binary's, of its line on standard output, and the source of what it publishes.
    const NAME: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// Its commented default TOML.
    const DEFAULTS: &'static str;
    /// Its database.
    const MIGRATIONS: Migrations;
    /// Its stored events as published messages.
    const TRANSLATE: Translate;
    /// Whether it works with bytes, and so is told where they live.
    const HAS_BYTES: bool = true;

    /// Reads what only this service is told; [`Common`] holds the rest. None, or a problem noted by the reader,
    /// stops the process with exit code 64.
    fn read(reader: &mut Reader<'_>, common: &Common) -> Option<Self>;

    /// Starts the service.
    ///
    /// # Errors
    /// A part of it cannot be set up.
    fn build(self, deps: Deps) -> impl Future<Output = anyhow::Result<Running>> + Send;
}

/// What a process without a database is given.
#[derive(Debug)]
pub struct EdgeDeps {
    /// Where bytes live.
    pub blobs: Blobs,
    /// Where it serves; bound already.
    pub listener: TcpListener,
    /// The time.
    pub clock: Clock,
    /// Canceled when the process is to stop.
    pub cancel: CancellationToken,
    /// Whether callers should send it work.
    pub readiness: Readiness,
}

/// A process without a database: it talks HTTP to the outside and gRPC to the services.
pub trait Edge: Sized + Send + 'static {
    /// Its name, as in [`Service::NAME`].
    const NAME: &'static str;
    /// What it does, in a line.
    const ABOUT: &'static str;
    /// Its commented default TOML.
    const DEFAULTS: &'static str;
    /// Path that answers 200 when it is ready.
    const READY_PATH: &'static str;
    /// Path that answers 200 as long as the process runs.
    const LIVE_PATH: &'static str;

    /// As [`Service::read`].
    fn read(reader: &mut Reader<'_>, common: &Common) -> Option<Self>;

    /// Starts it. The future that is returned ends when everything that was started has ended, which it does
    /// after `deps.cancel`.
    ///
    /// # Errors
    /// A part of it cannot be set up.
    fn build(
        self,
        deps: EdgeDeps,
    ) -> impl Future<Output = anyhow::Result<impl Future<Output = ()> + Send + 'static>> + Send;
}
