//! What a service is given when it is built, and how it stops.

use std::{future::Future, net::SocketAddr};

use blobs::Blobs;
use bus::Bus;
use eventlog::Log;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Clock, Readiness};

/// What the world gives a service: nothing here is read from the environment by the service itself.
pub struct Deps {
    /// The service's own database.
    pub log: Log,
    /// How it hears of others and they of it.
    pub bus: Bus,
    /// Where bytes live.
    pub blobs: Blobs,
    /// The time.
    pub clock: Clock,
    /// Where it serves gRPC; bound already, so that port 0 works and nothing races.
    pub listener: TcpListener,
    /// Canceled when the process is to stop.
    pub cancel: CancellationToken,
    /// Whether callers should send it work; turned off some time before `cancel`.
    pub readiness: Readiness,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it serves gRPC.
    pub address: SocketAddr,
    tasks: Tasks,
}

impl Running {
    /// A service at `address` whose background work is in `tasks`.
    #[must_use]
    pub fn new(address: SocketAddr, tasks: Tasks) -> Self {
        Self { address, tasks }
    }

    /// Waits until everything it started has ended; call after canceling.
    pub async fn stopped(&self) {
        self.tasks.finished().await;
    }
}

/// The background tasks of one service; each is logged when it ends badly.
#[derive(Clone, Debug)]
pub struct Tasks {
    service: &'static str,
    tracker: TaskTracker,
    cancel: CancellationToken,
}

impl Tasks {
    /// No tasks yet, for `service`, to end on `cancel`.
    #[must_use]
    pub fn new(service: &'static str, cancel: CancellationToken) -> Self {
        Self { service, tracker: TaskTracker::new(), cancel }
    }

    /// The token that all tasks end on.
    #[must_use]
    pub fn cancel(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Starts a task that runs until it is told to stop. One that ends earlier, well or badly, takes the service
    /// down with it, because a service that half works is worse than one that is restarted.
    pub fn spawn<F, E>(&self, name: &'static str, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        self.watch(name, future, Some("it returned before it was told to stop"));
    }

    /// Starts a task that may be done before the service stops. If it fails, the service stops as with
    /// [`Tasks::spawn`].
    pub fn spawn_finite<F, E>(&self, name: &'static str, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        self.watch(name, future, None);
    }

    /// `done`: what is wrong with ending well, if anything.
    fn watch<F, E>(&self, name: &'static str, future: F, done: Option<&'static str>)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<anyhow::Error> + Send + 'static,
    {
        let (service, cancel) = (self.service, self.cancel.clone());
        let inner = tokio::spawn(future);
        self.tracker.spawn(async move {
            let wrong = match inner.await {
                Ok(Ok(())) => done.map(str::to_owned),
                Ok(Err(error)) => Some(format!("{:#}", error.into())),
                Err(panicked) => Some(panicked.to_string()),
            };
            if let Some(error) = wrong
                && !cancel.is_cancelled()
            {
                tracing::error!(service, task = name, error, "a background task ended; stopping the service");
                cancel.cancel();
            }
        });
    }

    /// Waits until all tasks have ended.
    pub async fn finished(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
