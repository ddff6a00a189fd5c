//! One fetch: checked, redirected, limited, streamed into the store.

use std::io;
use std::sync::Arc;

use backon::{ExponentialBuilder, Retryable as _};
use blobs::{BlobError, Blobs};
use futures::TryStreamExt as _;
use http::{StatusCode, header};
use protos::common::v1::BlobRef;
use reqwest::{Client, Response, redirect};
use url::Url;

use super::error::FetchError;
use super::guard::{Checked, Guard, Lookup, System};
use crate::ImportSettings;

/// Until the bytes were looked at.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// An HTTP client that goes where the guard lets it.
#[derive(Debug)]
pub(super) struct Fetch {
    client: Client,
    guard: Guard,
    settings: ImportSettings,
    blobs: Blobs,
}

impl Fetch {
    pub(super) fn new(settings: ImportSettings, blobs: Blobs) -> reqwest::Result<Self> {
        Self::with(settings, blobs, System)
    }

    fn with(settings: ImportSettings, blobs: Blobs, lookup: impl Lookup) -> reqwest::Result<Self> {
        let guard = Guard { allow_loopback: settings.allow_loopback };
        let client = Client::builder()
            .user_agent("filmstrip")
            .dns_resolver(Arc::new(Checked { guard, lookup: Arc::new(lookup) }))
            // A proxy would look names up itself, and redirects are checked before they are followed.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(settings.patience)
            .read_timeout(settings.patience)
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self { client, guard, settings, blobs })
    }

    /// Fetches the URL, again if the other side is away or busy.
    pub(super) async fn persistently(&self, url: &str) -> Result<BlobRef, FetchError> {
        let url = Url::parse(url).map_err(|_| FetchError::BadUrl("is no URL"))?;
        let delays = ExponentialBuilder::default()
            .with_min_delay(self.settings.retry_delay)
            .with_factor(2.0)
            .with_max_times(self.settings.retries);
        let once = || self.once(url.clone());
        once.retry(delays).when(FetchError::may_pass).await
    }

    async fn once(&self, url: Url) -> Result<BlobRef, FetchError> {
        let response = self.follow(url).await?;
        let limit = self.settings.max_bytes;
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(FetchError::TooLarge(limit));
        }
        let announced = response.content_length().unwrap_or(0);
        let room = self.blobs.budget().try_reserve(announced);
        let room = room.map_err(|full| FetchError::Store(full.into()))?;
        let bytes = response.bytes_stream().map_err(|error| io::Error::other(FetchError::of_client(error)));
        let stored = self.blobs.put_stream_within(room, bytes, UNKNOWN_TYPE, Some(limit)).await;
        stored.map_err(|error| match error {
            BlobError::TooLarge { limit } => FetchError::TooLarge(limit),
            BlobError::Source(error) => FetchError::Transport(error.to_string()),
            error => FetchError::Store(error),
        })
    }

    /// The first answer that is no redirect, if it is a 200.
    async fn follow(&self, mut url: Url) -> Result<Response, FetchError> {
        self.guard.check(&url)?;
        for _ in 0..=self.settings.max_redirects {
            let request = self.client.get(url.clone()).header(header::ACCEPT_ENCODING, "identity");
            let response = request.send().await.map_err(FetchError::of_client)?;
            match response.status() {
                StatusCode::OK => return Ok(response),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = self.target(&url, &response)?,
                status => return Err(FetchError::Status(status.as_u16())),
            }
        }
        Err(FetchError::TooManyRedirects(self.settings.max_redirects))
    }

    fn target(&self, from: &Url, response: &Response) -> Result<Url, FetchError> {
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let target =
            from.join(location.ok_or(FetchError::BadRedirect)?).map_err(|_| FetchError::BadRedirect)?;
        match self.guard.check(&target) {
            // Not the caller's text, so not the caller's field.
            Err(FetchError::BadUrl(_)) => Err(FetchError::BadRedirect),
            checked => checked.map(|()| target),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// A name server that answers each time with the next of its answers; the last one stays.
    struct Stub {
        answers: Vec<Vec<SocketAddr>>,
        asked: Arc<AtomicUsize>,
    }

    impl Lookup for Stub {
        async fn addresses(&self, _: String) -> io::Result<Vec<SocketAddr>> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            Ok(self.answers[asked.min(self.answers.len() - 1)].clone())
        }
    }

    /// Fetches from a name with these answers; what became of it, and how often the name was looked up.
    async fn fetched(answers: Vec<Vec<SocketAddr>>, port: u16) -> (FetchError, usize) {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::local(directory.path()).unwrap();
        let patience = Duration::from_millis(200);
        let settings = ImportSettings { patience, retries: 0, ..ImportSettings::default() };
        let asked = Arc::new(AtomicUsize::new(0));
        let stub = Stub { answers, asked: asked.clone() };
        let fetch = Fetch::with(settings, blobs, stub).unwrap();
        let refused = fetch.persistently(&format!("http://img.example:{port}/a.jpg")).await.unwrap_err();
        (refused, asked.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_name_that_stands_for_another_address_later_is_not_looked_up_again() {
        let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        canary.set_nonblocking(true).unwrap();
        let here = canary.local_addr().unwrap();
        // Public by every rule, and where nobody answers.
        let public = SocketAddr::from(([1, 2, 3, 4], here.port()));
        for (answers, lookups, not_public) in [
            (vec![vec![public], vec![here]], 1, false),
            (vec![vec![here]], 1, true),
            (vec![vec![public, here]], 1, true),
            (vec![vec![here, public]], 1, true),
        ] {
            let (refused, asked) = fetched(answers, here.port()).await;
            assert_eq!(
                (asked, matches!(refused, FetchError::NotPublic(_))),
                (lookups, not_public),
                "{refused}"
            );
            assert_eq!(canary.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody called");
        }
    }
}
