//! The service on whose behalf orders are placed.

use std::path::Path;

use async_trait::async_trait;
use blobs::{BlobError, Blobs};
use eventlog::{NewEvent, Statement};
use protos::common::v1::BlobRef;
use serde_json::Value;

use crate::{
    fact::Fact,
    order::{MediaInput, Order},
    state::OrderState,
};

/// What the service stores together with a fact, in the same write.
#[derive(Clone, Debug, Default)]
pub struct Also {
    /// The service's own events, for publication; appended to the order's stream after the fact.
    pub events: Vec<NewEvent>,
    /// The service's own read tables.
    pub statements: Vec<Statement>,
}

/// An output that is what was ordered.
#[derive(Clone, Debug, PartialEq)]
pub struct Usable {
    /// Media type read from the bytes.
    pub content_type: String,
    /// What the check found out, kept in the outcome (`{"duration_ms": 6000}`).
    pub found: Value,
}

/// A file that cannot be used, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(pub String);

/// A service as its engine sees it.
#[async_trait]
pub trait Buyer: Send + Sync + 'static {
    /// Actor in the stored events' metadata, such as `render`.
    fn name(&self) -> &'static str;

    /// The stream of an order's events; by default `order-<key>`.
    fn stream(&self, key: &str) -> String {
        format!("order-{key}")
    }

    /// What traces and metrics call the model of an order: one of few names. By default the provider's, without its version.
    fn model_key(&self, order: &Order) -> String {
        order.model.split(':').next().unwrap_or_default().to_owned()
    }

    /// What the service stores with `fact`. `state` is the order after it; `at` the time of it.
    ///
    /// # Errors
    /// The order's context is not the service's own; the write does not happen.
    fn also(&self, state: &OrderState, fact: &Fact, at: jiff::Timestamp) -> anyhow::Result<Also> {
        let _ = (state, fact, at);
        Ok(Also::default())
    }

    /// The form of a blob that the provider gets: upright, of a type that it reads, not larger than useful.
    /// Called for each attempt, so what was made before should be remembered. An `Err` inside says that it cannot
    /// be used, which fails the order before anything is bought; an outer one is tried again.
    ///
    /// # Errors
    /// It could not be prepared for reasons of our own.
    async fn prepare(&self, order: &Order, media: &MediaInput) -> anyhow::Result<Result<BlobRef, Rejected>> {
        let _ = order;
        Ok(Ok(media.blob.clone()))
    }

    /// Whether a downloaded file is what was ordered. An `Err` inside says no; an outer one that the check
    /// itself could not be made, which is tried again.
    ///
    /// # Errors
    /// The check could not be made.
    async fn check(&self, order: &Order, file: &Path) -> anyhow::Result<Result<Usable, Rejected>>;

    /// Keeps an output that was found usable; the file may be gone afterwards.
    ///
    /// # Errors
    /// The object store failed; it is tried again.
    async fn keep(&self, blobs: &Blobs, file: &Path, content_type: &str) -> Result<BlobRef, BlobError> {
        blobs.put_file(file, content_type).await
    }
}
