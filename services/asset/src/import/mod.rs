//! Fetching a URL: only from public addresses, only so much, only so long.

mod error;
mod fetch;
mod guard;

use blobs::Blobs;
use kit::ServiceError;
use protos::common::v1::BlobRef;
use tokio::sync::Semaphore;

use crate::ImportSettings;
use error::FetchError;
use fetch::Fetch;

/// Fetches URLs into the object store.
#[derive(Debug)]
pub(crate) struct Importer {
    fetch: Fetch,
    settings: ImportSettings,
    places: Semaphore,
}

impl Importer {
    pub(crate) fn new(settings: ImportSettings, blobs: Blobs) -> anyhow::Result<Self> {
        let places = Semaphore::new(settings.at_once.max(1));
        Ok(Self { fetch: Fetch::new(settings.clone(), blobs)?, settings, places })
    }

    /// Fetches what `url` leads to. Its type is not known yet: a server may say anything.
    pub(crate) async fn fetch(&self, url: &str) -> Result<BlobRef, ServiceError> {
        let deadline = self.settings.deadline;
        let fetched = tokio::time::timeout(deadline, async {
            let _place = self.places.acquire().await;
            self.fetch.persistently(url).await
        });
        fetched.await.unwrap_or(Err(FetchError::TooSlow(deadline))).map_err(ServiceError::from)
    }
}
