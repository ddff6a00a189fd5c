//! One shared transaction.
//!
//! The fast way: one look at all streams, commands and ids that the batch is about, one insert of all events,
//! all statements sent without waiting in between. Refusals that the look shows (a conflict, a repeated
//! command) cost nothing. Where a statement fails, everything is undone and the batch runs again the careful way:
//! one write after the other, each in a savepoint, so that a refusal undoes only its own.
//!
//! An advisory lock, taken first and held until the commit, makes positions ascend in the order of the commits:
//! a reader that has seen a position has seen every lower one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::future::{join_all, try_join3};
use tokio_postgres::{Client, Statement as Prepared};

use super::{
    Address, connect,
    statements::{Spelled, execute, execute_returning, failed, is_lost},
    writer::Job,
};
use crate::{
    Append, AppendError, Appended, CommandRecord, LogError, NewEvent, Row, Statement, value::time_text,
};

const INSERT: &str = "INSERT INTO event (event_id, stream, version, kind, schema_version, data, correlation_id, \
     causation_id, traceparent, actor, recorded_at) \
     SELECT event_id, stream, version, kind, schema_version, data, correlation_id, causation_id, traceparent, actor, \
     recorded_at FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::int[], $6::text[], $7::text[], \
     $8::text[], $9::text[], $10::text[], $11::text[]) WITH ORDINALITY AS new (event_id, stream, version, kind, \
     schema_version, data, correlation_id, causation_id, traceparent, actor, recorded_at, nth) ORDER BY nth \
     RETURNING event_id, position";
const VERSIONS: &str = "SELECT wanted.stream, (SELECT max(version) FROM event WHERE event.stream = wanted.stream) \
     FROM unnest($1::text[]) AS wanted (stream)";
const COMMANDS: &str = "SELECT id, digest, reply FROM command WHERE id = ANY($1)";
const IDS: &str = "SELECT event_id FROM event WHERE event_id = ANY($1)";
const RECORD: &str = "INSERT INTO command (id, digest, reply, recorded_at) VALUES ($1, $2, $3, $4)";

/// How long a batch may stand still between two of its statements.
const STANDSTILL: Duration = Duration::from_secs(5);

/// What became of one write.
pub(super) enum Outcome {
    /// Where the append ended and how many events it stored.
    Append(Result<(Appended, u64), AppendError>),
    Execute(Result<Vec<u64>, LogError>),
    Returning(Result<Vec<Row>, LogError>),
}

/// The writing connection and its prepared statements.
pub(super) struct Session {
    client: Client,
    prepared: HashMap<String, Prepared>,
    lock: String,
    channel: String,
}

impl Session {
    pub(super) async fn connect(address: &Address) -> Result<Self, LogError> {
        let client = connect::driven(address).await?;
        // A process that stands still in the middle of a batch holds the lock: the server ends its connection, and
        // when it wakes up the batch runs once more.
        let bounded = format!("SET idle_in_transaction_session_timeout = {}", STANDSTILL.as_millis());
        client.batch_execute(&bounded).await.map_err(|error| failed(&bounded, &error))?;
        let lock = format!("BEGIN; SELECT pg_advisory_xact_lock({})", address.lock());
        Ok(Self { client, prepared: HashMap::new(), lock, channel: address.channel() })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    async fn run(&self, sql: &str) -> Result<(), LogError> {
        self.client.batch_execute(sql).await.map_err(|error| failed(sql, &error))
    }

    /// Prepares what is not prepared yet. Outside of the transaction, which a faulty text would spoil.
    async fn prepare<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> HashMap<String, LogError> {
        let mut faulty = HashMap::new();
        let known = [INSERT, VERSIONS, COMMANDS, IDS, RECORD];
        let missing: HashSet<&str> =
            texts.into_iter().chain(known).filter(|sql| !self.prepared.contains_key(*sql)).collect();
        for sql in missing {
            match self.client.prepare(sql).await {
                Ok(prepared) => drop(self.prepared.insert(sql.to_owned(), prepared)),
                Err(error) => drop(faulty.insert(sql.to_owned(), failed(sql, &error))),
            }
        }
        faulty
    }

    fn prepared(&self, sql: &str) -> Result<&Prepared, LogError> {
        self.prepared.get(sql).ok_or_else(|| LogError::Statement {
            sql: sql.to_owned(),
            reason: "cannot be prepared".to_owned(),
        })
    }

    async fn commit(&self, last: i64) -> Result<(), Failure> {
        let sql = if last > 0 {
            format!("SELECT pg_notify('{}', '{last}'); COMMIT", self.channel)
        } else {
            "COMMIT".to_owned()
        };
        self.client.batch_execute(&sql).await.map_err(|error| {
            // The server's refusal is certain; a lost connection leaves open what became of the commit.
            let doing = "committing; whether this write is stored is not known: repeat it under the same ids";
            let lost = LogError::database(doing, Spelled::of(&error));
            if error.as_db_error().is_some() && !is_lost(&lost) {
                return Failure::NotStored(LogError::Commit(Arc::new(error)));
            }
            Failure::Unknown(lost)
        })
    }
}

/// Why a batch has no outcomes.
pub(super) enum Failure {
    /// None of the writes is stored: they may be run again.
    NotStored(LogError),
    /// The connection was lost in the commit.
    Unknown(LogError),
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::NotStored(error)
    }
}

/// Runs and commits the writes.
pub(super) async fn run(session: &mut Session, jobs: &[Job]) -> Result<Vec<Outcome>, Failure> {
    let faulty = session.prepare(jobs.iter().flat_map(statements).map(|one| one.sql.as_str())).await;
    if faulty.is_empty() {
        session.run(&session.lock).await?;
        if let Some(outcomes) = together(session, jobs).await? {
            session.commit(last_position(&outcomes)).await?;
            return Ok(outcomes);
        }
        session.run("ROLLBACK").await?;
    }
    session.run(&session.lock).await?;
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        let fault = statements(job).find_map(|one| faulty.get(&one.sql));
        outcomes.push(match fault {
            Some(fault) => refused(job, fault.clone()),
            None => alone(session, job).await?,
        });
    }
    session.commit(last_position(&outcomes)).await?;
    Ok(outcomes)
}

fn statements(job: &Job) -> impl Iterator<Item = &Statement> {
    match job {
        Job::Append(append, _) => append.statements.iter(),
        Job::Execute(statements, _) => statements.iter(),
        Job::Returning(statement, _) => std::slice::from_ref(statement).iter(),
    }
}

fn refused(job: &Job, error: LogError) -> Outcome {
    match job {
        Job::Append(..) => Outcome::Append(Err(error.into())),
        Job::Execute(..) => Outcome::Execute(Err(error)),
        Job::Returning(..) => Outcome::Returning(Err(error)),
    }
}

fn last_position(outcomes: &[Outcome]) -> i64 {
    let positions = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Append(Ok((appended, _))) => Some(appended.last_position),
        _ => None,
    });
    positions.max().unwrap_or(0)
}

/// All at once; `None` when something was refused that only the careful way can sort out.
async fn together(session: &Session, jobs: &[Job]) -> Result<Option<Vec<Outcome>>, LogError> {
    let appends: Vec<&Append> = jobs
        .iter()
        .filter_map(|job| if let Job::Append(append, _) = job { Some(&**append) } else { None })
        .collect();
    let decided = match decide(session, &appends).await {
        Ok(decided) => decided,
        Err(_) if !session.is_closed() => return Ok(None),
        Err(error) => return Err(error),
    };
    let positions = match insert(session, &appends, &decided).await {
        Ok(positions) => positions,
        Err(_) if !session.is_closed() => return Ok(None),
        Err(error) => return Err(error),
    };
    // Polled in order, so sent in order; the answers come back without a wait between two of them.
    let mut nth = 0;
    let mut running = Vec::with_capacity(jobs.len());
    for job in jobs {
        let verdict = match job {
            Job::Append(..) => {
                nth += 1;
                decided.get(nth - 1)
            }
            _ => None,
        };
        running.push(follow(session, job, verdict, &positions));
    }
    let outcomes = join_all(running).await;
    let spoiled = outcomes.iter().any(|outcome| match outcome {
        Followed::Fine(_) => false,
        Followed::Spoiled => true,
    });
    if spoiled {
        return if session.is_closed() { Err(LogError::Closed) } else { Ok(None) };
    }
    Ok(Some(
        outcomes
            .into_iter()
            .filter_map(|outcome| if let Followed::Fine(fine) = outcome { Some(fine) } else { None })
            .collect(),
    ))
}

enum Followed {
    Fine(Outcome),
    Spoiled,
}

/// Runs what belongs to a write besides its events.
async fn follow(
    session: &Session,
    job: &Job,
    verdict: Option<&Result<i64, AppendError>>,
    positions: &HashMap<String, i64>,
) -> Followed {
    match (job, verdict) {
        (Job::Append(..), Some(Err(refusal))) => Followed::Fine(Outcome::Append(Err(refusal.clone()))),
        (Job::Append(append, _), Some(Ok(version))) => {
            let done = join_all(append.statements.iter().map(|one| run_one(session, one))).await;
            let recorded = record(session, append).await;
            if done.iter().any(Result::is_err) || recorded.is_err() {
                return Followed::Spoiled;
            }
            let last = append.events.last().and_then(|event| positions.get(&event.id.to_string()));
            let appended = Appended { last_position: last.copied().unwrap_or(0), last_version: *version };
            Followed::Fine(Outcome::Append(Ok((appended, count(append)))))
        }
        (Job::Append(..), None) => Followed::Spoiled,
        (Job::Execute(statements, _), _) => {
            let done = join_all(statements.iter().map(|one| run_one(session, one))).await;
            match done.into_iter().collect::<Result<Vec<u64>, LogError>>() {
                Ok(changed) => Followed::Fine(Outcome::Execute(Ok(changed))),
                Err(_) => Followed::Spoiled,
            }
        }
        (Job::Returning(statement, _), _) => match returning(session, statement).await {
            Ok(rows) => Followed::Fine(Outcome::Returning(Ok(rows))),
            Err(_) => Followed::Spoiled,
        },
    }
}

fn count(append: &Append) -> u64 {
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

/// What each append may do: its last version, or why it is refused. Later appends see the earlier ones.
async fn decide(session: &Session, appends: &[&Append]) -> Result<Vec<Result<i64, AppendError>>, LogError> {
    let mut seen = Seen::load(session, appends).await?;
    Ok(appends.iter().map(|append| seen.take(append)).collect())
}

/// What the log holds of what a batch is about.
struct Seen {
    versions: HashMap<String, i64>,
    commands: HashMap<String, CommandRecord>,
    ids: HashSet<String>,
}

impl Seen {
    async fn load(session: &Session, appends: &[&Append]) -> Result<Self, LogError> {
        if appends.is_empty() {
            return Ok(Self { versions: HashMap::new(), commands: HashMap::new(), ids: HashSet::new() });
        }
        let streams: HashSet<&str> = appends.iter().map(|append| append.stream.as_str()).collect();
        let streams: Vec<&str> = streams.into_iter().collect();
        let commands: Vec<&str> = appends
            .iter()
            .filter_map(|append| append.command.as_ref())
            .map(|command| command.id.as_str())
            .collect();
        let ids: Vec<String> =
            appends.iter().flat_map(|append| &append.events).map(|event| event.id.to_string()).collect();
        let client = &session.client;
        let versions: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&streams];
        let wanted: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&commands];
        let stored: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&ids];
        let (versions, commands, ids) = try_join3(
            client.query(session.prepared(VERSIONS)?, &versions),
            client.query(session.prepared(COMMANDS)?, &wanted),
            client.query(session.prepared(IDS)?, &stored),
        )
        .await
        .map_err(|error| failed("looking at the streams of a batch", &error))?;
        let command = |row: &tokio_postgres::Row| CommandRecord {
            id: row.get(0),
            digest: row.get(1),
            reply: row.get(2),
        };
        Ok(Self {
            versions: versions
                .iter()
                .map(|row| (row.get(0), row.get::<_, Option<i64>>(1).unwrap_or(0)))
                .collect(),
            commands: commands.iter().map(|row| (row.get(0), command(row))).collect(),
            ids: ids.iter().map(|row| row.get(0)).collect(),
        })
    }

    fn take(&mut self, append: &Append) -> Result<i64, AppendError> {
        if let Some(command) = &append.command
            && let Some(known) = self.commands.get(&command.id)
        {
            let same = known.digest == command.digest;
            return Err(if same { AppendError::Repeated(known.reply.clone()) } else { AppendError::Reused });
        }
        let mut own = HashSet::new();
        let stored = |event: &&NewEvent| self.ids.contains(&event.id.to_string()) || !own.insert(event.id);
        if let Some(event) = append.events.iter().find(stored) {
            return Err(AppendError::DuplicateEvent(event.id));
        }
        let actual = self.versions.get(&append.stream).copied().unwrap_or(0);
        if !append.expected.allows(actual) {
            return Err(AppendError::Conflict {
                stream: append.stream.clone(),
                expected: append.expected,
                actual,
            });
        }
        let last = actual + i64::try_from(append.events.len()).unwrap_or(0);
        self.versions.insert(append.stream.clone(), last);
        self.ids.extend(append.events.iter().map(|event| event.id.to_string()));
        if let Some(command) = &append.command {
            self.commands.insert(command.id.clone(), command.clone());
        }
        Ok(last)
    }
}

/// Stores the events of all accepted appends; their positions by event id.
async fn insert(
    session: &Session,
    appends: &[&Append],
    decided: &[Result<i64, AppendError>],
) -> Result<HashMap<String, i64>, LogError> {
    let mut columns = Columns::default();
    for (append, verdict) in appends.iter().zip(decided) {
        if let Ok(last) = verdict {
            let first = last - i64::try_from(append.events.len()).unwrap_or(0);
            for (version, event) in (first + 1..).zip(&append.events) {
                columns.push(&append.stream, version, event);
            }
        }
    }
    if columns.ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = columns.insert(session).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

#[derive(Default)]
struct Columns<'a> {
    ids: Vec<String>,
    streams: Vec<&'a str>,
    versions: Vec<i64>,
    kinds: Vec<&'a str>,
    schema_versions: Vec<i32>,
    data: Vec<String>,
    correlations: Vec<&'a str>,
    causations: Vec<Option<&'a str>>,
    traceparents: Vec<Option<&'a str>>,
    actors: Vec<&'a str>,
    recorded: Vec<String>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, stream: &'a str, version: i64, event: &'a NewEvent) {
        self.ids.push(event.id.to_string());
        self.streams.push(stream);
        self.versions.push(version);
        self.kinds.push(&event.kind);
        self.schema_versions.push(i32::try_from(event.schema_version).unwrap_or(i32::MAX));
        self.data.push(event.data.to_string());
        self.correlations.push(&event.meta.correlation_id);
        self.causations.push(event.meta.causation_id.as_deref());
        self.traceparents.push(event.meta.traceparent.as_deref());
        self.actors.push(&event.meta.actor);
        self.recorded.push(time_text(event.recorded_at));
    }

    async fn insert(&self, session: &Session) -> Result<Vec<tokio_postgres::Row>, LogError> {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 11] = [
            &self.ids,
            &self.streams,
            &self.versions,
            &self.kinds,
            &self.schema_versions,
            &self.data,
            &self.correlations,
            &self.causations,
            &self.traceparents,
            &self.actors,
            &self.recorded,
        ];
        let rows = session.client.query(session.prepared(INSERT)?, &params).await;
        rows.map_err(|error| failed(INSERT, &error))
    }
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
    let decided = decide(session, &[append]).await?;
    let version = match decided.first() {
        Some(Ok(version)) => *version,
        Some(Err(refusal)) => return Err(refusal.clone()),
        None => return Err(AppendError::Empty),
    };
    let positions = insert(session, &[append], &decided).await?;
    for statement in &append.statements {
        run_one(session, statement).await.map_err(constraint)?;
    }
    record(session, append).await?;
    let last = append.events.last().and_then(|event| positions.get(&event.id.to_string()));
    let appended = Appended { last_position: last.copied().unwrap_or(0), last_version: version };
    Ok((appended, count(append)))
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
