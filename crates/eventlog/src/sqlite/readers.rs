//! A small pool of reading connections, used on the runtime's blocking threads.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::open_reader;
use crate::LogError;

/// Reads of one log that run at the same time.
const READERS: usize = 4;

/// The pool; connections are opened when they are first needed and then kept.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()), permits: Arc::new(Semaphore::new(READERS)) }
    }

    /// Runs `read` on a connection. Each read sees everything that was committed before it began.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| LogError::Closed)?;
        let pool = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || {
            // Held until the connection is back, also when nobody waits for the answer any more.
            let _permit = permit;
            let idle = pool.idle.lock().pop();
            let connection = idle.map_or_else(|| open_reader(&pool.path), Ok)?;
            let answer = read(&connection);
            pool.idle.lock().push(connection);
            answer
        });
        reading.await.map_err(|error| LogError::database("reading", error))?
    }
}
