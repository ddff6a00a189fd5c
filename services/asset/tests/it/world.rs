//! The service on a free port with everything it needs in scratch directories.

use std::time::Duration;

use asset::{ImportSettings, Settings, store::MIGRATIONS};
use blobs::Blobs;
use bus::{Bus, InProcessBus};
use eventlog::{Log, testing::scratch_log};
use jiff::Timestamp;
use kit::grpc::{Channel, channel};
use kit::{Clock, Code, Deps, Running, ServiceError};
use protos::asset::v1 as pb;
use protos::asset::v1::asset_service_client::AssetServiceClient;
use protos::asset::v1::legacy_service_client::LegacyServiceClient;
use protos::common::v1::BlobRef;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status};

/// 2025-03-04T05:06:07.123456Z.
pub(crate) const NOW: Timestamp = Timestamp::constant(1_741_064_767, 123_456_000);
pub(crate) const NOW_TEXT: &str = "2025-03-04T05:06:07Z";

pub(crate) struct World {
    pub(crate) client: AssetServiceClient<Channel>,
    pub(crate) legacy: LegacyServiceClient<Channel>,
    pub(crate) log: Log,
    pub(crate) blobs: Blobs,
    pub(crate) bus: Bus,
    pub(crate) clock: Clock,
    cancel: CancellationToken,
    running: Running,
    _directories: Vec<TempDir>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A world whose imports may fetch from this machine, and are changed as given.
    pub(crate) async fn with(change: impl FnOnce(&mut ImportSettings)) -> Self {
        let (log, database) = scratch_log(&MIGRATIONS).await;
        let store = tempfile::tempdir().unwrap();
        let blobs = Blobs::local(store.path()).unwrap();
        let world = Self::over(log, blobs, change).await;
        Self { _directories: vec![database, store], ..world }
    }

    /// A replica over a database and a store that others may use as well.
    pub(crate) async fn over(log: Log, blobs: Blobs, change: impl FnOnce(&mut ImportSettings)) -> Self {
        let bus: Bus = InProcessBus::new();
        let cancel = CancellationToken::new();
        let mut settings = Settings::default();
        settings.import.retry_delay = Duration::from_millis(1);
        settings.import.allow_loopback = true;
        change(&mut settings.import);
        let clock = Clock::manual(NOW);
        let deps = Deps {
            log: log.clone(),
            bus: bus.clone(),
            blobs: blobs.clone(),
            clock: clock.clone(),
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            cancel: cancel.clone(),
            readiness: kit::Readiness::new(),
        };
        let running = asset::build(settings, deps).await.unwrap();
        let channel = channel(&running.address.to_string()).unwrap();
        let (client, legacy) = (AssetServiceClient::new(channel.clone()), LegacyServiceClient::new(channel));
        Self { client, legacy, log, blobs, bus, clock, cancel, running, _directories: Vec::new() }
    }

    /// Stops the service and waits for it.
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        drop((self.client, self.legacy));
        self.running.stopped().await;
    }

    pub(crate) async fn client_named(&mut self, name: &str) -> pb::Client {
        let request = pb::CreateClientRequest { name: Some(name.into()), ..Default::default() };
        ok(self.client.create_client(request).await)
    }

    /// A campaign with a client of its own.
    pub(crate) async fn campaign(&mut self) -> pb::Campaign {
        let client = self.client_named("Northwind Stays").await;
        let request = pb::CreateCampaignRequest {
            client_id: Some(client.id),
            name: Some("Spring".into()),
            ..Default::default()
        };
        ok(self.client.create_campaign(request).await)
    }

    /// Bytes in the store, under a type that says nothing.
    pub(crate) async fn stored(&self, bytes: Vec<u8>) -> BlobRef {
        self.blobs.put_bytes(bytes, "application/octet-stream").await.unwrap()
    }

    /// An asset of the bytes in a campaign of its own.
    pub(crate) async fn asset(&mut self, bytes: Vec<u8>, file_name: &str) -> Result<pb::Asset, ServiceError> {
        let campaign = self.campaign().await;
        let request = pb::CreateAssetRequest {
            fields: Some(in_campaign(&campaign)),
            blob: Some(self.stored(bytes).await),
            file_name: file_name.into(),
            ..Default::default()
        };
        self.client.create_asset(request).await.map(Response::into_inner).map_err(ServiceError::from)
    }

    /// How many assets there are, in the table and in the log.
    pub(crate) async fn assets(&self) -> (u64, usize) {
        let request = pb::ListAssetsRequest::default();
        let listed = ok(self.client.clone().list_assets(request).await);
        let events = self.log.read_all(0, 10_000).await.unwrap();
        (listed.total, events.iter().filter(|event| event.kind == "AssetStored").count())
    }
}

pub(crate) fn in_campaign(campaign: &pb::Campaign) -> pb::AssetFields {
    pb::AssetFields { campaign_id: Some(campaign.id.clone()), ..Default::default() }
}

pub(crate) fn ok<T>(reply: Result<Response<T>, Status>) -> T {
    reply.map(Response::into_inner).map_err(ServiceError::from).unwrap()
}

pub(crate) fn refused<T: std::fmt::Debug>(reply: Result<Response<T>, Status>) -> ServiceError {
    ServiceError::from(reply.unwrap_err())
}

/// A validation refusal of exactly these fields with these texts.
#[track_caller]
pub(crate) fn assert_violations(error: &ServiceError, expected: &[(&str, &str)]) {
    assert_eq!((error.code, error.reason.as_str()), (Code::Validation, "validation_failed"), "{error}");
    let found: Vec<_> = error.violations.iter().map(|(f, m)| (f.as_str(), m.as_str())).collect();
    assert_eq!(found, expected);
}

/// A refusal of the file's bytes that says why.
#[track_caller]
pub(crate) fn assert_unusable(error: &ServiceError) -> String {
    assert_eq!(error.code, Code::Validation, "{error}");
    assert_eq!(error.violations[0], ("blob_data".to_owned(), "is invalid".to_owned()));
    assert_eq!(error.violations[1].0, "blob_data");
    error.violations[1].1.clone()
}
