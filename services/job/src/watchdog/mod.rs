//! Watches over all jobs: none stands still unnoticed.
//!
//! Every unfinished job has somebody who has to move it next, and a deadline (`job_domain::watch`). One whose deadline has
//! passed is asked about once more: the workers what became of their requests, under the same keys, and the job what
//! follows. That is a question and buys nothing, and its answer may be all that was missing. A job that stands
//! still all the same is told to be stalled, with a cause; it is told again ever more seldom, and goes on as ever.
//!
//! One process watches, under a lease; the others look every second whether they have to.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `mod` | who watches, and how often |
//! | `look` | one look at one job |
//! | `tell` | the numbers about all of them |

mod look;
mod tell;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use eventlog::{Lease, lease};
use futures::{FutureExt as _, StreamExt as _, stream};
use kit::Clock;
use tokio_util::sync::CancellationToken;

use crate::{app::App, settings::Settings, store, workers::Workers};

pub use tell::{ended, tell};

/// Pause of one that does not watch before it looks whether it has to, and of one whose database failed.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest time between two looks; a shorter patience is looked after more often.
const LONGEST: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_millis(100);
/// Jobs that one look is about at most; more are left for the next.
const PAGE: u32 = 200;
/// Jobs that are asked about at one time.
const AT_ONCE: usize = 8;

/// The watch of one process.
#[derive(Debug)]
pub struct Watchdog {
    app: Arc<App>,
    workers: Workers,
    settings: Settings,
    cancel: CancellationToken,
}

impl Watchdog {
    /// A watch over the jobs of `app`, until `cancel`.
    #[must_use]
    pub fn new(app: Arc<App>, workers: Workers, settings: Settings, cancel: CancellationToken) -> Self {
        Self { app, workers, settings, cancel }
    }

    /// Watches whenever no other process does, until the service stops.
    ///
    /// # Errors
    /// Never; failures are waited out.
    pub async fn run(self) -> anyhow::Result<()> {
        while !self.cancel.is_cancelled() {
            // A panic is a fault in one look; jobs are run and asked for without the watch.
            let turn = AssertUnwindSafe(self.turn()).catch_unwind().await;
            if let Err(error) = turn.unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked"))) {
                tracing::warn!("the watch over jobs was broken off, trying again: {error:#}");
            }
            tokio::select! {
                () = self.cancel.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        Ok(())
    }

    /// Watches, if it is to be had, until the lease is lost or the service stops.
    async fn turn(&self) -> anyhow::Result<()> {
        let (log, settings) = (self.app.log(), &self.settings);
        if store::is_watched_elsewhere(log, &settings.instance).await? {
            return Ok(());
        }
        let claimed = lease::claim(log, store::WATCHDOG, &settings.instance, settings.lease).await?;
        let Some(lease) = claimed else { return Ok(()) };
        let ended = tokio::select! {
            () = self.cancel.cancelled() => Ok(()),
            ended = self.keep(&lease) => ended,
            ended = self.watch(&lease) => ended,
        };
        lease::release(log, &lease).await?;
        ended
    }

    /// Renews the lease until it is lost.
    async fn keep(&self, lease: &Lease) -> anyhow::Result<()> {
        let every = (self.settings.lease / 3).max(Duration::from_millis(50));
        loop {
            tokio::time::sleep(every).await;
            if !lease::renew(self.app.log(), lease, self.settings.lease).await? {
                tracing::info!("another process watches over the jobs");
                return Ok(());
            }
        }
    }

    async fn watch(&self, lease: &Lease) -> anyhow::Result<()> {
        store::respread(self.app.log(), &self.app.patience()).await?;
        let every = (self.app.patience().shortest() / 4).clamp(SHORTEST, LONGEST);
        loop {
            self.once(lease).await?;
            self.clock().sleep(every).await;
        }
    }

    /// Looks at every job whose deadline has passed by now.
    ///
    /// # Errors
    /// The database failed. What goes wrong with one job is logged, and tried again at the next look.
    pub async fn once(&self, lease: &Lease) -> anyhow::Result<()> {
        let due = store::overdue(self.app.log(), self.clock().now(), PAGE).await?;
        let looks = stream::iter(due).for_each_concurrent(AT_ONCE, |job| async move {
            if let Err(error) = self.look(job, lease).await {
                tracing::warn!(job, "an overdue job cannot be looked after, trying again: {error:#}");
            }
        });
        looks.await;
        Ok(())
    }

    fn clock(&self) -> &Clock {
        self.app.clock()
    }
}
