//! Removes what the providers would not keep: outputs after an hour, uploaded files after a day.

use std::time::Duration;

use crate::stage::{Handle, Shared};

/// Stage seconds that inputs and outputs of predictions are kept.
pub(crate) const OUTPUT_SECONDS: f64 = 3600.0;
/// Stage seconds that uploaded files are kept.
pub(crate) const FILE_SECONDS: f64 = 24.0 * 3600.0;

/// Sweeps once a stage minute, at most once a second.
pub(crate) async fn run(stage: Handle) {
    loop {
        if let Err(error) = sweep(&stage).await {
            tracing::warn!(%error, "soundstage could not sweep");
        }
        tokio::time::sleep(stage.clock.real(60.0).max(Duration::from_secs(1))).await;
    }
}

async fn sweep(stage: &Shared) -> rusqlite::Result<()> {
    let now = stage.clock.now();
    // Cached media belong to no prediction: only the way to them expires.
    if !stage.media.cached() {
        for name in stage.ledger.outputs_before(now - stage.clock.micros(OUTPUT_SECONDS))? {
            let _ = tokio::fs::remove_file(stage.media.path(&name)).await;
        }
    }
    for id in stage.ledger.files_before(now - stage.clock.micros(FILE_SECONDS))? {
        let _ = tokio::fs::remove_file(stage.media.upload(&id)).await;
        stage.ledger.remove_file(&id)?;
    }
    Ok(())
}
