//! The writer: a task that owns one connection and commits together what waits together.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Address,
    batch::{self, Failure, Outcome},
    line::Line,
    notify::raise,
    session::Session,
    statements,
};
use crate::{Append, AppendError, Appended, LogError, LogStats, Row, Statement};

/// Writes that may wait; beyond that the callers wait to hand theirs over.
const QUEUE: usize = 1024;
/// Writes in one commit at most.
const BATCH: usize = 256;
/// How long the writes at hand wait for a lost connection to come back before they are refused.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(200);

type Answer<T, E = LogError> = oneshot::Sender<Result<T, E>>;

/// A write and where its answer goes.
pub(super) enum Job {
    Append(Box<Append>, Answer<Appended, AppendError>),
    Execute(Vec<Statement>, Answer<Vec<u64>>),
    Returning(Statement, Answer<Vec<Row>>),
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    events: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> LogStats {
        LogStats {
            commits: self.commits.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
        }
    }
}

/// Starts the task; it ends when every sender is gone or on `cancel`, after what was handed over. `announce` wakes the
/// readers of this process, `committed` tells what is to be announced to others.
pub(super) async fn start(
    address: &Address,
    announce: watch::Sender<i64>,
    committed: watch::Sender<i64>,
    cancel: CancellationToken,
) -> Result<(mpsc::Sender<Job>, Arc<Counters>), LogError> {
    let session = Session::connect(address).await?;
    let (jobs, queue) = mpsc::channel(QUEUE);
    let counters = Arc::new(Counters::default());
    let task = Task {
        address: address.clone(),
        session: Some(session),
        queue,
        announce,
        committed,
        released: 0,
        counters: Arc::clone(&counters),
    };
    tokio::spawn(task.run(cancel));
    Ok((jobs, counters))
}

struct Task {
    address: Address,
    session: Option<(Session, Line)>,
    queue: mpsc::Receiver<Job>,
    announce: watch::Sender<i64>,
    committed: watch::Sender<i64>,
    /// Writers that the last batch answered.
    released: usize,
    counters: Arc<Counters>,
}

impl Task {
    async fn run(mut self, cancel: CancellationToken) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            let took = tokio::select! {
                took = idle(&mut self.session, self.queue.recv_many(&mut jobs, BATCH)) => took,
                () = cancel.cancelled() => {
                    // Handed over before the last handle went away: carried out all the same.
                    self.queue.close();
                    self.queue.recv_many(&mut jobs, BATCH).await
                }
            };
            if took == 0 {
                return;
            }
            self.gather(&mut jobs).await;
            self.released = jobs.len();
            self.commit(&mut jobs).await;
        }
    }

    /// Writers that were just answered often write again at once. Whatever can run before us does, as long as that
    /// brings more writes than there are: half of the writers would wait for a commit of the other half otherwise.
    async fn gather(&mut self, jobs: &mut Vec<Job>) {
        while jobs.len() < self.released.min(BATCH) {
            let before = jobs.len();
            tokio::task::yield_now().await;
            while jobs.len() < BATCH {
                let Ok(job) = self.queue.try_recv() else { break };
                jobs.push(job);
            }
            if jobs.len() == before {
                return;
            }
        }
    }

    async fn commit(&mut self, jobs: &mut Vec<Job>) {
        match self.outcomes(jobs).await {
            Ok(outcomes) => {
                self.count(&outcomes);
                jobs.drain(..).zip(outcomes).for_each(|(job, outcome)| job.answer(outcome));
            }
            Err(error) => {
                self.session = None;
                jobs.drain(..).for_each(|job| job.fail(error.clone()));
            }
        }
    }

    /// A connection may have died unnoticed, with its server for example: what is certainly not stored then runs
    /// once more, on a new one. Where that is not certain, the log is asked.
    async fn outcomes(&mut self, jobs: &[Job]) -> Result<Vec<Outcome>, LogError> {
        let jobs: Vec<&Job> = jobs.iter().collect();
        match self.attempt(&jobs).await {
            Ok(outcomes) => Ok(outcomes),
            Err(Failure::Unknown(error)) => self.settle(&jobs, error).await,
            Err(Failure::NotStored(error)) if !self.is_lost(&error) => Err(error),
            Err(Failure::NotStored(_)) => {
                self.session = None;
                self.attempt(&jobs).await.map_err(Failure::into_error)
            }
        }
    }

    async fn attempt(&mut self, jobs: &[&Job]) -> Result<Vec<Outcome>, Failure> {
        let (session, line) = self.connected().await?;
        line.drive(batch::run(session, jobs)).await
    }

    /// Finds out what became of a commit in which the connection was lost: an append is stored if its events are.
    /// What is not stored runs once more; the old transaction, should it still come, cannot store an event again.
    /// Writes without events leave nothing to look for: they get `unknown`.
    async fn settle(&mut self, jobs: &[&Job], unknown: LogError) -> Result<Vec<Outcome>, LogError> {
        self.session = None;
        let Ok((session, line)) = self.connected().await else { return Err(unknown) };
        let Ok(stored) = line.drive(batch::stored(session, jobs)).await else { return Err(unknown) };
        let pairs = jobs.iter().zip(&stored);
        let again: Vec<&Job> = pairs
            .filter(|(job, stored)| stored.is_none() && job.append().is_some())
            .map(|(job, _)| *job)
            .collect();
        let mut repeated = match self.attempt(&again).await {
            Ok(outcomes) => outcomes.into_iter(),
            Err(failure) => {
                let error = failure.into_error();
                again.iter().map(|job| job.refused(error.clone())).collect::<Vec<_>>().into_iter()
            }
        };
        let settled = jobs.iter().zip(stored).map(|(job, stored)| {
            let repeated = || job.append().and_then(|_| repeated.next());
            stored.or_else(repeated).unwrap_or_else(|| job.refused(unknown.clone()))
        });
        Ok(settled.collect())
    }

    fn is_lost(&self, error: &LogError) -> bool {
        statements::is_lost(error) || self.is_closed()
    }

    fn is_closed(&self) -> bool {
        self.session.as_ref().is_none_or(|(session, _)| session.is_closed())
    }

    async fn connected(&mut self) -> Result<(&mut Session, &mut Line), LogError> {
        if self.is_closed() {
            self.session = Some(reconnect(&self.address).await?);
        }
        self.session.as_mut().map(|(session, line)| (session, line)).ok_or(LogError::Closed)
    }

    fn count(&self, outcomes: &[Outcome]) {
        let counters = &self.counters;
        counters.commits.fetch_add(1, Ordering::Relaxed);
        counters.writes.fetch_add(u64::try_from(outcomes.len()).unwrap_or(0), Ordering::Relaxed);
        for outcome in outcomes {
            if let Outcome::Append(Ok((appended, events))) = outcome {
                counters.events.fetch_add(*events, Ordering::Relaxed);
                raise(&self.announce, appended.last_position);
                raise(&self.committed, appended.last_position);
            }
        }
    }
}

async fn reconnect(address: &Address) -> Result<(Session, Line), LogError> {
    let started = tokio::time::Instant::now();
    loop {
        match Session::connect(address).await {
            Ok(session) => return Ok(session),
            Err(error) if started.elapsed() > PATIENCE => return Err(error),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Waits for `work` while the connection, if there is one, is kept alive.
async fn idle<T>(session: &mut Option<(Session, Line)>, work: impl Future<Output = T>) -> T {
    match session {
        Some((_, line)) => line.drive(work).await,
        None => work.await,
    }
}

impl Job {
    /// The append, if it is one.
    pub(super) fn append(&self) -> Option<&Append> {
        if let Self::Append(append, _) = self { Some(append) } else { None }
    }

    /// The outcome that tells it of an error.
    pub(super) fn refused(&self, error: LogError) -> Outcome {
        match self {
            Self::Append(..) => Outcome::Append(Err(error.into())),
            Self::Execute(..) => Outcome::Execute(Err(error)),
            Self::Returning(..) => Outcome::Returning(Err(error)),
        }
    }

    fn answer(self, outcome: Outcome) {
        // Nobody may be listening any more.
        match (self, outcome) {
            (Self::Append(_, answer), Outcome::Append(outcome)) => {
                drop(answer.send(outcome.map(|(appended, _)| appended)));
            }
            (Self::Execute(_, answer), Outcome::Execute(outcome)) => drop(answer.send(outcome)),
            (Self::Returning(_, answer), Outcome::Returning(outcome)) => drop(answer.send(outcome)),
            (job, _) => job.fail(LogError::Closed),
        }
    }

    fn fail(self, error: LogError) {
        match self {
            Self::Append(_, answer) => drop(answer.send(Err(error.into()))),
            Self::Execute(_, answer) => drop(answer.send(Err(error))),
            Self::Returning(_, answer) => drop(answer.send(Err(error))),
        }
    }
}
