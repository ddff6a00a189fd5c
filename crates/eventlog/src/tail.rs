//! Following a log: woken by its appends, correct by reading.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Log, LogError, StoredEvent};

/// How long a tail waits without being woken before it looks again: other processes do not wake it.
const POLL: Duration = Duration::from_secs(1);

/// Events per batch.
const BATCH: usize = 256;

/// A reader that goes through the whole log in order and then waits for more.
#[derive(Debug)]
pub struct Tail {
    log: Log,
    position: i64,
    appended: watch::Receiver<i64>,
    batch: usize,
}

impl Tail {
    /// A tail whose first event is the one after position `after` (0: from the beginning).
    #[must_use]
    pub fn new(log: Log, after: i64) -> Self {
        let appended = log.appended();
        Self { log, position: after, appended, batch: BATCH }
    }

    /// Sets the largest number of events in a batch.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch.max(1);
        self
    }

    /// Position of the last event handed out.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Goes on after `position`, backwards or forwards.
    pub fn seek(&mut self, position: i64) {
        self.position = position;
    }

    /// The next events, at least one; waits for them. `None` once `cancel` is triggered. Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    /// When the database fails; the next call tries again from the same place.
    pub async fn next_batch(
        &mut self,
        cancel: &CancellationToken,
    ) -> Result<Option<Vec<StoredEvent>>, LogError> {
        loop {
            if cancel.is_cancelled() {
                return Ok(None);
            }
            // Seen before reading: an append after the read then wakes the wait below.
            self.appended.borrow_and_update();
            let events = self.log.read_all(self.position, self.batch).await?;
            if let Some(last) = events.last() {
                self.position = last.position;
                return Ok(Some(events));
            }
            self.wait(cancel).await;
        }
    }

    async fn wait(&mut self, cancel: &CancellationToken) {
        let woken = async {
            if self.appended.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
            () = woken => {}
        }
    }
}
