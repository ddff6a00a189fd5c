//! Makes outstanding what should be outstanding.
//!
//! One task per unfinished job compares what the job plans with what it has asked for, and asks. Nothing here is
//! remembered: after a crash the same tasks start from the same log. A change wakes a job's task, at once when this process
//! made it and through the log when another one did; a request that stays silent is repeated under its key, so that a lost
//! message hangs nothing.
//!
//! A job is run under a lease, by one process of all that share the database. One that stops gives its leases
//! back, one that dies leaves them to run out; the others' scans find the jobs either way.

mod job;
mod requests;

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::Duration,
};

use eventlog::{StoredEvent, Tail};
use futures::FutureExt as _;
use job_domain::JobId;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::{App, Observer, Snapshot},
    events,
    settings::Settings,
    store::{self, Free},
    workers::Workers,
};

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
        Arc::new_cyclic(|runner: &Weak<Self>| {
            app.observe(runner.clone());
            Self {
                app,
                workers,
                calls: Arc::new(Semaphore::new(settings.calls_at_once.max(1))),
                settings,
                running: Mutex::default(),
                tasks: TaskTracker::new(),
                cancel,
            }
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
                    self.wake(self.news(&batch)).await?;
                }
                _ = scan.tick() => {
                    for free in store::free(self.app.log(), &self.settings.instance, None).await? {
                        self.start_free(free);
                    }
                }
            }
        }
    }

    /// The jobs to which another process did something.
    fn news(&self, batch: &[StoredEvent]) -> Vec<JobId> {
        let mut newest = HashMap::<JobId, i64>::new();
        for event in batch {
            if let Some(job) = events::job_of(&event.stream) {
                newest.insert(job, event.version);
            }
        }
        newest
            .into_iter()
            .filter(|&(job, version)| self.app.notice(job, version))
            .map(|(job, _)| job)
            .collect()
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
        for free in store::free(self.app.log(), &self.settings.instance, Some(&jobs)).await? {
            self.start_free(free);
        }
        Ok(())
    }

    fn start_free(self: &Arc<Self>, free: Free) {
        self.start(free.job, Some(free.last_fence));
    }

    /// Starts the job's task unless it runs.
    fn start(self: &Arc<Self>, id: JobId, last_fence: Option<i64>) {
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
        self.tasks.spawn(place.run(woken, last_fence));
    }
}

impl Observer for Runner {
    fn changed(self: Arc<Self>, job: &Snapshot, begun: bool) {
        let id = job.job.id;
        if let Some(task) = self.running.lock().get(&id) {
            task.notify_one();
            return;
        }
        if begun {
            // Nobody can have run it yet when this is its first cut.
            self.start(id, (job.job.cuts == 1).then_some(0));
        }
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
    async fn run(self, woken: Arc<Notify>, last_fence: Option<i64>) {
        let running = AssertUnwindSafe(job::run(&self.runner, self.id, &woken, last_fence)).catch_unwind();
        let ended = running.await.unwrap_or_else(|_| Err(anyhow::anyhow!("its task panicked")));
        match ended {
            Ok(job::Ended::Done) => {
                let (runner, id) = (Arc::clone(&self.runner), self.id);
                drop(self);
                // What happened between the last look and now woke nobody: look once more.
                if runner.app.is_at_rest(id) {
                    return;
                }
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
