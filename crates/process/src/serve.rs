//! The life of a process: it says where it listens, serves, turns its readiness off, drains and ends in time.

use std::{future::Future, net::SocketAddr, pin::Pin, process::ExitCode, time::Duration};

use anyhow::Context as _;
use kit::Readiness;
use tempfile::TempDir;
use tokio::{net::TcpListener, signal::unix, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{run::say, settings::Stop};

/// SIGTERM and SIGINT.
struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: unix::signal(unix::SignalKind::terminate()).context("listening for SIGTERM")?,
            interrupt: unix::signal(unix::SignalKind::interrupt()).context("listening for SIGINT")?,
        })
    }

    /// The next of either.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// One part of a running process.
pub(crate) struct Part {
    name: &'static str,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Part {
    /// What is called `name` and ends with the future.
    pub(crate) fn new(name: &'static str, ended: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { name, ended: Box::pin(ended) }
    }
}

/// A process that has started.
pub(crate) struct Serving {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) readiness: Readiness,
    pub(crate) cancel: CancellationToken,
    pub(crate) stop: Stop,
    /// In the order in which they end.
    pub(crate) parts: Vec<Part>,
    /// Removed when all of it has ended.
    pub(crate) directory: Option<TempDir>,
}

/// Binds where the process listens.
pub(crate) async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(listen).await;
    bound.with_context(|| format!("listening on {listen} (listen): is another process there already?"))
}

/// From start to end. What stops a process from starting is the last line of its log.
pub(crate) async fn live(
    starting: impl Future<Output = anyhow::Result<Serving>>,
) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let started = tokio::select! {
        started = starting => started,
        () = signals.next() => {
            tracing::info!("told to stop before it had started");
            return Ok(ExitCode::SUCCESS);
        }
    };
    match started {
        Ok(serving) => serving.run(signals).await,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the process cannot start");
            Ok(ExitCode::FAILURE)
        }
    }
}

impl Serving {
    /// Says where it listens, then serves until told to stop or until a part fails, and ends.
    async fn run(self, mut signals: Signals) -> anyhow::Result<ExitCode> {
        say(&format!("{} listens on {}", self.name, self.address))?;
        let failed = tokio::select! {
            () = signals.next() => false,
            () = self.cancel.cancelled() => true,
        };
        self.readiness.withdraw();
        if !failed {
            self.delay(&mut signals).await;
        }
        let failed = failed || self.cancel.is_cancelled();
        self.cancel.cancel();
        let ended = end(self.parts, self.stop.grace).await;
        drop(self.directory);
        Ok(if ended && !failed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Lets balancers notice; another signal ends the wait.
    async fn delay(&self, signals: &mut Signals) {
        tracing::info!(delay = ?self.stop.delay, "told to stop: not ready any more");
        tokio::select! {
            () = tokio::time::sleep(self.stop.delay) => {}
            () = signals.next() => tracing::info!("told again to stop: not waiting any longer"),
            () = self.cancel.cancelled() => {}
        }
    }
}

/// Waits for the parts one after the other, all of them together at most `grace`. Whether all ended.
async fn end(parts: Vec<Part>, grace: Duration) -> bool {
    let until = Instant::now() + grace;
    let mut late = Vec::new();
    for part in parts {
        if tokio::time::timeout_at(until, part.ended).await.is_err() {
            late.push(part.name);
        }
    }
    if late.is_empty() {
        tracing::info!("stopped");
        return true;
    }
    tracing::error!(?grace, unfinished = late.join(", "), "did not end within stop.grace; ending anyway");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn parts_that_end_in_time_are_waited_for() {
        let slow = Part::new("slow", tokio::time::sleep(Duration::from_secs(4)));
        assert!(end(vec![slow, Part::new("quick", async {})], Duration::from_secs(5)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_never_ends_is_left_behind_after_the_grace() {
        let started = Instant::now();
        let stuck = Part::new("stuck", std::future::pending());
        assert!(!end(vec![stuck, Part::new("quick", async {})], Duration::from_secs(5)).await);
        assert_eq!(started.elapsed(), Duration::from_secs(5));
    }
}
