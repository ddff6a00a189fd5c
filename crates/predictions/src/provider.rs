//! The provider as the engine sees it. There is one client that talks to production
//! ([`crate::replicate::Client`]); this seam exists so that tests can script what goes wrong between two calls.

use async_trait::async_trait;
use blobs::ScratchFile;
use protos::common::v1::BlobRef;
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    error::ProviderError,
    replicate::wire::{Page, Prediction},
};

/// A create call.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// `owner/name` or `owner/name:version`.
    pub model: String,
    /// The model's name among ours, such as `veo3`, for whoever looks at calls.
    pub model_key: String,
    /// The input with its mark.
    pub input: Value,
    /// Where the provider is to send its webhooks.
    pub webhook: Option<String>,
    /// The provider cancels by itself after so many seconds, should we never come back.
    pub cancel_after_seconds: u64,
}

/// What the engine asks of a provider.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Starts a prediction. Never repeated by itself: the caller knows whether that is safe.
    async fn create(&self, create: &Create) -> Result<Prediction, ProviderError>;
    /// One prediction as it is now.
    async fn get(&self, id: &str) -> Result<Prediction, ProviderError>;
    /// Asks for a prediction to be stopped.
    async fn cancel(&self, id: &str) -> Result<(), ProviderError>;
    /// A page of the account's predictions, newest first; `next` of the page before, or none for the first.
    async fn list(&self, next: Option<&str>) -> Result<Page, ProviderError>;
    /// Gives a blob to the provider under a name, and returns its URL there.
    async fn upload(&self, blob: &BlobRef, name: &str, attempt: &str) -> Result<String, ProviderError>;
    /// Streams an output into a file, once there is room in scratch for it; how many bytes it has.
    async fn download(&self, url: &str, to: &mut ScratchFile) -> Result<u64, ProviderError>;
    /// The secret that webhooks are signed with.
    async fn webhook_secret(&self) -> Result<SecretString, ProviderError>;
}
