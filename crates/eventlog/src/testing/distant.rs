//! A database as one process of a simulation reaches it: every word takes its time, may be lost, and waits while the
//! process is paused.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use super::Dice;
use crate::{
    Append, AppendError, Appended, EventLog, Log, LogError, LogStats, Params, Row, Statement, StoredEvent,
};

/// What goes in and out of one process.
#[derive(Debug)]
pub struct Gate {
    dice: Mutex<Dice>,
    paused_until: Mutex<Instant>,
    lost: AtomicU32,
}

impl Gate {
    /// The gate of a process that is not paused; `lost` of a hundred words to the database come to nothing.
    #[must_use]
    pub fn new(dice: Dice, lost: u32) -> Arc<Self> {
        let (dice, paused_until) = (Mutex::new(dice), Mutex::new(Instant::now()));
        Arc::new(Self { dice, paused_until, lost: AtomicU32::new(lost) })
    }

    /// Nothing goes in or out for that time, as of a process that is stopped by a signal.
    pub fn pause(&self, time: Duration) {
        *self.paused_until.lock() = Instant::now() + time;
    }

    /// So many of a hundred words to the database are lost from now on.
    pub fn lose(&self, lost: u32) {
        self.lost.store(lost, Ordering::Relaxed);
    }

    /// No word is lost from now on.
    pub fn heal(&self) {
        self.lose(0);
    }

    /// Takes a while, and as long as the process is paused.
    pub async fn pass(&self) {
        let late = {
            let mut dice = self.dice.lock();
            match dice.below(100) {
                0..3 => Some(dice.millis(50, 300)),
                3..40 => Some(dice.millis(1, 6)),
                _ => None,
            }
        };
        if let Some(late) = late {
            tokio::time::sleep(late).await;
        }
        loop {
            let until = *self.paused_until.lock();
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }

    fn loses(&self) -> Result<(), LogError> {
        if self.dice.lock().chance(self.lost.load(Ordering::Relaxed)) {
            return Err(LogError::database("simulating", "the connection broke"));
        }
        Ok(())
    }
}

/// The log behind a gate. A write reaches it even when nobody waits for the answer any more.
#[derive(Debug)]
pub struct DistantLog {
    log: Log,
    gate: Arc<Gate>,
    /// Of this process alone.
    appended: watch::Sender<i64>,
}

impl DistantLog {
    /// `log` as the process behind `gate` reaches it.
    #[must_use]
    pub fn new(log: Log, gate: Arc<Gate>) -> Self {
        Self { log, gate, appended: watch::Sender::new(0) }
    }

    async fn write<T, E>(&self, work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LogError> + Send + 'static,
    {
        let gate = self.gate.clone();
        let sent = tokio::spawn(async move {
            gate.pass().await;
            gate.loses()?;
            work.await
        });
        let done = sent.await.map_err(|error| LogError::database("simulating", error))?;
        self.gate.pass().await;
        self.gate.loses()?;
        done
    }

    async fn read<T>(&self, work: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
        self.gate.pass().await;
        self.gate.loses()?;
        work.await
    }
}

#[async_trait]
impl EventLog for DistantLog {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let log = self.log.clone();
        let done = self.write(async move { log.append(append).await }).await?;
        self.appended.send_replace(done.last_position);
        Ok(done)
    }

    async fn load(&self, stream: &str, after_version: i64) -> Result<Vec<StoredEvent>, LogError> {
        self.read(self.log.load(stream, after_version)).await
    }

    async fn read_all(&self, after_position: i64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        self.read(self.log.read_all(after_position, limit)).await
    }

    async fn head(&self) -> Result<i64, LogError> {
        self.read(self.log.head()).await
    }

    fn appended(&self) -> watch::Receiver<i64> {
        self.appended.subscribe()
    }

    async fn query(&self, sql: &str, params: Params) -> Result<Vec<Row>, LogError> {
        self.read(self.log.query(sql, params)).await
    }

    async fn execute(&self, statements: Vec<Statement>) -> Result<Vec<u64>, LogError> {
        let log = self.log.clone();
        self.write(async move { log.execute(statements).await }).await
    }

    async fn execute_returning(&self, statement: Statement) -> Result<Vec<Row>, LogError> {
        let log = self.log.clone();
        self.write(async move { log.execute_returning(statement).await }).await
    }

    fn clock_sql(&self) -> &'static str {
        self.log.clock_sql()
    }

    fn stats(&self) -> LogStats {
        self.log.stats()
    }
}
