//! The task of one job.

use std::{sync::Arc, time::Duration};

use eventlog::{Lease, lease};
use jiff::Timestamp;
use job_domain::{Command, Effect, JobId, has_next, plan};
use kit::Clock;
use telemetry::Subject;
use tokio::{sync::Notify, task::JoinSet};

use super::{
    Runner,
    requests::{Id, Requests},
};
use crate::{
    app::{Report, Snapshot},
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

/// Runs a job until nothing is outstanding. `last_fence`: the number of the last claim of its lease, if that is known.
pub(super) async fn run(
    runner: &Arc<Runner>,
    id: JobId,
    woken: &Notify,
    last_fence: Option<i64>,
) -> anyhow::Result<Ended> {
    let Some(lease) = claim(runner, id, last_fence).await? else { return Ok(Ended::Elsewhere) };
    let requests = Requests::new(runner.settings.ask_again);
    let mut task = Task { runner, id, lease, requests, planned: 0, calls: JoinSet::new() };
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

/// Claims the job's lease; in one write with what is to be recorded first, if there is something.
async fn claim(runner: &Arc<Runner>, id: JobId, last_fence: Option<i64>) -> anyhow::Result<Option<Lease>> {
    let (log, name, settings) = (runner.app.log(), store::runner_lease(id), &runner.settings);
    if let Some(last) = last_fence {
        let (lease, claim) = lease::claiming(log, &name, &settings.instance, settings.lease, last);
        match runner.app.report(id, vec![advance()], Some(claim)).await {
            Ok(Some(recorded)) if recorded.stored => return Ok(Some(lease)),
            Err(error) if !error.is_refused() => return Err(error.into()),
            // There was nothing to record, or the last claim was another one.
            _ => {}
        }
    }
    Ok(lease::claim(log, &name, &settings.instance, settings.lease).await?)
}

fn advance() -> Report {
    Report { command: Command::Advance, origin: Origin::runner() }
}

struct Task<'a> {
    runner: &'a Arc<Runner>,
    id: JobId,
    lease: Lease,
    requests: Requests,
    /// The version that was planned last.
    planned: i64,
    calls: JoinSet<Asked>,
}

impl Task<'_> {
    async fn follow(&mut self, woken: &Notify) -> anyhow::Result<Ended> {
        let renewal = (self.runner.settings.lease / 3).max(Duration::from_millis(50));
        let mut renew = tokio::time::interval_at(tokio::time::Instant::now() + renewal, renewal);
        renew.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let now = self.runner.app.clock().now();
            let due = self.requests.next_due().is_some_and(|due| due <= now);
            let Some(job) = self.look(due).await? else { return Ok(Ended::Done) };
            if due || job.version != self.planned {
                let planned = plan(&job.job);
                if planned.is_empty() {
                    return Ok(Ended::Done);
                }
                self.planned = job.version;
                self.requests.follow(&planned, now);
                self.ask(&job, planned, now);
            }
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

    /// The job, with all that is to be asked for next recorded. Before it is asked again what the log holds counts,
    /// not only what this process has heard of.
    async fn look(&self, again: bool) -> anyhow::Result<Option<Arc<Snapshot>>> {
        let app = &self.runner.app;
        let job = if again { app.find(self.id).await? } else { app.latest(self.id).await? };
        match &job {
            Some(job) if job.version != self.planned && has_next(&job.job) => {
                self.record(vec![advance()]).await
            }
            _ => Ok(job),
        }
    }

    async fn record(&self, reports: Vec<Report>) -> anyhow::Result<Option<Arc<Snapshot>>> {
        let recorded = self.runner.app.report(self.id, reports, Some(self.lease.guard())).await?;
        Ok(recorded.map(|recorded| recorded.job))
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
                let asking = Subject::of_key(effect.key()).around(workers.ask(&job.job, &effect));
                let trace = job.lineage.traceparent.as_deref();
                let answer = kit::trace::continuing(trace, asking).await;
                Asked { effect, answer }
            });
        }
    }

    /// Records what asking came to, of all that were answered meanwhile.
    async fn take(&mut self, first: Asked) -> anyhow::Result<()> {
        let mut reports: Vec<Report> = self.answered(first).into_iter().collect();
        while let Some(asked) = self.calls.try_join_next() {
            reports.extend(self.answered(asked?));
        }
        if !reports.is_empty() {
            self.record(reports).await?;
        }
        Ok(())
    }

    fn answered(&mut self, asked: Asked) -> Option<Report> {
        let now = self.runner.app.clock().now();
        let (id, key) = (Id::of(&asked.effect), asked.effect.key());
        let command = match asked.answer {
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
        command.map(|command| Report { command, origin: Origin::runner() })
    }
}

async fn sleep(clock: &Clock, due: Option<Timestamp>) {
    match due {
        Some(due) => clock.sleep_until(due).await,
        // Every request is being asked right now.
        None => tokio::time::sleep(LONGEST_SLEEP).await,
    }
}
