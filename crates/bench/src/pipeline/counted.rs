//! A log that counts what is asked of it, by statement, and knows how the database answers it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use eventlog::{
    Append, AppendError, Appended, EventLog, Log, LogError, LogStats, Params, Row, Statement, StoredEvent,
};
use parking_lot::Mutex;
use tokio::sync::watch;

/// The log behind it, and what was asked of it.
#[derive(Debug)]
pub(crate) struct Counted {
    log: Log,
    asked: Mutex<BTreeMap<String, Asked>>,
}

/// How often something was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) times: u64,
    /// All together, waits for a connection or a commit included.
    pub(crate) took: Duration,
    /// Rows or events of all answers.
    pub(crate) rows: usize,
    /// Text and parameters of the last time, of what can be explained.
    last: Option<(String, Params)>,
}

impl Asked {
    /// Takes up what was asked later.
    pub(crate) fn add(&mut self, later: Self) {
        self.times += later.times;
        self.took += later.took;
        self.rows += later.rows;
        self.last = later.last.or(self.last.take());
    }
}

impl Counted {
    pub(crate) fn new(log: Log) -> Arc<Self> {
        Arc::new(Self { log, asked: Mutex::default() })
    }

    /// What was asked since the last time, by statement.
    pub(crate) fn take(&self) -> BTreeMap<String, Asked> {
        std::mem::take(&mut self.asked.lock())
    }

    fn note(&self, what: &str, started: Instant, rows: usize, last: Option<(String, Params)>) {
        let mut asked = self.asked.lock();
        let asked = asked.entry(shortened(what)).or_default();
        asked.times += 1;
        asked.took += started.elapsed();
        asked.rows += rows;
        asked.last = last.or(asked.last.take());
    }

    /// How the database answers, in one line; empty for what it cannot explain.
    pub(crate) async fn explain(&self, asked: &Asked) -> Result<String, LogError> {
        let Some((sql, params)) = asked.last.clone() else { return Ok(String::new()) };
        let sqlite = self.log.clock_sql().contains("unixepoch");
        let (explain, column) =
            if sqlite { ("EXPLAIN QUERY PLAN", "detail") } else { ("EXPLAIN (COSTS OFF)", "QUERY PLAN") };
        let rows = self.log.query(&format!("{explain} {sql}"), params).await?;
        let lines = rows.iter().map(|row| row.get::<String>(column)).collect::<Result<Vec<_>, _>>()?;
        Ok(lines
            .iter()
            .map(|line| line.trim().trim_start_matches("->").trim())
            .collect::<Vec<_>>()
            .join("; "))
    }
}

/// Places of a list as one, so that lists of any length are one statement.
fn shortened(sql: &str) -> String {
    let Some((before, list)) = sql.split_once(" IN ($") else { return sql.to_owned() };
    let rest = list.split_once(')').map_or("", |(_, rest)| rest);
    format!("{before} IN (…){rest}")
}

#[async_trait]
impl EventLog for Counted {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let (started, events) = (Instant::now(), append.events.len());
        let done = self.log.append(append).await;
        let what = if done.is_ok() { "append" } else { "append, refused" };
        self.note(what, started, events, None);
        done
    }

    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError> {
        let started = Instant::now();
        let loaded = self.log.load(stream, after_version).await?;
        self.note("load of a stream", started, loaded.len(), None);
        Ok(loaded)
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        let started = Instant::now();
        let read = self.log.read_all(after_position, limit).await?;
        self.note("read of the log from a position", started, read.len(), None);
        Ok(read)
    }

    async fn head(&self) -> Result<i64, LogError> {
        let started = Instant::now();
        let head = self.log.head().await?;
        self.note("head of the log", started, 1, None);
        Ok(head)
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.log.appended()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        let started = Instant::now();
        let rows = self.log.query(sql, params.clone()).await?;
        self.note(sql, started, rows.len(), Some((sql.to_owned(), params)));
        Ok(rows)
    }

    async fn execute(&self, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        let started = Instant::now();
        let names: Vec<Statement> = statements.clone();
        let changed = self.log.execute(statements).await?;
        for (statement, rows) in names.into_iter().zip(&changed) {
            let rows = usize::try_from(*rows).unwrap_or_default();
            self.note(&statement.sql, started, rows, Some((statement.sql.clone(), statement.params)));
        }
        Ok(changed)
    }

    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError> {
        let (started, asked) = (Instant::now(), statement.clone());
        let rows = self.log.execute_returning(statement).await?;
        self.note(&asked.sql, started, rows.len(), Some((asked.sql.clone(), asked.params)));
        Ok(rows)
    }

    fn clock_sql(&self) -> &'static str {
        self.log.clock_sql()
    }

    fn stats(&self) -> LogStats {
        self.log.stats()
    }
}

#[cfg(test)]
mod tests {
    use eventlog::{params, testing::NO_TABLES, testing::scratch_log};

    use super::*;

    #[tokio::test]
    async fn what_is_asked_is_counted_by_statement_and_explained() {
        let (log, _directory) = scratch_log(&NO_TABLES).await;
        let counted = Counted::new(log);
        for names in [vec!["a"], vec!["a", "b"]] {
            let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
            let sql = format!("SELECT owner FROM lease WHERE name IN ({})", places.join(", "));
            let params = names.into_iter().map(Into::into).collect();
            EventLog::query(&*counted, &sql, params).await.unwrap();
        }
        counted.load("job-1", 0).await.unwrap();
        let asked = counted.take();
        let lists = &asked["SELECT owner FROM lease WHERE name IN (…)"];
        assert_eq!((lists.times, asked["load of a stream"].times, asked.len()), (2, 1, 2));
        let plan = counted.explain(lists).await.unwrap();
        assert!(plan.contains("SEARCH lease USING INDEX"), "{plan}");
        EventLog::query(&*counted, "SELECT count(*) AS all_of_them FROM command", params![]).await.unwrap();
        assert_eq!(counted.take().len(), 1, "taken is taken");
    }
}
