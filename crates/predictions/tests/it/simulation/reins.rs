//! The law of the runner's lease, watched where it can be broken: what only the runner writes is written under the
//! latest claim alone, and an attempt is begun only under a lease that outlasts its call.
//!
//! Neither shows in what is bought: a write of an old runner is also kept out by the order's version, and a call that
//! outlived its lease is found by the search. So the database is asked, at the moment itself.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use eventlog::{
    Append, AppendError, Appended, Log, LogError, Row, Statement,
    testing::{Around, DistantLog, Gate, Wrapped},
};

use super::{provider::Account, world::POST_TIMEOUT};

/// What nobody but the runner writes.
const RUNNERS: [&str; 5] =
    ["AttemptIntended", "AttemptAccepted", "AttemptLost", "AttemptEnded", "CancelSent"];

/// What the database says of the lease of one life of a process.
struct Reins {
    database: Log,
    account: Arc<Account>,
    name: String,
    /// The number of its latest claim; 0 before the first.
    fence: AtomicI64,
}

impl std::fmt::Debug for Reins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reins").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Reins {
    /// For how many milliseconds the lease is this one's; none when it is another's or was given back. It may be over
    /// and not taken.
    async fn left(&self) -> Option<i64> {
        let sql = format!(
            "SELECT fence, expires_at, expires_at - {} AS millis FROM lease WHERE name = 'prediction-runner'",
            self.database.clock_sql()
        );
        let rows = self.database.query(&sql, eventlog::params![]).await.unwrap();
        let get = |column| rows.first().map(|row| row.get::<i64>(column).unwrap());
        let ours = get("fence") == Some(self.fence.load(Ordering::Relaxed)) && get("expires_at") > Some(0);
        get("millis").filter(|_| ours)
    }

    fn broken(&self, how: &str) {
        self.account.books.lock().violations.push(format!("{} {how}", self.name));
    }
}

/// Where the words arrive.
#[derive(Debug)]
struct Arriving(Arc<Reins>);

#[async_trait]
impl Around for Arriving {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        let runners = append.events.iter().find(|event| RUNNERS.contains(&event.kind.as_str()));
        let Some(kind) = runners.map(|event| event.kind.clone()) else { return log.append(append).await };
        let left = self.0.left().await;
        let done = log.append(append).await;
        if done.is_ok() && left.is_none() {
            self.0.broken(&format!("writes {kind} without the lease"));
        }
        done
    }

    async fn execute_returning(&self, log: &Log, statement: Statement) -> Result<Vec<Row>, LogError> {
        let claims = statement.sql.starts_with("INSERT INTO lease");
        let rows = log.execute_returning(statement).await?;
        if let (true, Some(row)) = (claims, rows.first()) {
            self.0.fence.store(row.get("fence")?, Ordering::Relaxed);
        }
        Ok(rows)
    }
}

/// Where they leave.
#[derive(Debug)]
struct Leaving(Arc<Reins>);

#[async_trait]
impl Around for Leaving {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        if append.events.iter().all(|event| event.kind != "AttemptIntended") {
            return log.append(append).await;
        }
        let left = self.0.left().await;
        let done = log.append(append).await;
        let call = i64::try_from(POST_TIMEOUT.as_millis()).unwrap();
        if done.is_ok() && left.is_none_or(|left| left < call) {
            self.0.broken(&format!("begins an attempt with {left:?} ms of its lease left"));
        }
        done
    }
}

/// The database as one life of the process `name` reaches it through `gate`, watched.
pub(super) fn watched(database: &Log, gate: &Arc<Gate>, account: &Arc<Account>, name: &str) -> Log {
    let (database, account, name) = (database.clone(), account.clone(), name.to_owned());
    let reins = Arc::new(Reins { database: database.clone(), account, name, fence: AtomicI64::new(0) });
    let arriving = Wrapped::new(database, Arriving(reins.clone()));
    let distant = DistantLog::new(arriving, gate.clone());
    Wrapped::new(Arc::new(distant), Leaving(reins))
}
