//! The task of one job.

use std::{sync::Arc, time::Duration};

use eventlog::{Lease, lease};
use jiff::Timestamp;
use job_domain::{Command, Effect, JobId, plan};
use kit::Clock;
use tokio::{sync::Notify, task::JoinSet};

use super::{
    Runner,
    requests::{Id, Requests},
};
use crate::{
    app::Snapshot,
    events::Origin,
    store,
    workers::{self, AskError},
};

/// The longest the task sleeps without looking, when nothing is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// How the task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing is outstanding.
    Done,
    /// Another process runs the job.
    Elsewhere,
    /// The service stops.
    Stopped,
}

/// What asking came to.
struct Asked {
    effect: Effect,
    answer: Result<Option<Command>, AskError>,
}

/// Runs a job until nothing is outstanding.
pub(super) async fn run(runner: &Arc<Runner>, id: JobId, woken: &Notify) -> anyhow::Result<Ended> {
    let settings = &runner.settings;
    let name = store::runner_lease(id);
    let claimed = lease::claim(runner.app.log(), &name, &settings.instance, settings.lease).await?;
    let Some(lease) = claimed else { return Ok(Ended::Elsewhere) };
    let mut task =
        Task { runner, id, lease, requests: Requests::new(settings.ask_again), calls: JoinSet::new() };
    let ended = task.follow(woken).await;
    if matches!(ended, Ok(Ended::Elsewhere)) {
        return ended;
    }
    let ours = lease::release(runner.app.log(), &task.lease).await?;
    if ended.is_err() && !ours {
        // What was to be stored was refused because the lease was lost.
        tracing::warn!(job = id, "another process has taken the job");
        return Ok(Ended::Elsewhere);
    }
    ended
}

struct Task<'a> {
    runner: &'a Arc<Runner>,
    id: JobId,
    lease: Lease,
    requests: Requests,
    calls: JoinSet<Asked>,
}

impl Task<'_> {
    async fn follow(&mut self, woken: &Notify) -> anyhow::Result<Ended> {
        let renewal = (self.runner.settings.lease / 3).max(Duration::from_millis(50));
        let mut renew = tokio::time::interval_at(tokio::time::Instant::now() + renewal, renewal);
        renew.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let Some(job) = self.record(&Command::Advance).await? else { return Ok(Ended::Done) };
            let planned = plan(&job.job);
            if planned.is_empty() {
                return Ok(Ended::Done);
            }
            let now = self.runner.app.clock().now();
            self.requests.follow(&planned, now);
            self.ask(&job, planned, now);
            let sleep = sleep(self.runner.app.clock(), self.requests.next_due());
            tokio::select! {
                () = self.runner.cancel.cancelled() => return Ok(Ended::Stopped),
                () = woken.notified() => {}
                () = sleep => {}
                Some(asked) = self.calls.join_next() => self.take(asked?).await?,
                _ = renew.tick() => {
                    let kept = lease::renew(self.runner.app.log(), &self.lease, self.runner.settings.lease).await?;
                    if !kept {
                        tracing::warn!(job = self.id, "another process has taken the job");
                        return Ok(Ended::Elsewhere);
                    }
                }
            }
        }
    }

    /// Records a report, or what is to be asked for next.
    async fn record(&self, report: &Command) -> anyhow::Result<Option<Arc<Snapshot>>> {
        self.runner.app.report(self.id, report, &Origin::runner(), Some(&self.lease)).await
    }

    fn ask(&mut self, job: &Arc<Snapshot>, planned: Vec<Effect>, now: Timestamp) {
        for effect in planned {
            if !self.requests.take_due(&Id::of(&effect), now) {
                continue;
            }
            let (job, workers) = (Arc::clone(job), self.runner.workers.clone());
            let calls = Arc::clone(&self.runner.calls);
            self.calls.spawn(async move {
                // The semaphore is never closed; without it the call would only be one too many.
                let _permit = calls.acquire_owned().await.ok();
                let asking = workers.ask(&job.job, &effect);
                let trace = job.lineage.traceparent.as_deref();
                let answer = kit::trace::continuing(trace, asking).await;
                Asked { effect, answer }
            });
        }
    }

    async fn take(&mut self, asked: Asked) -> anyhow::Result<()> {
        let now = self.runner.app.clock().now();
        let (id, key) = (Id::of(&asked.effect), asked.effect.key());
        let report = match asked.answer {
            Ok(report) => {
                self.requests.answered(&id, now);
                report
            }
            Err(AskError::Refused(why)) => {
                tracing::warn!(job = self.id, key, why, "a worker refuses");
                self.requests.answered(&id, now);
                Some(workers::refused(&asked.effect, &why))
            }
            Err(AskError::Away(why)) => {
                let away = self.requests.failed(&id, now);
                tracing::warn!(job = self.id, key, why, away = away.as_secs(), "a worker is away");
                (away >= self.runner.settings.give_up_after).then(|| workers::away(&asked.effect, &why))
            }
        };
        if let Some(report) = report {
            self.record(&report).await?;
        }
        Ok(())
    }
}

async fn sleep(clock: &Clock, due: Option<Timestamp>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        // Every request is being asked right now.
        None => tokio::time::sleep(LONGEST_SLEEP).await,
    }
}
