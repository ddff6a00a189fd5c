//! A log whose appends can be held up.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use eventlog::{
    Append, AppendError, Appended, Log, LogError,
    testing::{Around, Wrapped},
};
use tokio::sync::watch;

/// Appends wait while it is closed.
#[derive(Debug)]
pub(crate) struct Gate {
    closed: watch::Sender<bool>,
    appends: AtomicUsize,
}

impl Gate {
    /// `log` behind an open gate.
    pub(crate) fn before(log: Log) -> Arc<Wrapped<Self>> {
        Wrapped::new(log, Self { closed: watch::Sender::new(false), appends: AtomicUsize::new(0) })
    }

    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn open(&self) {
        self.closed.send_replace(false);
    }

    /// How many appends went through.
    pub(crate) fn appends(&self) -> usize {
        self.appends.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Around for Gate {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        let opened = self.closed.subscribe().wait_for(|closed| !closed).await.map(drop);
        opened.map_err(|_| AppendError::Log(LogError::Closed))?;
        self.appends.fetch_add(1, Ordering::SeqCst);
        log.append(append).await
    }
}
