//! Makes outstanding what should be outstanding.
//!
//! One task per unfinished job compares what the job plans with what it has asked for, and asks. Nothing here is
//! remembered: after a crash the same tasks start from the same log. An event wakes a job's task; a request that
//! stays silent is repeated under its key, so that a lost message hangs nothing.
//!
//! A job is run under a lease, by one process of all that share the database. One that stops gives its leases
//! back, one that dies leaves them to run out; the others' scans find the jobs either way.

mod job;
mod requests;

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use eventlog::Tail;
use futures::FutureExt as _;
use job_domain::JobId;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{app::App, events, settings::Settings, store, workers::Workers};

/// How long the runner waits after the log failed it, and a job after its task failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the runner looks for jobs that nobody runs.
const LONGEST_SCAN: Duration = Duration::from_secs(1);
const SHORTEST_SCAN: Duration = Duration::from_millis(50);

/// Runs the jobs of one process.
#[derive(Debug)]
pub struct Runner {
    app: Arc<App>,
    workers: Workers,
    settings: Settings,
    calls: Arc<Semaphore>,
    running: Mutex<HashMap<JobId, Arc<Notify>>>,
    tasks: TaskTracker,
    cancel: CancellationToken,
}

impl Runner {
    /// A runner of the jobs of `app`, until `cancel`.
    #[must_use]
    pub fn new(app: Arc<App>, workers: Workers, settings: Settings, cancel: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            app,
            workers,
            calls: Arc::new(Semaphore::new(settings.calls_at_once.max(1))),
            settings,
            running: Mutex::default(),
            tasks: TaskTracker::new(),
            cancel,
        })
    }

    /// Runs every unfinished job, now and whenever one becomes unfinished, until the service stops.
    ///
    /// # Errors
    /// Never; the log's failures are waited out.
    pub async fn run(self: Arc<Self>) -> anyhow::Result<()> {
        // Kept over failures: what happens meanwhile wakes its jobs later.
        let mut tail = None;
        while !self.cancel.is_cancelled() {
            if let Err(error) = self.follow(&mut tail).await {
                tracing::error!("the runner cannot read the log, trying again: {error:#}");
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
        Ok(())
    }

    async fn follow(self: &Arc<Self>, kept: &mut Option<Tail>) -> anyhow::Result<()> {
        let tail = match kept {
            Some(tail) => tail,
            None => kept.insert(Tail::new(self.app.log().clone(), self.app.log().head().await?)),
        };
        // Another process's jobs become free when it stops or dies.
        let every = (self.settings.lease / 2).clamp(SHORTEST_SCAN, LONGEST_SCAN);
        let mut scan = tokio::time::interval(every);
        scan.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                batch = tail.next_batch(&self.cancel) => {
                    let Some(batch) = batch? else { return Ok(()) };
                    let mut jobs: Vec<JobId> =
                        batch.iter().filter_map(|event| events::job_of(&event.stream)).collect();
                    jobs.sort_unstable();
                    jobs.dedup();
                    self.wake(jobs).await?;
                }
                _ = scan.tick() => {
                    for job in store::free(self.app.log(), &self.settings.instance, None).await? {
                        self.start(job);
                    }
                }
            }
        }
    }

    /// Something happened to these jobs. Those that run here look again; of the others, those that need work and
    /// that no other process holds are started.
    async fn wake(self: &Arc<Self>, mut jobs: Vec<JobId>) -> anyhow::Result<()> {
        {
            let running = self.running.lock();
            jobs.retain(|job| running.get(job).map(|task| task.notify_one()).is_none());
        }
        if jobs.is_empty() {
            return Ok(());
        }
        for job in store::free(self.app.log(), &self.settings.instance, Some(&jobs)).await? {
            self.start(job);
        }
        Ok(())
    }

    /// Starts the job's task unless it runs.
    fn start(self: &Arc<Self>, id: JobId) {
        let woken = {
            let mut running = self.running.lock();
            if self.cancel.is_cancelled() || running.contains_key(&id) {
                return;
            }
            let woken = Arc::new(Notify::new());
            running.insert(id, Arc::clone(&woken));
            woken
        };
        let place = Place { runner: Arc::clone(self), id };
        self.tasks.spawn(place.run(woken));
    }
}

/// A job's place among those that run here, given up however its task ends.
struct Place {
    runner: Arc<Runner>,
    id: JobId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.runner.running.lock().remove(&self.id);
    }
}

impl Place {
    async fn run(self, woken: Arc<Notify>) {
        let running = AssertUnwindSafe(job::run(&self.runner, self.id, &woken)).catch_unwind();
        let ended = running.await.unwrap_or_else(|_| Err(anyhow::anyhow!("its task panicked")));
        match ended {
            Ok(job::Ended::Done) => {
                let (runner, id) = (Arc::clone(&self.runner), self.id);
                drop(self);
                // What happened between the last look and now woke nobody: look once more.
                if let Err(error) = runner.wake(vec![id]).await {
                    tracing::error!(job = id, "cannot look at the job again: {error:#}");
                }
            }
            Ok(job::Ended::Elsewhere | job::Ended::Stopped) => {}
            Err(error) => {
                tracing::error!(job = self.id, "running the job failed, trying again later: {error:#}");
                // The place is kept for so long; a scan after it starts the job again.
                tokio::select! {
                    () = self.runner.cancel.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}
