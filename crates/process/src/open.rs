//! Opening what a process needs. What is not there yet is waited for, with a line in the log, for a bounded time.

use std::{future::Future, io, sync::Arc, time::Duration};

use anyhow::Context as _;
use blobs::{BlobError, Blobs};
use bus::NatsBus;
use eventlog::{Log, LogError, Migrations};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::settings::BlobSettings;

/// Pause between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// How long something is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    time: Duration,
    /// What sets it, for the end of a sentence.
    set_by: &'static str,
}

impl Patience {
    /// As `start.patience` says.
    pub(crate) const fn configured(time: Duration) -> Self {
        Self { time, set_by: " (start.patience)" }
    }

    /// As no setting says.
    pub(crate) const fn fixed(time: Duration) -> Self {
        Self { time, set_by: "" }
    }
}

/// Tries until it works, until the error is not one that passes, or until `patience` is used up.
async fn patiently<T, E, F>(
    what: &str,
    patience: Patience,
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
        let left = patience.time.saturating_sub(started.elapsed()).max(PAUSE);
        let error = match tokio::time::timeout(left, once()).await {
            Ok(Ok(opened)) => return Ok(opened),
            Ok(Err(error)) if !passes(&error) => return Err(error.into()),
            Ok(Err(error)) => error.into(),
            Err(_) => anyhow::anyhow!("no answer in {} s", left.as_secs()),
        };
        if started.elapsed() + PAUSE > patience.time {
            let waited = started.elapsed().as_secs();
            let told = format!("{what} is still not there after {waited} s{}", patience.set_by);
            return Err(error.context(told));
        }
        tracing::warn!(error = format!("{error:#}"), "{what} is not there yet; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Opens the database without changing what it is made of.
pub(crate) async fn log(
    url: &SecretString,
    migrations: &Migrations,
    patience: Patience,
) -> anyhow::Result<Log> {
    let passes = |error: &LogError| matches!(error, LogError::Database { .. });
    let once = || eventlog::open_checked(url.expose_secret(), migrations);
    patiently("the database (database_url)", patience, passes, once).await
}

/// Connects to NATS.
pub(crate) async fn bus(
    url: &SecretString,
    instance: &str,
    patience: Patience,
) -> anyhow::Result<Arc<NatsBus>> {
    let bus = NatsBus::connect(url.expose_secret(), instance).await.context("nats_url (NATS_URL)")?;
    // The client goes on connecting in the background; what is waited for is that it has.
    let connected = || async { if bus.is_connected() { Ok(()) } else { Err(unconnected(&bus)) } };
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

/// Why there is no connection, as far as the client says.
fn unconnected(bus: &NatsBus) -> anyhow::Error {
    match bus.last_error() {
        Some(reason) => anyhow::anyhow!("not connected: {reason}"),
        None => anyhow::anyhow!("not connected"),
    }
}

/// Opens the object store. A store that answers and refuses is not waited for.
pub(crate) async fn blobs(settings: &BlobSettings, patience: Patience) -> anyhow::Result<Blobs> {
    let BlobSettings { address, scratch_dir, scratch } = settings;
    let blobs = Blobs::at(address, scratch_dir).with_context(|| {
        format!("opening {address} (blob_url) with {} (scratch_dir)", scratch_dir.display())
    })?;
    let blobs = blobs.with_budget(scratch.clone());
    patiently("the object store (blob_url)", patience, store_passes, || blobs.check()).await?;
    Ok(blobs)
}

/// Whether the store may answer the next time: wrong keys, a wrong region or a bucket that does not exist stay wrong.
fn store_passes(error: &BlobError) -> bool {
    matches!(error, BlobError::Store(error) if error.kind() == io::ErrorKind::ConnectionAborted)
}

/// A store for a service that touches no bytes: an empty directory of its own below the system's temporary
/// ones, which is removed when the second value is dropped.
pub(crate) fn no_blobs(name: &str) -> anyhow::Result<(Blobs, TempDir)> {
    let made = tempfile::Builder::new().prefix(&format!("filmstrip-{name}-")).tempdir();
    let dir =
        made.with_context(|| format!("making a directory in {} (TMPDIR)", std::env::temp_dir().display()))?;
    let blobs = Blobs::local(dir.path()).with_context(|| format!("making {}", dir.path().display()))?;
    Ok((blobs, dir))
}

#[cfg(test)]
mod tests {
    use blobs::{BlobAddress, Budget, S3Options};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    const LONG: Patience = Patience::configured(Duration::from_secs(60));

    #[test]
    fn a_service_without_bytes_has_a_directory_of_its_own_that_goes_away() {
        let ((one, first), (other, second)) = (no_blobs("job").unwrap(), no_blobs("job").unwrap());
        assert_ne!(first.path(), second.path());
        assert!(
            one.scratch_dir().starts_with(first.path()) && other.scratch_dir().starts_with(second.path())
        );
        let path = first.path().to_owned();
        drop((one, first));
        assert!(!path.exists() && second.path().exists());
    }

    /// A store that gives one answer to whatever it is asked.
    async fn answering(answer: &'static str) -> (BlobSettings, TempDir) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let read = stream.read(&mut [0; 4096]).await.unwrap();
                assert!(read > 0);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let key = S3Options {
            endpoint,
            access_key_id: "id".into(),
            secret_access_key: "hunter2".into(),
            ..S3Options::default()
        };
        let scratch = tempfile::tempdir().unwrap();
        let address = BlobAddress::parse("s3://films", key).unwrap();
        let scratch_dir = scratch.path().to_owned();
        (BlobSettings { address, scratch_dir, scratch: Budget::unlimited() }, scratch)
    }

    #[tokio::test]
    async fn a_store_that_refuses_is_not_waited_for() {
        let denied = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 65\r\n\r\n\
                      <Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>";
        let missing = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 56\r\n\r\n\
                       <Error><Code>NoSuchBucket</Code><Message>m</Message></Error>";
        let region = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 72\r\n\r\n\
                      <Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message></Error>";
        for (answer, told) in
            [(denied, "s3.secret_access_key"), (missing, "no bucket"), (region, "s3.region")]
        {
            let (settings, _scratch) = answering(answer).await;
            let error = format!("{:#}", blobs(&settings, LONG).await.unwrap_err());
            assert!(error.contains(told) && !error.contains("still not there"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_store_that_is_away_is_waited_for() {
        let failed = |kind: io::ErrorKind| BlobError::Store(kind.into());
        assert!(store_passes(&failed(io::ErrorKind::ConnectionAborted)));
        assert!(!store_passes(&failed(io::ErrorKind::PermissionDenied)));
        assert!(!store_passes(&failed(io::ErrorKind::Other)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_still_away_is_told_with_the_setting_that_would_wait_longer() {
        let told = async |patience| {
            let away = || async { Err::<(), _>(anyhow::anyhow!("away")) };
            let waited = patiently("it", patience, |_: &anyhow::Error| true, away).await;
            format!("{:#}", waited.unwrap_err())
        };
        assert_eq!(told(LONG).await, "it is still not there after 60 s (start.patience): away");
        let fixed = Patience::fixed(Duration::from_secs(5));
        assert_eq!(told(fixed).await, "it is still not there after 5 s: away");
    }
}
