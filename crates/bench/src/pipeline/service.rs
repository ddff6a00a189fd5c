//! The job service on a runtime of its own, so that its processor time can be told from that of what is around it.

use std::{
    collections::HashSet,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use blobs::Blobs;
use bus::Bus;
use eventlog::{Log, open_log};
use kit::{Clock, Deps, Readiness, Running, grpc};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::process;

/// Threads that end take their count with them.
const KEPT: Duration = Duration::from_hours(1);

/// The job service.
pub(crate) struct Service {
    runtime: OwnRuntime,
    /// Name of the runtime's threads.
    name: String,
    /// Threads of the log beside them.
    writers: HashSet<u32>,
    started: Option<(Running, Bus)>,
}

impl Service {
    pub(crate) fn new() -> anyhow::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("job-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name(&name)
            .thread_keep_alive(KEPT)
            .build()
            .context("starting a runtime")?;
        Ok(Self { runtime: OwnRuntime(Some(runtime)), name, writers: HashSet::new(), started: None })
    }

    /// Opens the service's log.
    pub(crate) async fn open(&mut self, address: String) -> anyhow::Result<Log> {
        let before: HashSet<u32> = process::threads().into_iter().map(|thread| thread.id).collect();
        let open = async move { open_log(&address, &job::MIGRATIONS).await };
        let log = self.runtime.get()?.spawn(open).await.context("opening the log")??;
        let new = process::threads().into_iter().filter(|thread| !before.contains(&thread.id));
        self.writers = new.filter(|thread| thread.name != self.name).map(|thread| thread.id).collect();
        Ok(log)
    }

    /// Starts it; returns where it listens.
    pub(crate) async fn serve(
        &mut self,
        log: Log,
        bus: impl Future<Output = anyhow::Result<Bus>> + Send + 'static,
        around: &str,
        directory: &Path,
        cancel: CancellationToken,
    ) -> anyhow::Result<String> {
        let (blobs, around) = (Blobs::local(directory.join("blobs"))?, around.to_owned());
        let start = async move {
            let bus = bus.await?;
            let deps = Deps {
                log,
                bus: bus.clone(),
                blobs,
                clock: Clock::system(),
                listener: grpc::bind(([127, 0, 0, 1], 0).into()).await?,
                cancel,
                readiness: Readiness::new(),
            };
            let settings = job::Settings::new(&around, &around, &around, &around);
            anyhow::Ok((Box::pin(job::build(settings, deps)).await?, bus))
        };
        let started = self.runtime.get()?.spawn(start).await.context("starting the job service")??;
        let address = started.0.address.to_string();
        self.started = Some(started);
        Ok(address)
    }

    /// Processor time so far, milliseconds.
    pub(crate) fn cpu_ms(&self) -> f64 {
        let own = |thread: &process::Thread| thread.name == self.name || self.writers.contains(&thread.id);
        process::threads().into_iter().filter(own).map(|thread| thread.cpu_ms).sum()
    }

    /// Waits until it has stopped, once its token is canceled.
    pub(crate) async fn stopped(self) {
        if let Some((running, bus)) = self.started {
            running.stopped().await;
            bus.stop().await;
        }
    }
}

/// A runtime may not be waited for inside of another one.
struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    fn get(&self) -> anyhow::Result<&Runtime> {
        self.0.as_ref().context("the runtime is gone")
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
