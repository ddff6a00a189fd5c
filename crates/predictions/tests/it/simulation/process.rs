//! The provider as one process reaches it: every word takes its time, and waits while the process is paused.

use std::sync::Arc;

use async_trait::async_trait;
use blobs::ScratchFile;
use eventlog::testing::Gate;
use predictions::{
    Provider, ProviderError,
    provider::Create,
    replicate::wire::{Page, Prediction},
};
use protos::common::v1::BlobRef;
use secrecy::SecretString;

use super::provider::Account;

/// The provider as one process reaches it.
pub(super) struct ProcessProvider {
    pub(super) account: Arc<Account>,
    pub(super) gate: Arc<Gate>,
}

impl ProcessProvider {
    async fn ask<T>(
        &self,
        what: impl FnOnce(&Account) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        self.gate.pass().await;
        let answer = what(&self.account);
        self.gate.pass().await;
        answer
    }
}

#[async_trait]
impl Provider for ProcessProvider {
    async fn create(&self, create: &Create) -> Result<Prediction, ProviderError> {
        self.gate.pass().await;
        let answer = self.account.create(create).await;
        self.gate.pass().await;
        answer
    }

    async fn get(&self, id: &str) -> Result<Prediction, ProviderError> {
        self.ask(|account| account.get(id)).await
    }

    async fn cancel(&self, id: &str) -> Result<(), ProviderError> {
        self.ask(|account| account.cancel(id)).await
    }

    async fn list(&self, next: Option<&str>) -> Result<Page, ProviderError> {
        self.ask(|account| account.list(next)).await
    }

    async fn upload(&self, _blob: &BlobRef, _name: &str, _attempt: &str) -> Result<String, ProviderError> {
        unreachable!("the orders of simulations have no media")
    }

    async fn download(&self, _url: &str, _to: &mut ScratchFile) -> Result<u64, ProviderError> {
        self.ask(|_| Ok(6)).await
    }

    async fn webhook_secret(&self) -> Result<SecretString, ProviderError> {
        unreachable!("no webhooks are sent")
    }
}
