//! One look at a job whose deadline has passed.

use std::{collections::HashMap, sync::Arc};

use eventlog::Lease;
use futures::{StreamExt as _, stream};
use job_domain::{
    Command, Effect, JobId,
    command::Overdue,
    plan,
    watch::{Heard, Owed, Watch, cause, owed, watch},
};

use super::Watchdog;
use crate::{
    app::{Report, Snapshot},
    events::{self, Origin},
    store,
    workers::AskError,
};

/// Requests of one job that are asked for at one time.
const AT_ONCE: usize = 8;

/// What became of each request that was asked for again, by its key.
type Answers = HashMap<String, Heard>;

impl Watchdog {
    /// Asks about the job, and tells that it is stalled when that did not move it.
    pub(super) async fn look(&self, id: JobId, lease: &Lease) -> anyhow::Result<()> {
        let Some(job) = self.overdue(id).await? else { return Ok(()) };
        let (answers, reports) = self.ask(&job).await;
        self.app.report(id, reports, Some(lease.guard())).await?;
        let Some(job) = self.overdue(id).await? else { return Ok(()) };
        let now_ms = events::millis(self.clock().now());
        let Some(seen) = seen(&job, &answers, now_ms, watch(&job.job, &self.app.patience())) else {
            return Ok(());
        };
        let (owner, cause, times) = (seen.owner.as_str(), seen.cause.clone(), seen.times);
        let command = Command::Overdue(Box::new(seen));
        let report = Report { command, origin: Origin::watchdog() };
        let recorded = self.app.report(id, vec![report], Some(lease.guard())).await?;
        if recorded.is_some_and(|recorded| recorded.job.job.stall.is_some()) {
            tracing::warn!(job = id, owner, times, cause, "a job is stalled");
        }
        Ok(())
    }

    /// The job, if it is overdue by now; a row that says otherwise than the log is put right.
    async fn overdue(&self, id: JobId) -> anyhow::Result<Option<Arc<Snapshot>>> {
        let Some(job) = self.app.find(id).await? else { return Ok(None) };
        let patience = self.app.patience();
        let now_ms = events::millis(self.clock().now());
        if watch(&job.job, &patience).is_some_and(|watch| watch.deadline_ms <= now_ms) {
            return Ok(Some(job));
        }
        let row = store::watched(&job.job, job.version, &patience);
        self.app.log().execute(vec![row]).await?;
        Ok(None)
    }

    /// Asks for everything that is outstanding once more. What was heard, and what there is to record.
    async fn ask(&self, job: &Arc<Snapshot>) -> (Answers, Vec<Report>) {
        let trace = job.lineage.traceparent.as_deref();
        let asking = stream::iter(plan(&job.job)).map(|effect| async move {
            let answer = kit::trace::continuing(trace, self.workers.ask(&job.job, &effect)).await;
            (effect, answer)
        });
        let answered: Vec<(Effect, Result<Option<Command>, AskError>)> =
            asking.buffer_unordered(AT_ONCE).collect().await;
        let report = |command| Report { command, origin: Origin::watchdog() };
        let (mut answers, mut reports) = (Answers::new(), Vec::new());
        for (effect, answer) in answered {
            let heard = match answer {
                Ok(said) => {
                    reports.extend(said.map(report));
                    Heard::Nothing
                }
                Err(AskError::Away(why)) => Heard::Silence(why),
                // What follows from a refusal is the runner's.
                Err(AskError::Refused(why)) => Heard::Refusal(why),
            };
            answers.insert(effect.key().to_owned(), heard);
        }
        // Whatever follows is recorded as the runner would.
        reports.push(report(Command::Advance));
        (answers, reports)
    }
}

/// The stall that there is to tell of a job: whoever gives no answer keeps it waiting, else whoever has to move it next.
fn seen(job: &Snapshot, answers: &Answers, now_ms: i64, watch: Option<Watch>) -> Option<Overdue> {
    let watch = watch?;
    let owed = owed(&job.job);
    let heard = |owed: &Owed| answers.get(&owed.request.as_ref()?.key).cloned();
    let silent = owed.iter().find(|owed| !matches!(heard(owed), None | Some(Heard::Nothing)));
    let first = silent.or_else(|| owed.first())?;
    let cause =
        cause(first, owed.len() - 1, &heard(first).unwrap_or(Heard::Nothing), now_ms - watch.since_ms);
    Some(Overdue {
        owner: first.owner,
        what: first.what.clone(),
        cause,
        since_ms: watch.since_ms,
        deadline_ms: watch.deadline_ms,
        times: job.job.stall.as_ref().map_or(0, |stall| stall.times) + 1,
    })
}
