//! The writer: a thread that owns the writing connection and commits together what waits together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::append::append;
use super::statements::{execute, execute_returning, head};
use crate::{Append, AppendError, Appended, LogError, LogStats, Row, Statement};

/// Writes that may wait; beyond that the callers wait to hand theirs over.
const QUEUE: usize = 1024;

/// Writes in one commit at most, so that the first of them is not kept waiting by newer ones.
const BATCH: usize = 1024;

/// Times that the writer steps back for writers that were just answered.
const YIELDS: usize = 4;

type Answer<T, E = LogError> = oneshot::Sender<Result<T, E>>;

/// A write and where its answer goes.
pub(super) enum Job {
    Append(Box<Append>, Answer<Appended, AppendError>),
    Execute(Vec<Statement>, Answer<Vec<u64>>),
    Returning(Statement, Answer<Vec<Row>>),
}

/// A write that was run inside the transaction and waits for the commit.
struct Waiting {
    answer: Box<dyn FnOnce(Result<(), LogError>) + Send>,
    appended: Option<(Appended, u64)>,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    events: AtomicU64,
}

/// The handle to the thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    appended: watch::Receiver<i64>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, LogError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (announce, appended) = watch::channel(head(&connection)?);
        let counters = Arc::new(Counters::default());
        let work = Thread { connection, queue, released: 0, announce, counters: Arc::clone(&counters) };
        let thread = std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || work.run())
            .map_err(|error| LogError::database("starting the writer", error))?;
        Ok(Self { jobs: Some(jobs), appended, counters, thread: Some(thread) })
    }

    pub(super) async fn send(&self, job: Job) -> Result<(), LogError> {
        let jobs = self.jobs.as_ref().ok_or(LogError::Closed)?;
        jobs.send(job).await.map_err(|_| LogError::Closed)
    }

    pub(super) fn appended(&self) -> watch::Receiver<i64> {
        self.appended.clone()
    }

    pub(super) fn stats(&self) -> LogStats {
        LogStats {
            commits: self.counters.commits.load(Ordering::Relaxed),
            writes: self.counters.writes.load(Ordering::Relaxed),
            events: self.counters.events.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Writer {
    /// Lets the thread finish what was handed over and close the file.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the log's writer ended in a panic");
        }
    }
}

struct Thread {
    connection: Connection,
    queue: mpsc::Receiver<Job>,
    /// Writers that the last commit answered.
    released: usize,
    announce: watch::Sender<i64>,
    counters: Arc<Counters>,
}

impl Thread {
    fn run(mut self) {
        while let Some(job) = self.queue.blocking_recv() {
            if let Err(error) = self.connection.execute_batch("BEGIN IMMEDIATE") {
                self.fail_waiting(job, LogError::database("beginning a transaction", error));
                continue;
            }
            let waiting = self.run_waiting(job);
            let committed = self.commit();
            self.count(&waiting, committed.is_ok());
            for write in waiting {
                (write.answer)(committed.clone());
            }
        }
    }

    /// Runs the first job and those that came meanwhile.
    fn run_waiting(&mut self, first: Job) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            waiting.push(run(&self.connection, job));
            // A full disk or a broken file ends the whole transaction; nothing may run outside of one.
            let open = !self.connection.is_autocommit() && waiting.len() < BATCH;
            next = if open { self.next(waiting.len()) } else { None };
        }
        self.released = waiting.len();
        waiting
    }

    /// What waits. Writers that were just answered often write again at once: as long as there are fewer than last
    /// time they get a moment, or half of them would wait for a commit of the other half.
    fn next(&mut self, have: usize) -> Option<Job> {
        for _ in 0..YIELDS {
            match self.queue.try_recv() {
                Ok(job) => return Some(job),
                Err(_) if have < self.released => thread::yield_now(),
                Err(_) => return None,
            }
        }
        self.queue.try_recv().ok()
    }

    fn commit(&self) -> Result<(), LogError> {
        if self.connection.is_autocommit() {
            return Err(LogError::Commit(Arc::from(Box::from("the transaction was rolled back"))));
        }
        self.connection.execute_batch("COMMIT").map_err(|error| {
            if let Err(error) = self.connection.execute_batch("ROLLBACK") {
                tracing::warn!(%error, "rolling back after a failed commit");
            }
            LogError::Commit(Arc::new(error))
        })
    }

    fn count(&self, waiting: &[Waiting], committed: bool) {
        let counters = &self.counters;
        counters.writes.fetch_add(u64::try_from(waiting.len()).unwrap_or(0), Ordering::Relaxed);
        if !committed {
            return;
        }
        counters.commits.fetch_add(1, Ordering::Relaxed);
        let mut appended = waiting.iter().filter_map(|write| write.appended);
        counters.events.fetch_add(appended.clone().map(|(_, events)| events).sum(), Ordering::Relaxed);
        if let Some((last, _)) = appended.next_back() {
            self.announce.send_replace(last.last_position);
        }
    }

    fn fail_waiting(&mut self, first: Job, error: LogError) {
        let mut next = Some(first);
        while let Some(job) = next {
            job.fail(error.clone());
            next = self.queue.try_recv().ok();
        }
    }
}

impl Job {
    fn fail(self, error: LogError) {
        match self {
            Self::Append(_, answer) => drop(answer.send(Err(error.into()))),
            Self::Execute(_, answer) => drop(answer.send(Err(error))),
            Self::Returning(_, answer) => drop(answer.send(Err(error))),
        }
    }
}

fn run(connection: &Connection, job: Job) -> Waiting {
    match job {
        Job::Append(write, answer) => {
            let outcome = in_savepoint(connection, || append(connection, &write));
            let events = u64::try_from(write.events.len()).unwrap_or(0);
            let appended = outcome.as_ref().ok().map(|appended| (*appended, events));
            Waiting { answer: answering(answer, outcome), appended }
        }
        Job::Execute(statements, answer) => {
            let all = || statements.iter().map(|statement| execute(connection, statement)).collect();
            let outcome = in_savepoint(connection, all);
            Waiting { answer: answering(answer, outcome), appended: None }
        }
        Job::Returning(statement, answer) => {
            let outcome = in_savepoint(connection, || execute_returning(connection, &statement));
            Waiting { answer: answering(answer, outcome), appended: None }
        }
    }
}

/// An error that may be the database's own.
trait Refusal: From<LogError> + Send + 'static {
    /// Whether the database failed, rather than the write was refused for what the log holds.
    fn is_fault(&self) -> bool;
}

impl Refusal for LogError {
    fn is_fault(&self) -> bool {
        matches!(self, Self::Database { .. })
    }
}

impl Refusal for AppendError {
    fn is_fault(&self) -> bool {
        matches!(self, Self::Log(error) if error.is_fault())
    }
}

/// What to say once the fate of the commit is known. A refusal may rest on a write of the same transaction, so
/// it holds only if that was committed. Nobody may be listening any more.
fn answering<T: Send + 'static, E: Refusal>(
    answer: Answer<T, E>,
    outcome: Result<T, E>,
) -> Box<dyn FnOnce(Result<(), LogError>) + Send> {
    Box::new(move |committed| {
        drop(answer.send(match (committed, outcome) {
            (Ok(()), outcome) => outcome,
            (Err(_), Err(fault)) if fault.is_fault() => Err(fault),
            (Err(error), _) => Err(error.into()),
        }));
    })
}

/// Keeps what `work` did, or undoes exactly that.
fn in_savepoint<T, E: From<LogError>>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let run = |sql: &str| {
        let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(()));
        done.map(drop).map_err(|error| LogError::database(sql, error))
    };
    run("SAVEPOINT one_write")?;
    let outcome = work();
    // When the whole transaction is gone, so is the savepoint, and the commit will say so.
    if connection.is_autocommit() {
        return outcome;
    }
    if outcome.is_err() {
        run("ROLLBACK TO one_write")?;
    }
    run("RELEASE one_write")?;
    outcome
}
