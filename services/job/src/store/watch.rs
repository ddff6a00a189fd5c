//! Who has to move each unfinished job next, and until when.

use std::time::Duration;

use eventlog::{Log, LogError, Params, Statement, params};
use jiff::{SignedDuration, Timestamp};
use job_domain::{
    Job, JobId,
    watch::{Owner, Patience, watch},
};

/// What the row of a job says of the watch over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Watched {
    owner: Option<Owner>,
    unfinished_since: Option<Timestamp>,
    owed_since: Option<Timestamp>,
    deadline: Option<Timestamp>,
    stalled_since: Option<Timestamp>,
}

impl Watched {
    /// The columns that [`Watched::params`] are for, in their order.
    pub(super) const COLUMNS: [&'static str; 5] =
        ["owner", "unfinished_since", "owed_since", "deadline", "stalled_since"];

    pub(super) fn of(job: &Job, patience: &Patience) -> Self {
        let Some(watch) = watch(job, patience) else { return Self::default() };
        Self {
            owner: Some(watch.owner),
            unfinished_since: Some(time(job.unfinished_since_ms.max(job.created_at_ms))),
            owed_since: Some(time(watch.since_ms)),
            deadline: Some(time(watch.deadline_ms)),
            stalled_since: job.stall.as_ref().map(|stall| time(stall.since_ms)),
        }
    }

    fn written(&self, id: JobId, version: i64) -> Statement {
        let sets: Vec<String> =
            (3..).zip(Self::COLUMNS).map(|(at, name)| format!("{name} = ${at}")).collect();
        let sets = sets.join(", ");
        let sql = format!("UPDATE job SET {sets}, watched_version = $2 WHERE id = $1 AND version = $2");
        let mut params = params![id, version];
        params.extend(self.params());
        Statement::new(sql, params)
    }

    pub(super) fn params(&self) -> Params {
        params![
            self.owner.map(Owner::as_str),
            self.unfinished_since,
            self.owed_since,
            self.deadline,
            self.stalled_since
        ]
    }
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// Writes what the watch over a job is, unless the job is no longer at that version.
#[must_use]
pub fn watched(job: &Job, version: i64, patience: &Patience) -> Statement {
    Watched::of(job, patience).written(job.id, version)
}

/// The same for a row that a program wrote which knew no watch. It is watched from now on, with all of the patience: while
/// such programs still run nothing is told that they cannot read, and what has waited for long is not told all at once.
#[must_use]
pub(super) fn first_watched(job: &Job, version: i64, patience: &Patience, now: Timestamp) -> Statement {
    let mut watched = Watched::of(job, patience);
    if let (Some(owner), None) = (watched.owner, watched.stalled_since) {
        (watched.owed_since, watched.deadline) = (Some(now), Some(later(now, patience.with(owner))));
    }
    watched.written(job.id, version)
}

/// Jobs whose deadline has passed, the one that is overdue for longest first.
///
/// # Errors
/// When the database fails.
pub async fn overdue(log: &Log, now: Timestamp, limit: u32) -> Result<Vec<JobId>, LogError> {
    let sql = "SELECT id FROM job WHERE owner IS NOT NULL AND deadline <= $1 ORDER BY deadline LIMIT $2";
    let rows = log.query(sql, params![now, limit]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Gives every job that is not stalled the deadline that today's patience leads to; that of a stalled one follows when it
/// is told again.
///
/// # Errors
/// When the database fails.
pub async fn respread(log: &Log, patience: &Patience) -> Result<(), LogError> {
    let sql =
        "SELECT id, owner, owed_since, deadline FROM job WHERE owner IS NOT NULL AND stalled_since IS NULL";
    let mut statements = Vec::new();
    for row in &log.query(sql, params![]).await? {
        let (id, word) = (row.get::<JobId>("id")?, row.get::<String>("owner")?);
        let (since, deadline) = (row.get::<Timestamp>("owed_since")?, row.get::<Timestamp>("deadline")?);
        let Some(owner) = Owner::from_word(&word) else { continue };
        let wanted = later(since, patience.with(owner));
        if wanted != deadline {
            // One that moves meanwhile has its new deadline from that.
            let sql = "UPDATE job SET deadline = $4 \
                       WHERE id = $1 AND owner = $2 AND owed_since = $3 AND stalled_since IS NULL";
            statements.push(Statement::new(sql, params![id, word, since, wanted]));
        }
    }
    if !statements.is_empty() {
        log.execute(statements).await?;
    }
    Ok(())
}

fn later(since: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| since.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// The unfinished jobs that wait for one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who has to move them next.
    pub owner: Owner,
    /// How many they are.
    pub unfinished: u64,
    /// How many of them are stalled.
    pub stalled: u64,
    /// Since when the oldest of them is unfinished; none when there are none.
    pub oldest: Option<Timestamp>,
}

impl Waiting {
    /// How long the oldest is unfinished by then; nothing when there is none.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Duration {
        let age = self.oldest.map(|oldest| Duration::try_from(now.duration_since(oldest)));
        age.and_then(Result::ok).unwrap_or_default()
    }
}

/// The unfinished jobs by who has to move them next; every owner is there.
///
/// # Errors
/// When the database fails.
pub async fn overview(log: &Log) -> Result<[Waiting; 5], LogError> {
    let sql = "SELECT owner, count(*) AS unfinished, count(stalled_since) AS stalled, \
               min(unfinished_since) AS oldest FROM job WHERE owner IS NOT NULL GROUP BY owner";
    let mut all = Owner::ALL.map(|owner| Waiting { owner, unfinished: 0, stalled: 0, oldest: None });
    for row in &log.query(sql, params![]).await? {
        let word: String = row.get("owner")?;
        if let Some(of) = all.iter_mut().find(|of| of.owner.as_str() == word) {
            (of.unfinished, of.stalled) = (row.get("unfinished")?, row.get("stalled")?);
            of.oldest = row.get("oldest")?;
        }
    }
    Ok(all)
}

/// Name of the lease under which one process watches over all jobs.
pub const WATCHDOG: &str = "watchdog";

/// Whether another process than `instance` watches. Only reads: all but one ask this every second.
///
/// # Errors
/// When the database fails.
pub async fn is_watched_elsewhere(log: &Log, instance: &str) -> Result<bool, LogError> {
    let now = log.clock_sql();
    let sql = format!("SELECT name FROM lease WHERE name = $1 AND owner <> $2 AND expires_at > {now}");
    Ok(!log.query(&sql, params![WATCHDOG, instance]).await?.is_empty())
}
