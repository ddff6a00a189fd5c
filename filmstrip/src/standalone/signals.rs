//! SIGTERM and SIGINT, listened for from before anybody can know that there is something to stop.

use anyhow::Context as _;
use tokio::signal::unix;

/// The signals that end a command in order. From [`Signals::listen`] on they no longer end it by themselves.
#[derive(Debug)]
pub struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// Signals cannot be listened for.
    pub fn listen() -> anyhow::Result<Self> {
        let listen = |kind, name| unix::signal(kind).with_context(|| format!("listening for {name}"));
        Ok(Self {
            terminate: listen(unix::SignalKind::terminate(), "SIGTERM")?,
            interrupt: listen(unix::SignalKind::interrupt(), "SIGINT")?,
        })
    }

    /// Waits for the next one.
    pub async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
