//! Load, fold, decide, append: the way of every change to a job.
//!
//! | file | what it is for |
//! | --- | --- |
//! | `mod` | what people ask of jobs |
//! | `record` | what workers say of them |
//! | `kept` | jobs kept in memory |
//!
//! A change is decided on the job as it is kept in memory, and stored only if the job is still at that version; one that
//! another process has moved meanwhile is loaded and decided on again. Before something is refused, or is no news, the job is
//! loaded too.

mod kept;
mod record;

use std::sync::{Arc, OnceLock, Weak};

use eventlog::{Append, AppendError, Appended, CommandRecord, Expected, Log, Meta, Statement, StoredEvent};
use job_domain::{Command, Job, JobEvent, JobId, Refusal, decide, evolve, keys, watch::Patience};
use kit::{Clock, Code, ServiceError};
use telemetry::Subject;

use self::kept::Kept;
pub use self::record::{RecordError, Recorded, Report};
use crate::{
    error::{database, refused},
    events::{self, Lineage, Origin},
    store, watchdog,
};

/// How often a change is decided again because somebody else was faster.
pub(crate) const DECISIONS: usize = 64;

/// A job at a version of its stream.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The job.
    pub job: Job,
    /// What joins its events to the requests that led to them.
    pub lineage: Lineage,
    /// Version of the last event folded in.
    pub version: i64,
    /// Position of the last event folded in.
    pub position: i64,
}

/// A reply to remember under a command's id, made from the job as the command leaves it.
#[derive(Clone, Copy)]
pub struct Remember<'a> {
    /// The command's id; empty remembers nothing.
    pub id: &'a str,
    /// Digest of all that the command asks for.
    pub digest: &'a str,
    /// The reply.
    pub reply: fn(&Job) -> Vec<u8>,
}

/// What a command came to.
#[derive(Clone, Debug)]
pub enum Done {
    /// The job as it is now.
    Now(Arc<Snapshot>),
    /// The command was carried out before; the reply that it got.
    Before(Vec<u8>),
}

/// Told of the changes that this process makes to jobs, once they are stored.
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// The job as it is now. `begun`: something is to be done for it, and was not before.
    fn changed(self: Arc<Self>, job: &Snapshot, begun: bool);
}

/// All jobs.
#[derive(Debug)]
pub struct App {
    log: Log,
    clock: Clock,
    patience: Patience,
    kept: Kept,
    observer: OnceLock<Weak<dyn Observer>>,
    /// One creation at a time in this process, so that numbers are not fought for.
    creating: tokio::sync::Mutex<()>,
}

impl App {
    /// The jobs in `log`, with the usual patience.
    #[must_use]
    pub fn new(log: Log, clock: Clock) -> Self {
        let (patience, kept, observer) = (Patience::default(), Kept::default(), OnceLock::new());
        Self { log, clock, patience, kept, observer, creating: tokio::sync::Mutex::default() }
    }

    /// The same jobs, with another patience.
    #[must_use]
    pub fn patient(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// How long jobs may stand still.
    #[must_use]
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Tells `observer` of changes from now on; only the first one given is told.
    pub fn observe(&self, observer: Weak<dyn Observer>) {
        // It is set once, by the one runner of a process.
        let _first = self.observer.set(observer);
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The job as of its last event; none when there is no such job.
    ///
    /// # Errors
    /// The database failed, or an event cannot be read.
    pub async fn find(&self, id: JobId) -> anyhow::Result<Option<Arc<Snapshot>>> {
        let kept = self.kept.last(id);
        let version = kept.as_ref().map_or(0, |kept| kept.version);
        let newer = self.log.load(&keys::stream(id), version).await?;
        if newer.is_empty() {
            return Ok(kept);
        }
        let folded = fold(kept.map(Arc::unwrap_or_clone), &newer)?.map(Arc::new);
        if let Some(folded) = &folded {
            self.kept.keep(folded);
        }
        Ok(folded)
    }

    /// The job as of the last event that this process knows of: what another one stored a moment ago may be missing.
    ///
    /// # Errors
    /// As for [`App::find`].
    pub async fn latest(&self, id: JobId) -> anyhow::Result<Option<Arc<Snapshot>>> {
        match self.kept.current(id) {
            Some((kept, _)) => Ok(Some(kept)),
            None => self.find(id).await,
        }
    }

    /// Whether the job is known to need nothing.
    #[must_use]
    pub fn is_at_rest(&self, id: JobId) -> bool {
        self.kept.current(id).is_some_and(|(_, unfinished)| !unfinished)
    }

    /// That version of the job is stored. `true`: it is news to this process.
    #[must_use]
    pub fn notice(&self, id: JobId, version: i64) -> bool {
        self.kept.notice(id, version)
    }

    /// The job, or the contract's refusal.
    ///
    /// # Errors
    /// There is no such job, or the database failed.
    pub async fn get(&self, id: JobId) -> Result<Arc<Snapshot>, ServiceError> {
        self.find(id).await.map_err(ServiceError::internal)?.ok_or_else(|| unknown(id))
    }

    /// Carries out a command that comes from outside.
    ///
    /// # Errors
    /// The domain refuses, or the database failed.
    pub async fn carry_out(
        &self,
        id: JobId,
        command: &Command,
        origin: &Origin,
        remember: Remember<'_>,
    ) -> Result<Done, ServiceError> {
        if let Some(before) = self.repeated(remember).await? {
            return Ok(Done::Before(before));
        }
        let mut fresh = false;
        for _ in 0..DECISIONS {
            let before = if fresh { self.find(id).await } else { self.latest(id).await };
            let before = before.map_err(ServiceError::internal)?.ok_or_else(|| unknown(id))?;
            let decided = decide(Some(&before.job), command.clone());
            if !fresh && decided.as_ref().map_or(true, Vec::is_empty) {
                fresh = true;
                continue;
            }
            let decided = decided.map_err(|no| refused(&no).fact("job_id", id))?;
            if decided.is_empty() {
                // Sent again later, it must not change what others did since.
                let record = remember.record(&before.job);
                store::remember(&self.log, record, self.clock.now()).await.map_err(database)?;
                return Ok(Done::Now(before));
            }
            match self.append(&before, &decided, origin, remember).await {
                Ok(after) => return Ok(Done::Now(after)),
                Err(AppendError::Conflict { .. }) => fresh = true,
                Err(AppendError::Repeated(reply)) => return Ok(Done::Before(reply)),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(crowded())
    }

    async fn append(
        &self,
        before: &Snapshot,
        decided: &[JobEvent],
        origin: &Origin,
        remember: Remember<'_>,
    ) -> Result<Arc<Snapshot>, AppendError> {
        let (id, at) = (before.job.id, self.clock.now());
        let Some(job) = evolved(Some(before.job.clone()), decided, events::millis(at)) else {
            return Err(AppendError::Empty);
        };
        let version = before.version + i64::try_from(decided.len()).unwrap_or_default();
        let span = before.lineage.joined(origin, id);
        let meta = Meta { traceparent: span.traceparent(), ..origin.meta(id, &before.lineage) };
        let mut lineage = before.lineage.clone();
        lineage.follow(&meta);
        let append = Append::to(keys::stream(id))
            .expecting(Expected::Version(before.version))
            .events(decided.iter().map(|event| events::new(event, &meta, at)))
            .statements(store::moved((&before.job, before.version), (&job, version), at, &self.patience))
            .statements(decided.iter().filter_map(|event| match event {
                JobEvent::JobImported(came) => Some(store::holds(came)),
                _ => None,
            }))
            .command(remember.record(&job));
        let kinds = decided.iter().map(|event| event.kind().to_owned()).collect();
        let appended = span.run(self.append_and_tell(append, kinds, version)).await?;
        watchdog::ended(&before.job, &job);
        Ok(self.keep(Snapshot { job, lineage, version, position: appended.last_position }))
    }

    /// Appends, and tells of it.
    async fn append_and_tell(
        &self,
        append: Append,
        kinds: Vec<String>,
        version: i64,
    ) -> Result<Appended, AppendError> {
        let appended = self.log.append(append).await?;
        recorded(&kinds, version);
        Ok(appended)
    }

    /// Makes a job: `command` is asked for the command again and again, with the id and the campaign's number
    /// that are free, until both are ours.
    ///
    /// # Errors
    /// The domain refuses, or the database failed.
    pub async fn create(
        &self,
        campaign: &str,
        command: impl Fn(JobId, u32) -> Command,
        origin: &Origin,
        remember: Remember<'_>,
    ) -> Result<Done, ServiceError> {
        let _turn = self.creating.lock().await;
        if let Some(before) = self.repeated(remember).await? {
            return Ok(Done::Before(before));
        }
        for _ in 0..DECISIONS {
            let id = store::next_id(&self.log).await.map_err(database)?;
            let number = store::campaign_number(&self.log, campaign).await.map_err(database)?;
            let decided = decide(None, command(id, number)).map_err(|no| refused(&no))?;
            match self.first_append(id, number, &decided, origin, remember, Vec::new()).await {
                Ok(after) => return Ok(Done::Now(after)),
                // Another process took the id or the number.
                Err(AppendError::Conflict { .. } | AppendError::Constraint(_)) => {}
                Err(AppendError::Repeated(reply)) => return Ok(Done::Before(reply)),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(crowded())
    }

    /// The turn to give out ids and numbers in this process.
    pub(crate) async fn creating(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.creating.lock().await
    }

    /// Stores the first events of a job with its rows, and with what `more` says.
    ///
    /// # Errors
    /// The id, the number or a scene is taken, or the database failed.
    pub(crate) async fn first_append(
        &self,
        id: JobId,
        number: u32,
        decided: &[JobEvent],
        origin: &Origin,
        remember: Remember<'_>,
        more: Vec<Statement>,
    ) -> Result<Arc<Snapshot>, AppendError> {
        let at = self.clock.now();
        let Some(job) = evolved(None, decided, events::millis(at)) else { return Err(AppendError::Empty) };
        let version = i64::try_from(decided.len()).unwrap_or_default();
        let mut lineage = Lineage::default();
        let meta = origin.meta(id, &lineage);
        lineage.follow(&meta);
        let append = Append::to(keys::stream(id))
            .expecting(Expected::NoStream)
            .events(decided.iter().map(|event| events::new(event, &meta, at)))
            .statements(store::created(&job, number, version, at, &self.patience))
            .statements(more)
            .command(remember.record(&job));
        let kinds: Vec<_> = decided.iter().map(|event| event.kind().to_owned()).collect();
        let appended = self.log.append(append).await?;
        // Not before: the id may be another's, whose trace this is not.
        Subject::job(i64::from(id)).around(async { recorded(&kinds, version) }).await;
        Ok(self.keep(Snapshot { job, lineage, version, position: appended.last_position }))
    }

    /// The reply that this very command got before.
    ///
    /// # Errors
    /// The id was used for another command, or the database failed.
    pub async fn repeated(&self, remember: Remember<'_>) -> Result<Option<Vec<u8>>, ServiceError> {
        if remember.id.is_empty() {
            return Ok(None);
        }
        match eventlog::command_reply(&self.log, remember.id).await.map_err(database)? {
            None => Ok(None),
            Some(record) if record.digest == remember.digest => Ok(Some(record.reply)),
            Some(_) => Err(failed(AppendError::Reused)),
        }
    }

    /// Position of the last event that a command led to; 0 when it led to none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn position_after(&self, id: JobId, command_id: &str) -> anyhow::Result<i64> {
        let events = self.log.load(&keys::stream(id), 0).await?;
        let caused = |event: &&StoredEvent| event.meta.causation_id.as_deref() == Some(command_id);
        Ok(events.iter().filter(caused).map(|event| event.position).max().unwrap_or_default())
    }

    /// Keeps a job as this process has just stored it, and tells the observer.
    fn keep(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        let snapshot = Arc::new(snapshot);
        let begun = self.kept.keep(&snapshot);
        if let Some(observer) = self.observer.get().and_then(Weak::upgrade) {
            observer.changed(&snapshot, begun);
        }
        snapshot
    }
}

impl Remember<'_> {
    fn record(&self, job: &Job) -> Option<CommandRecord> {
        (!self.id.is_empty()).then(|| CommandRecord {
            id: self.id.to_owned(),
            digest: self.digest.to_owned(),
            reply: (self.reply)(job),
        })
    }
}

/// Folds stored events on top of a snapshot.
///
/// # Errors
/// An event cannot be read.
pub fn fold(before: Option<Snapshot>, newer: &[StoredEvent]) -> anyhow::Result<Option<Snapshot>> {
    let (mut version, mut position) =
        before.as_ref().map_or((0, 0), |before| (before.version, before.position));
    let (mut job, mut lineage) = match before {
        Some(before) => (Some(before.job), before.lineage),
        None => (None, Lineage::default()),
    };
    for stored in newer {
        let event = events::read(stored)?;
        lineage.follow(&stored.meta);
        job = evolve(job, &event, events::millis(stored.recorded_at));
        (version, position) = (stored.version, stored.position);
    }
    Ok(job.map(|job| Snapshot { job, lineage, version, position }))
}

/// One line that says what happened to a job, in its trace.
fn recorded(kinds: &[String], version: i64) {
    tracing::info!(events = kinds.join(" "), version, "recorded");
}

fn evolved(job: Option<Job>, events: &[JobEvent], at_ms: i64) -> Option<Job> {
    events.iter().fold(job, |job, event| evolve(job, event, at_ms))
}

fn failed(error: AppendError) -> ServiceError {
    match error {
        AppendError::Reused => ServiceError::new(
            Code::Conflict,
            "idempotency_key_reused",
            "This Idempotency-Key was used before for a different request; use a new one.",
        ),
        error => ServiceError::internal(error),
    }
}

fn unknown(id: JobId) -> ServiceError {
    refused(&Refusal::JobNotFound).fact("job_id", id)
}

pub(crate) fn crowded() -> ServiceError {
    ServiceError::unavailable("Too many changes at the same time; try again in a moment.")
}
