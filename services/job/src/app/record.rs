//! Recording what workers say. What is said of a job while an append of it is under way is recorded together by the
//! next one: a job costs few appends, however many workers speak at one time, and no two appends of a process meet.

use std::sync::Arc;

use eventlog::{Append, AppendError, Expected, NewEvent, Statement};
use jiff::Timestamp;
use job_domain::{Command, Job, JobId, keys};
use telemetry::Subject;
use tokio::sync::oneshot;

use super::{App, DECISIONS, Snapshot, kept::Slot};
use crate::{
    events::{self, Lineage, Origin},
    store, watchdog,
};

/// What a worker says of a job, or (`Advance`) that the next requests are to be recorded.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is reported.
    pub command: Command,
    /// Who reports it.
    pub origin: Origin,
}

/// What recording came to.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The job with all that was recorded.
    pub job: Arc<Snapshot>,
    /// Whether there was anything to store; if there was, the guard held.
    pub stored: bool,
}

/// Why nothing was recorded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RecordError {
    /// The log refused: the guard does not hold, or the database failed.
    #[error("recording what happened to job {0}")]
    Append(JobId, #[source] AppendError),
    /// The job cannot be loaded.
    #[error("job {0} cannot be read: {1}")]
    Unreadable(JobId, String),
    /// Others were faster again and again.
    #[error("job {0} changes too fast to record what happened to it")]
    Crowded(JobId),
}

impl RecordError {
    /// Whether the guard did not hold.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Append(_, AppendError::Constraint(_)))
    }
}

type Answer = Result<Option<Recorded>, RecordError>;

/// Reports that wait for their turn.
#[derive(Debug)]
pub(super) struct Waiting {
    reports: Arc<[Report]>,
    guard: Option<Statement>,
    answer: oneshot::Sender<Answer>,
}

impl App {
    /// Records reports on a job with all that follows from them, in one append. Under a guard (a lease's, or the claim
    /// of one) nothing of them is stored unless it holds. None when there is no such job.
    ///
    /// # Errors
    /// The guard does not hold, or the database failed.
    pub async fn report(&self, id: JobId, reports: Vec<Report>, guard: Option<Statement>) -> Answer {
        let (slot, reports) = (self.kept.slot(id), Arc::<[Report]>::from(reports));
        loop {
            let (answer, mut told) = oneshot::channel();
            let waiting = Waiting { reports: Arc::clone(&reports), guard: guard.clone(), answer };
            slot.waiting.lock().push(waiting);
            let said = tokio::select! {
                biased;
                said = &mut told => said.ok(),
                _turn = slot.turn.lock() => {
                    self.record_waiting(id, &slot).await;
                    told.await.ok()
                }
            };
            // None: the one whose turn it was went away in the middle of it. Nothing is recorded twice.
            if let Some(said) = said {
                return said;
            }
        }
    }

    async fn record_waiting(&self, id: JobId, slot: &Slot) {
        let waiting = std::mem::take(&mut *slot.waiting.lock());
        if waiting.is_empty() {
            return;
        }
        let answer = self.record(id, &waiting).await;
        let refused = answer.as_ref().is_err_and(RecordError::is_refused);
        let (guarded, free): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|waiting| waiting.guard.is_some());
        tell(guarded, &answer);
        if refused && !free.is_empty() {
            // It is not their guard.
            let answer = self.record(id, &free).await;
            tell(free, &answer);
        } else {
            tell(free, &answer);
        }
    }

    async fn record(&self, id: JobId, waiting: &[Waiting]) -> Answer {
        let unreadable = |error: anyhow::Error| RecordError::Unreadable(id, format!("{error:#}"));
        let mut fresh = false;
        for _ in 0..DECISIONS {
            let before = if fresh { self.find(id).await } else { self.latest(id).await };
            let Some(before) = before.map_err(unreadable)? else { return Ok(None) };
            let at = self.clock.now();
            let decided = Decided::on(&before, waiting, at);
            if decided.events.is_empty() {
                // That a report is no news only the job as it is now can say. The runner asks again in any case.
                if !fresh && waiting.iter().any(|waiting| waiting.guard.is_none()) {
                    fresh = true;
                    continue;
                }
                return Ok(Some(Recorded { job: before, stored: false }));
            }
            match self.append_reports(&before, decided, waiting, at).await {
                Ok(job) => return Ok(Some(Recorded { job, stored: true })),
                Err(AppendError::Conflict { .. }) => fresh = true,
                Err(error) => return Err(RecordError::Append(id, error)),
            }
        }
        Err(RecordError::Crowded(id))
    }

    async fn append_reports(
        &self,
        before: &Snapshot,
        decided: Decided,
        waiting: &[Waiting],
        at: Timestamp,
    ) -> Result<Arc<Snapshot>, AppendError> {
        let Decided { job, lineage, events } = decided;
        let version = before.version + i64::try_from(events.len()).unwrap_or_default();
        let kinds = events.iter().map(|event| event.kind.clone()).collect();
        let append = Append::to(keys::stream(job.id))
            .expecting(Expected::Version(before.version))
            .events(events)
            .statements(waiting.iter().filter_map(|waiting| waiting.guard.clone()))
            .statements(store::moved((&before.job, before.version), (&job, version), at, &self.patience));
        // Where the job stands: reports of several origins may be recorded together.
        let traceparent = before.lineage.traceparent.clone();
        let appending = Subject::job(i64::from(job.id)).around(self.append_and_tell(append, kinds, version));
        let appended = kit::trace::continuing(traceparent.as_deref(), appending).await?;
        watchdog::ended(&before.job, &job);
        Ok(self.keep(Snapshot { job, lineage, version, position: appended.last_position }))
    }
}

fn tell(waiting: Vec<Waiting>, answer: &Answer) {
    for waiting in waiting {
        // Whoever went away needs no answer.
        drop(waiting.answer.send(answer.clone()));
    }
}

/// A job with reports folded into it, and the events that they cause.
struct Decided {
    job: Job,
    lineage: Lineage,
    events: Vec<NewEvent>,
}

impl Decided {
    fn on(before: &Snapshot, waiting: &[Waiting], at: Timestamp) -> Self {
        let (id, at_ms) = (before.job.id, events::millis(at));
        let mut decided =
            Self { job: before.job.clone(), lineage: before.lineage.clone(), events: Vec::new() };
        for Report { command, origin } in waiting.iter().flat_map(|waiting| waiting.reports.iter()) {
            let caused = job_domain::carry_out(&mut decided.job, command.clone(), at_ms);
            let caused = caused.unwrap_or_else(|refusal| {
                // A worker cannot be told no: what does not fit the job is of no use to it.
                tracing::warn!(job = id, %refusal, "a report does not fit the job");
                Vec::new()
            });
            if !caused.is_empty() {
                let meta = origin.meta(id, &decided.lineage);
                decided.lineage.follow(&meta);
                decided.events.extend(caused.iter().map(|event| events::new(event, &meta, at)));
            }
        }
        decided
    }
}
