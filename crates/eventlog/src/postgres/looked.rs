//! A batch that looks first: one look at all streams, commands and ids that it is about, behind the lock, so it shows
//! every commit before it. Every append is decided in memory, later ones on top of earlier ones: a conflict or a
//! repetition fails only its own. `None` when a statement failed: then only the careful way can sort it out.

use std::collections::{HashMap, HashSet};

use futures::future::{join, try_join3};
use tokio_postgres::types::ToSql;

use super::{
    batch::{Failure, Outcome, count, follow, learn},
    insert::{Rows, Version},
    session::{COMMANDS, STORED, Session, VERSIONS},
    statements::failed,
    writer::Job,
};
use crate::{Append, AppendError, Appended, CommandRecord, LogError, NewEvent};

/// What it has to have prepared.
pub(super) const TEXTS: [&str; 3] = [VERSIONS, COMMANDS, STORED];

pub(super) async fn run(session: &mut Session, jobs: &[&Job]) -> Result<Option<Vec<Outcome>>, Failure> {
    session.prepare(TEXTS).await;
    let Some((outcomes, seen)) = together(session, jobs).await? else {
        session.run("ROLLBACK").await?;
        return Ok(None);
    };
    session.commit().await?;
    for (stream, version) in seen.versions {
        session.known.learn(&stream, version);
    }
    learn(session, jobs, &outcomes);
    Ok(Some(outcomes))
}

async fn together(session: &Session, jobs: &[&Job]) -> Result<Option<(Vec<Outcome>, Seen)>, LogError> {
    let appends: Vec<&Append> = jobs.iter().filter_map(|job| job.append()).collect();
    let (begun, seen) = join(session.begin(), Seen::load(session, &appends)).await;
    begun?;
    let mut seen = match seen {
        Ok(seen) => seen,
        Err(error) => return unless_closed(session, error),
    };
    let mut verdicts: Vec<_> = appends.iter().map(|append| seen.take(append)).collect();
    let mut rows = Rows::default();
    for (append, verdict) in appends.iter().zip(&verdicts) {
        if let Ok(last) = verdict {
            push(&mut rows, append, *last);
        }
    }
    let mut accepted = verdicts.iter().map(Result::is_ok);
    let judged: Vec<(&Job, bool)> =
        jobs.iter().map(|job| (*job, job.append().is_some() && accepted.next().unwrap_or(false))).collect();
    let (places, followed) = join(rows.insert(session), follow(session, &judged)).await;
    let places = match places {
        Ok(places) => places,
        Err(error) => return unless_closed(session, failed("storing events", &error)),
    };
    let Some(followed) = followed else { return unless_closed(session, LogError::Closed) };
    let (mut places, mut verdicts) = (places.into_iter(), verdicts.drain(..));
    let outcomes = jobs.iter().zip(followed).map(|(job, outcome)| {
        outcome.or_else(|| {
            let append = job.append()?;
            Some(Outcome::Append(verdicts.next()?.map(|last_version| {
                let last_position =
                    places.nth(append.events.len().saturating_sub(1)).map_or(0, |(position, _)| position);
                (Appended { last_position, last_version }, count(append))
            })))
        })
    });
    let outcomes: Option<Vec<Outcome>> = outcomes.collect();
    Ok(outcomes.map(|outcomes| (outcomes, seen)))
}

fn unless_closed<T>(session: &Session, error: LogError) -> Result<Option<T>, LogError> {
    if session.is_closed() { Err(error) } else { Ok(None) }
}

/// The last version that an append on its own would have, or why it is refused.
pub(super) async fn decide_one(session: &Session, append: &Append) -> Result<i64, AppendError> {
    Seen::load(session, &[append]).await?.take(append)
}

/// The rows of an append that ends at `last`; the versions before it are known to be stored.
pub(super) fn push<'a>(rows: &mut Rows<'a>, append: &'a Append, last: i64) {
    let first = last - i64::try_from(append.events.len()).unwrap_or(0);
    for (version, event) in (first + 1..).zip(&append.events) {
        rows.push(&append.stream, Version::Certain(version), event);
    }
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
        let versions: [&(dyn ToSql + Sync); 1] = [&streams];
        let wanted: [&(dyn ToSql + Sync); 1] = [&commands];
        let stored: [&(dyn ToSql + Sync); 1] = [&ids];
        let (versions, commands, ids) = try_join3(
            client.query(session.prepared(VERSIONS)?, &versions),
            client.query(session.prepared(COMMANDS)?, &wanted),
            client.query(session.prepared(STORED)?, &stored),
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

    /// What an append may do: its last version, or why it is refused. Later appends see the earlier ones.
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
