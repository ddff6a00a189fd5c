//! The writer: a thread that owns the writing connection and commits together what waits together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, mpsc::error::TryRecvError, oneshot, watch};

use super::append::append;
use super::statements::{execute, execute_returning, head};
use crate::{Append, AppendError, Appended, LogError, LogStats, Row, Statement};

/// Writes that may wait; beyond that the callers wait to hand theirs over.
const QUEUE: usize = 1024;

/// Writes in one commit at most, so that the first of them is not kept waiting by newer ones.
const BATCH: usize = 1024;

/// Times that the writer steps back for writers that were just answered.
const YIELDS: usize = 4;

/// Times that the writer steps back before it sleeps.
const LINGER: usize = 64;

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
        while let Some(job) = self.wait() {
            if let Err(error) = once(&self.connection, BEGIN) {
                self.fail_waiting(job, error);
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

    /// The next job. One often comes at once, when the answer to the last was waited for: for a moment the thread gives
    /// way to the others instead of being put to sleep and woken up.
    fn wait(&mut self) -> Option<Job> {
        for _ in 0..LINGER {
            match self.queue.try_recv() {
                Ok(job) => return Some(job),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => thread::yield_now(),
            }
        }
        self.queue.blocking_recv()
    }

    /// Runs the first job and those that came meanwhile.
    fn run_waiting(&mut self, first: Job) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            waiting.push(run(&self.connection, job, waiting.is_empty()));
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
        prepared(&self.connection, COMMIT).map_err(|error| {
            if let Err(error) = once(&self.connection, ROLLBACK) {
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

/// Runs a write in the transaction; `first`: nothing else was run in it yet.
fn run(connection: &Connection, job: Job, first: bool) -> Waiting {
    match job {
        Job::Append(write, answer) => {
            let work = || append(connection, &write);
            let undo = if is_single(&write) { Undo::Nothing } else { Undo::of(first) };
            let outcome = undo.around(connection, work);
            let events = u64::try_from(write.events.len()).unwrap_or(0);
            let appended = outcome.as_ref().ok().map(|appended| (*appended, events));
            Waiting { answer: answering(answer, outcome), appended }
        }
        Job::Execute(statements, answer) => {
            let all = || statements.iter().map(|statement| execute(connection, statement)).collect();
            let outcome = Undo::of(first).around(connection, all);
            Waiting { answer: answering(answer, outcome), appended: None }
        }
        Job::Returning(statement, answer) => {
            let outcome = Undo::of(first).around(connection, || execute_returning(connection, &statement));
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

/// One event and nothing else: what may refuse it comes before its row, or is its row, of which nothing stays.
fn is_single(append: &Append) -> bool {
    append.events.len() == 1 && append.statements.is_empty() && append.command.is_none()
}

const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// How what a refused write did is undone, and nothing else.
#[derive(Clone, Copy)]
enum Undo {
    /// It did nothing.
    Nothing,
    /// It is the first of its transaction, which begins again.
    Transaction,
    /// Back to where it began.
    Savepoint,
}

impl Undo {
    fn of(first: bool) -> Self {
        if first { Self::Transaction } else { Self::Savepoint }
    }

    /// Keeps what `work` did, or undoes exactly that.
    fn around<T, E: From<LogError>>(
        self,
        connection: &Connection,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        if matches!(self, Self::Savepoint) {
            once(connection, "SAVEPOINT one_write")?;
        }
        let outcome = work();
        // When the whole transaction is gone, so is the savepoint, and the commit will say so.
        if connection.is_autocommit() {
            return outcome;
        }
        match self {
            Self::Transaction if outcome.is_err() => {
                once(connection, ROLLBACK)?;
                once(connection, BEGIN)?;
            }
            Self::Savepoint => {
                if outcome.is_err() {
                    once(connection, "ROLLBACK TO one_write")?;
                }
                once(connection, "RELEASE one_write")?;
            }
            Self::Nothing | Self::Transaction => {}
        }
        outcome
    }
}

fn once(connection: &Connection, sql: &str) -> Result<(), LogError> {
    prepared(connection, sql).map_err(|error| LogError::database(format!("running `{sql}`"), error))
}

/// Runs a statement that is parsed only the first time.
fn prepared(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute()).map(drop)
}
