//! A batch that goes straight to its insert: versions come from what the appends expect and what is known of their
//! streams, and the keys of the tables refuse what is wrong about that (a taken version, a stored event, a used
//! command id). Nothing is refused here: whatever speaks against one of the writes undoes all of them, and the batch
//! goes the way that looks first.

use std::collections::HashMap;

use futures::future::join3;

use super::{
    batch::{Failure, Outcome, count, follow, learn},
    insert::{Rows, Version},
    session::{Known, Session, unknown},
    statements::is_lost,
    writer::Job,
};
use crate::{Append, Appended, Expected, LogError};

/// What came of it.
pub(super) enum Straight {
    Stored(Vec<Outcome>),
    /// Nothing is stored: what the log holds may speak against one of the writes.
    Look,
    /// Nothing is stored: a statement on a read table failed, which no look explains.
    Sort,
}

pub(super) async fn run(session: &mut Session, jobs: &[&Job]) -> Result<Straight, Failure> {
    let Some(rows) = rows(&session.known, jobs) else { return Ok(Straight::Look) };
    let done = if jobs.iter().all(|job| is_bare(job)) {
        match insert(session, &rows).await? {
            Some(places) => stored(outcomes(jobs, &places, jobs.iter().map(|_| None))),
            None => Straight::Look,
        }
    } else {
        let done = with_statements(session, jobs, &rows).await?;
        match &done {
            Straight::Stored(_) => session.commit().await?,
            Straight::Look | Straight::Sort => session.run("ROLLBACK").await?,
        }
        done
    };
    if let Straight::Stored(outcomes) = &done {
        learn(session, jobs, outcomes);
    }
    Ok(done)
}

fn stored(outcomes: Option<Vec<Outcome>>) -> Straight {
    outcomes.map_or(Straight::Look, Straight::Stored)
}

/// Events and nothing else.
fn is_bare(job: &Job) -> bool {
    job.append().is_some_and(|append| append.statements.is_empty() && append.command.is_none())
}

fn is_command(job: &Job) -> bool {
    job.append().is_some_and(|append| append.command.is_some())
}

/// One statement, which is a transaction of its own. An answer of the server is certain.
async fn insert(session: &Session, rows: &Rows<'_>) -> Result<Option<Vec<(i64, i64)>>, Failure> {
    match rows.insert(session).await {
        Ok(places) => Ok(Some(places)),
        Err(error) => {
            let lost = unknown(&error);
            let open = session.is_closed() || is_lost(&lost);
            if open { Err(Failure::Unknown(lost)) } else { Ok(None) }
        }
    }
}

/// Everything but the commit, in one round trip: the statements say only afterwards how many rows they changed.
async fn with_statements(session: &Session, jobs: &[&Job], rows: &Rows<'_>) -> Result<Straight, LogError> {
    let all: Vec<(&Job, bool)> = jobs.iter().map(|job| (*job, true)).collect();
    // The first polls are in this order, and so are the statements at the server.
    let (begun, places, followed) = join3(session.begin(), rows.insert(session), follow(session, &all)).await;
    begun?;
    match (places, followed) {
        (Ok(places), Some(followed)) => Ok(stored(outcomes(jobs, &places, followed.into_iter()))),
        _ if session.is_closed() => Err(LogError::Closed),
        // A command's id is as good a reason to look as an event's version.
        (Ok(_), None) if !jobs.iter().any(|job| is_command(job)) => Ok(Straight::Sort),
        _ => Ok(Straight::Look),
    }
}

fn outcomes(
    jobs: &[&Job],
    places: &[(i64, i64)],
    followed: impl Iterator<Item = Option<Outcome>>,
) -> Option<Vec<Outcome>> {
    let mut places = places.iter();
    let outcome = |(job, outcome): (&&Job, Option<Outcome>)| {
        outcome.or_else(|| {
            let append = job.append()?;
            let (last_position, last_version) = *places.nth(append.events.len().checked_sub(1)?)?;
            Some(Outcome::Append(Ok((Appended { last_position, last_version }, count(append)))))
        })
    };
    jobs.iter().zip(followed).map(outcome).collect()
}

/// Where a stream is while a batch is put together.
#[derive(Debug, Clone, Copy)]
enum Base {
    /// Its last version is, or is taken to be, this one.
    At(i64),
    /// Unknown when the batch begins; so many events come from the batch itself.
    Unknown(i64),
}

/// All events of the batch; `None` when one of the appends is sure to be refused, or its version cannot be told.
fn rows<'a>(known: &Known, jobs: &[&'a Job]) -> Option<Rows<'a>> {
    let mut streams: HashMap<&str, Base> = HashMap::new();
    let mut rows = Rows::default();
    for append in jobs.iter().filter_map(|job| job.append()) {
        let (base, stored) = match streams.get(append.stream.as_str()) {
            None => first(known, append)?,
            Some(Base::At(last)) if append.expected.allows(*last) => (Base::At(*last), true),
            Some(Base::Unknown(nth)) if append.expected == Expected::Any => (Base::Unknown(*nth), true),
            Some(_) => return None,
        };
        let end = match base {
            Base::At(last) => {
                for (index, (version, event)) in (last + 1..).zip(&append.events).enumerate() {
                    let looked_up = index == 0 && !stored;
                    let version = if looked_up { Version::After(last) } else { Version::Certain(version) };
                    rows.push(&append.stream, version, event);
                }
                Base::At(last + length(append))
            }
            Base::Unknown(nth) => {
                for (nth, event) in (nth + 1..).zip(&append.events) {
                    rows.push(&append.stream, Version::Counted(nth), event);
                }
                Base::Unknown(nth + length(append))
            }
        };
        streams.insert(&append.stream, end);
    }
    Some(rows)
}

/// Where the stream is as the batch's first append to it has it, and whether it is known to be stored so far.
fn first(known: &Known, append: &Append) -> Option<(Base, bool)> {
    let last = known.last(&append.stream);
    match append.expected {
        Expected::Any => Some((last.map_or(Base::Unknown(0), Base::At), true)),
        Expected::NoStream if last.is_none() => Some((Base::At(0), true)),
        Expected::Version(0) if last.is_none() => Some((Base::At(0), true)),
        Expected::Version(version) if version > 0 && last.is_none_or(|last| last <= version) => {
            Some((Base::At(version), last == Some(version)))
        }
        Expected::NoStream | Expected::Version(_) => None,
    }
}

fn length(append: &Append) -> i64 {
    i64::try_from(append.events.len()).unwrap_or(0)
}
