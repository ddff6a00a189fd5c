//! Opening what a process needs. What is not there yet is waited for, with a line in the log, for a bounded time.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::Context as _;
use blobs::{BlobError, Blobs};
use bus::NatsBus;
use eventlog::{Log, LogError, Migrations};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use crate::settings::BlobSettings;

/// Pause between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries until it works, until the error is not one that passes, or until `patience` is used up.
async fn patiently<T, E, F>(
    what: &str,
    patience: Duration,
    passes: impl Fn(&E) -> bool,
    mut once: impl FnMut() -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = Result<T, E>>,
    E: Into<anyhow::Error>,
{
    let started = Instant::now();
    loop {
        // A server that swallows packets answers nothing for minutes: each try is bounded as well.
        let left = patience.saturating_sub(started.elapsed()).max(PAUSE);
        let error = match tokio::time::timeout(left, once()).await {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(error)) if !passes(&error) => return Err(error.into()),
            Ok(Err(error)) => error.into(),
            Err(_) => anyhow::anyhow!("no answer in {} s", left.as_secs()),
        };
        if started.elapsed() + PAUSE > patience {
            let waited = started.elapsed().as_secs();
            return Err(error.context(format!("{what} is still not there after {waited} s (start.patience)")));
        }
        tracing::warn!(error = format!("{error:#}"), "{what} is not there yet; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Opens the database without changing what it is made of.
pub(crate) async fn log(
    url: &SecretString,
    migrations: &Migrations,
    patience: Duration,
) -> anyhow::Result<Log> {
    let passes = |error: &LogError| matches!(error, LogError::Database { .. });
    let once = || eventlog::open_checked(url.expose_secret(), migrations);
    patiently("the database (database_url)", patience, passes, once).await
}

/// Connects to NATS.
pub(crate) async fn bus(
    url: &SecretString,
    instance: &str,
    patience: Duration,
) -> anyhow::Result<Arc<NatsBus>> {
    let bus = NatsBus::connect(url.expose_secret(), instance).await.context("nats_url (NATS_URL)")?;
    // The client goes on connecting in the background; what is waited for is that it has.
    let connected =
        || async { if bus.is_connected() { Ok(()) } else { Err(anyhow::anyhow!("not connected")) } };
    let settled = tokio::time::timeout(PAUSE, async {
        while !bus.is_connected() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    if settled.await.is_err() {
        patiently("NATS (nats_url)", patience, |_: &anyhow::Error| true, connected).await?;
    }
    Ok(bus)
}

/// Opens the object store.
pub(crate) async fn blobs(settings: &BlobSettings, patience: Duration) -> anyhow::Result<Blobs> {
    let BlobSettings { address, scratch_dir } = settings;
    let blobs = Blobs::at(address, scratch_dir).with_context(|| {
        format!("opening {address} (blob_url) with {} (scratch_dir)", scratch_dir.display())
    })?;
    patiently("the object store (blob_url)", patience, |_: &BlobError| true, || blobs.check()).await?;
    Ok(blobs)
}

/// A store for a service that touches no bytes: an empty directory below the system's temporary ones.
pub(crate) fn no_blobs(name: &str) -> anyhow::Result<Blobs> {
    let dir = crate::settings::default_scratch_dir(name);
    Blobs::local(&dir).with_context(|| format!("making {}", dir.display()))
}
