//! Brings read tables up to date that a program wrote which did not know all of their columns: one of before, or one
//! that still runs beside this one.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{app::App, store};

/// How often rows are looked for; there are none but after and during a change of versions.
const EVERY: Duration = Duration::from_secs(60);
/// Jobs that are looked for at one time.
const PAGE: u32 = 100;

/// Looks at once, and then again and again until `cancel`.
///
/// # Errors
/// Never; failures are waited out.
pub async fn run(app: Arc<App>, cancel: CancellationToken) -> anyhow::Result<()> {
    let mut look = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            _ = look.tick() => {
                if let Err(error) = once(&app).await {
                    tracing::warn!("the read tables cannot be brought up to date, trying again: {error:#}");
                }
            }
        }
    }
}

/// Brings every row that is behind up to date; those that move meanwhile are left for the next time.
///
/// # Errors
/// The database failed, or an event cannot be read.
pub async fn once(app: &App) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let behind = store::behind(app.log(), after, PAGE).await?;
        let Some(last) = behind.last() else { return Ok(()) };
        after = *last;
        for id in behind {
            if let Some(job) = app.find(id).await? {
                let rows = store::catch_up(&job.job, job.version, &app.patience(), app.clock().now());
                app.log().execute(rows).await?;
            }
        }
    }
}
