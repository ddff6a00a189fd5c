//! Makes outstanding what should be outstanding.
//!
//! One task per unfinished job compares what the job plans with what it has asked for, and asks. Nothing here is
//! remembered: after a crash the same tasks start from the same log. An event wakes a job's task; a request that
//! stays silent is repeated under its key, so that a lost message hangs nothing.

mod job;
mod requests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventlog::Tail;
use job_domain::JobId;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{app::App, events, settings::Settings, store, workers::Workers};

/// How long the runner waits after the log failed it.
const PAUSE: Duration = Duration::from_secs(1);

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
        while !self.cancel.is_cancelled() {
            if let Err(error) = self.follow().await {
                tracing::error!("the runner cannot read the log, trying again: {error:#}");
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
        Ok(())
    }

    async fn follow(self: &Arc<Self>) -> anyhow::Result<()> {
        let mut tail = Tail::new(self.app.log().clone(), self.app.log().head().await?);
        // Another process's jobs are looked at again in case it died.
        let mut again = tokio::time::interval(self.settings.lease.max(Duration::from_millis(100)) / 2);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                batch = tail.next_batch(&self.cancel) => {
                    let Some(batch) = batch? else { return Ok(()) };
                    let mut jobs: Vec<JobId> =
                        batch.iter().filter_map(|event| events::job_of(&event.stream)).collect();
                    jobs.sort_unstable();
                    jobs.dedup();
                    for job in jobs {
                        self.wake(job).await?;
                    }
                }
                _ = again.tick() => {
                    for job in store::unfinished(self.app.log()).await? {
                        self.start(job);
                    }
                }
            }
        }
    }

    /// Something happened to the job.
    async fn wake(self: &Arc<Self>, id: JobId) -> anyhow::Result<()> {
        if let Some(task) = self.running.lock().get(&id) {
            task.notify_one();
            return Ok(());
        }
        if self.needs_work(id).await? {
            self.start(id);
        }
        Ok(())
    }

    async fn needs_work(&self, id: JobId) -> anyhow::Result<bool> {
        Ok(self.app.find(id).await?.is_some_and(|found| store::is_unfinished(&found.job)))
    }

    /// Starts the job's task unless it runs.
    fn start(self: &Arc<Self>, id: JobId) {
        let task = {
            let mut running = self.running.lock();
            if self.cancel.is_cancelled() || running.contains_key(&id) {
                return;
            }
            let task = Arc::new(Notify::new());
            running.insert(id, Arc::clone(&task));
            task
        };
        let runner = Arc::clone(self);
        self.tasks.spawn(async move { runner.run_job(id, &task).await });
    }

    async fn run_job(self: &Arc<Self>, id: JobId, woken: &Notify) {
        let ended = job::run(self, id, woken).await;
        self.running.lock().remove(&id);
        match ended {
            // What happened between the last look and now woke nobody: look once more.
            Ok(job::Ended::Done) => match self.needs_work(id).await {
                Ok(true) => self.start(id),
                Ok(false) => {}
                Err(error) => tracing::error!(job = id, "cannot look at the job again: {error:#}"),
            },
            Ok(job::Ended::Elsewhere | job::Ended::Stopped) => {}
            // The next scan starts it again.
            Err(error) => tracing::error!(job = id, "running the job failed, trying again later: {error:#}"),
        }
    }
}
