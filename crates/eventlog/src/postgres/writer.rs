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
    batch::{self, Failure, Outcome, Session},
    notify::raise,
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

/// Starts the task; it ends when every sender is gone or on `cancel`, after what was handed over.
pub(super) async fn start(
    address: &Address,
    announce: watch::Sender<i64>,
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
        counters: Arc::clone(&counters),
    };
    tokio::spawn(task.run(cancel));
    Ok((jobs, counters))
}

struct Task {
    address: Address,
    session: Option<Session>,
    queue: mpsc::Receiver<Job>,
    announce: watch::Sender<i64>,
    counters: Arc<Counters>,
}

impl Task {
    async fn run(mut self, cancel: CancellationToken) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            let took = tokio::select! {
                took = self.queue.recv_many(&mut jobs, BATCH) => took,
                () = cancel.cancelled() => {
                    // Handed over before the last handle went away: carried out all the same.
                    self.queue.close();
                    self.queue.recv_many(&mut jobs, BATCH).await
                }
            };
            if took == 0 {
                return;
            }
            self.commit(&mut jobs).await;
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
    /// once more, on a new one.
    async fn outcomes(&mut self, jobs: &[Job]) -> Result<Vec<Outcome>, LogError> {
        match batch::run(self.connected().await?, jobs).await {
            Ok(outcomes) => return Ok(outcomes),
            Err(Failure::Unknown(error)) => return Err(error),
            Err(Failure::NotStored(error)) if !self.is_lost(&error) => return Err(error),
            Err(Failure::NotStored(_)) => self.session = None,
        }
        batch::run(self.connected().await?, jobs).await.map_err(|failure| match failure {
            Failure::NotStored(error) | Failure::Unknown(error) => error,
        })
    }

    fn is_lost(&self, error: &LogError) -> bool {
        statements::is_lost(error) || self.session.as_ref().is_none_or(Session::is_closed)
    }

    async fn connected(&mut self) -> Result<&mut Session, LogError> {
        if self.session.as_ref().is_none_or(Session::is_closed) {
            self.session = Some(self.reconnect().await?);
        }
        self.session.as_mut().ok_or(LogError::Closed)
    }

    async fn reconnect(&self) -> Result<Session, LogError> {
        let started = tokio::time::Instant::now();
        loop {
            match Session::connect(&self.address).await {
                Ok(session) => return Ok(session),
                Err(error) if started.elapsed() > PATIENCE => return Err(error),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn count(&self, outcomes: &[Outcome]) {
        let counters = &self.counters;
        counters.commits.fetch_add(1, Ordering::Relaxed);
        counters.writes.fetch_add(u64::try_from(outcomes.len()).unwrap_or(0), Ordering::Relaxed);
        for outcome in outcomes {
            if let Outcome::Append(Ok((appended, events))) = outcome {
                counters.events.fetch_add(*events, Ordering::Relaxed);
                raise(&self.announce, appended.last_position);
            }
        }
    }
}

impl Job {
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
