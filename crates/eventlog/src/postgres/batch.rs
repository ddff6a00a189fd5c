//! One shared transaction, the quickest way that will do.
//!
//! | way | when | round trips |
//! | --- | --- | --- |
//! | [`super::straight`] | nothing speaks against any of the writes, as far as is known here | 1; 2 with read tables |
//! | [`super::looked`] | the log was found to hold something else, or a write is refused for what it holds | 3 |
//! | careful | a statement fails: one write after the other, each in a savepoint, so that a refusal undoes only its own | many |
//!
//! A way that fails leaves nothing behind, and the next one is taken.
//!
//! An advisory lock, taken first and held until the commit, makes positions ascend in the order of the commits:
//! a reader that has seen a position has seen every lower one.

use std::collections::HashMap;

use futures::future::{join, join_all};

use super::{
    insert::Rows,
    looked,
    session::{RECORD, STORED, Session},
    statements::{execute, execute_returning, failed},
    straight::{self, Straight},
    writer::Job,
};
use crate::{Append, AppendError, Appended, LogError, Row, Statement, value::time_text};

/// What became of one write.
pub(super) enum Outcome {
    /// Where the append ended and how many events it stored.
    Append(Result<(Appended, u64), AppendError>),
    Execute(Result<Vec<u64>, LogError>),
    Returning(Result<Vec<Row>, LogError>),
}

/// Why a batch has no outcomes.
pub(super) enum Failure {
    /// None of the writes is stored: they may be run again.
    NotStored(LogError),
    /// The connection was lost while the commit was under way.
    Unknown(LogError),
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::NotStored(error)
    }
}

impl Failure {
    pub(super) fn into_error(self) -> LogError {
        match self {
            Self::NotStored(error) | Self::Unknown(error) => error,
        }
    }
}

/// Runs and commits the writes.
pub(super) async fn run(session: &mut Session, jobs: &[&Job]) -> Result<Vec<Outcome>, Failure> {
    let faulty = session.prepare(jobs.iter().flat_map(|job| texts(job))).await;
    if faulty.is_empty() {
        let looked = match straight::run(session, jobs).await? {
            Straight::Stored(outcomes) => return Ok(outcomes),
            Straight::Look => looked::run(session, jobs).await?,
            Straight::Sort => None,
        };
        if let Some(outcomes) = looked {
            return Ok(outcomes);
        }
    }
    session.prepare(looked::TEXTS).await;
    session.begin().await?;
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        let fault = texts(job).find_map(|sql| faulty.get(sql));
        outcomes.push(match fault {
            Some(fault) => job.refused(fault.clone()),
            None => alone(session, job).await?,
        });
    }
    session.commit().await?;
    learn(session, jobs, &outcomes);
    Ok(outcomes)
}

/// What is stored of writes that a lost connection left open; `None` for those of which nothing is. Waits until the
/// lost transaction, should it still run, is over: it holds the lock or stands before us.
pub(super) async fn stored(session: &mut Session, jobs: &[&Job]) -> Result<Vec<Option<Outcome>>, LogError> {
    session.prepare([STORED]).await;
    let events = jobs.iter().filter_map(|job| job.append()).flat_map(|append| &append.events);
    let ids: Vec<String> = events.map(|event| event.id.to_string()).collect();
    session.begin().await?;
    let rows = session.client.query(session.prepared(STORED)?, &[&ids]).await;
    session.run("COMMIT").await?;
    let rows = rows.map_err(|error| failed(STORED, &error))?;
    let places: HashMap<&str, (i64, i64, &str)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3)))).collect();
    let whole = |append: &Append| {
        let mut last = None;
        for event in &append.events {
            let &(position, version, stream) = places.get(event.id.to_string().as_str())?;
            last = (stream == append.stream).then_some((position, version));
        }
        let (last_position, last_version) = last?;
        Some(Outcome::Append(Ok((Appended { last_position, last_version }, count(append)))))
    };
    Ok(jobs.iter().map(|job| job.append().and_then(whole)).collect())
}

/// The texts that have to be prepared for a write.
fn texts(job: &Job) -> impl Iterator<Item = &str> {
    let (statements, record) = match job {
        Job::Append(append, _) => (append.statements.as_slice(), append.command.is_some()),
        Job::Execute(statements, _) => (statements.as_slice(), false),
        Job::Returning(statement, _) => (std::slice::from_ref(statement), false),
    };
    statements.iter().map(|one| one.sql.as_str()).chain(record.then_some(RECORD))
}

/// Remembers where the streams are now.
pub(super) fn learn(session: &mut Session, jobs: &[&Job], outcomes: &[Outcome]) {
    for (job, outcome) in jobs.iter().zip(outcomes) {
        if let (Some(append), Outcome::Append(Ok((appended, _)))) = (job.append(), outcome) {
            session.known.learn(&append.stream, appended.last_version);
        }
    }
}

/// The outcomes of writes whose events got these places, in order, and whose statements may still be answered. `None`
/// when one of them failed. Statements are sent in order without waiting in between.
pub(super) async fn follow(session: &Session, jobs: &[(&Job, bool)]) -> Option<Vec<Option<Outcome>>> {
    let running = jobs.iter().map(|(job, accepted)| async move {
        match job {
            Job::Append(append, _) if *accepted => {
                let changes = join_all(append.statements.iter().map(|one| run_one(session, one)));
                let (done, recorded) = join(changes, record(session, append)).await;
                (done.iter().all(Result::is_ok) && recorded.is_ok()).then_some(None)
            }
            Job::Append(..) => Some(None),
            Job::Execute(statements, _) => {
                let done = join_all(statements.iter().map(|one| run_one(session, one))).await;
                let changed = done.into_iter().collect::<Result<Vec<u64>, LogError>>().ok()?;
                Some(Some(Outcome::Execute(Ok(changed))))
            }
            Job::Returning(statement, _) => {
                let rows = returning(session, statement).await.ok()?;
                Some(Some(Outcome::Returning(Ok(rows))))
            }
        }
    });
    join_all(running).await.into_iter().collect()
}

pub(super) fn count(append: &Append) -> u64 {
    u64::try_from(append.events.len()).unwrap_or(0)
}

async fn run_one(session: &Session, statement: &Statement) -> Result<u64, LogError> {
    execute(&session.client, statement, session.prepared(&statement.sql)?).await
}

async fn returning(session: &Session, statement: &Statement) -> Result<Vec<Row>, LogError> {
    execute_returning(&session.client, statement, session.prepared(&statement.sql)?).await
}

async fn record(session: &Session, append: &Append) -> Result<(), LogError> {
    let (Some(command), Some(event)) = (&append.command, append.events.first()) else { return Ok(()) };
    let prepared = session.prepared(RECORD)?;
    let recorded_at = time_text(event.recorded_at);
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&command.id, &command.digest, &command.reply, &recorded_at];
    session.client.execute(prepared, &params).await.map(drop).map_err(|error| failed(RECORD, &error))
}

/// One write in a savepoint; an error here is the connection's.
async fn alone(session: &Session, job: &Job) -> Result<Outcome, LogError> {
    session.run("SAVEPOINT one_write").await?;
    let outcome = match job {
        Job::Append(append, _) => Outcome::Append(append_alone(session, append).await),
        Job::Execute(statements, _) => Outcome::Execute(execute_alone(session, statements).await),
        Job::Returning(statement, _) => Outcome::Returning(returning(session, statement).await),
    };
    let stored =
        matches!(&outcome, Outcome::Append(Ok(_)) | Outcome::Execute(Ok(_)) | Outcome::Returning(Ok(_)));
    session
        .run(if stored { "RELEASE one_write" } else { "ROLLBACK TO one_write; RELEASE one_write" })
        .await?;
    Ok(outcome)
}

async fn append_alone(session: &Session, append: &Append) -> Result<(Appended, u64), AppendError> {
    let last_version = looked::decide_one(session, append).await?;
    let mut rows = Rows::default();
    looked::push(&mut rows, append, last_version);
    let places = rows.insert(session).await.map_err(|error| failed("storing events", &error))?;
    for statement in &append.statements {
        run_one(session, statement).await.map_err(constraint)?;
    }
    record(session, append).await?;
    let last_position = places.last().map_or(0, |(position, _)| *position);
    Ok((Appended { last_position, last_version }, count(append)))
}

async fn execute_alone(session: &Session, statements: &[Statement]) -> Result<Vec<u64>, LogError> {
    let mut changed = Vec::with_capacity(statements.len());
    for statement in statements {
        changed.push(run_one(session, statement).await?);
    }
    Ok(changed)
}

fn constraint(error: LogError) -> AppendError {
    match error {
        LogError::Constraint(reason) => AppendError::Constraint(reason),
        error => error.into(),
    }
}
