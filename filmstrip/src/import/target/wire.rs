//! Services that run, over gRPC.

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use kit::{
    ServiceError,
    grpc::{BadAddress, Channel, MAX_MESSAGE},
};
use protos::{
    asset::v1::{
        self as asset, CheckBytesReply, CheckBytesRequest, FetchBytesRequest, ImportRequest, LegacyThing,
        ListImportedReply, ListImportedRequest, Piece,
    },
    common::v1::{BlobRef, ImportResult},
    job::v1::{
        self as job, ImportJobReply, ImportJobRequest, LegacyJob, ListImportedJobsReply,
        ListImportedJobsRequest,
    },
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{IntoRequest, Request};

use super::{Service, Target};

type Assets = asset::legacy_service_client::LegacyServiceClient<Channel>;
type Jobs = job::legacy_service_client::LegacyServiceClient<Channel>;

/// How long the bytes of a batch may take; a single video may be most of a gigabyte.
const STORING: Duration = Duration::from_secs(60 * 60);
/// How long a URL may take, which is tried several times.
const FETCHING: Duration = Duration::from_secs(180);
/// How long reading one blob at the other side may take.
const CHECKING: Duration = Duration::from_secs(10 * 60);
/// How long everything else may take.
const CALLING: Duration = Duration::from_secs(120);

/// Where the services are that keep what is brought over: `asset=HOST:PORT,job=HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::import) struct Addresses {
    asset: String,
    job: String,
}

/// The text does not say where both services are.
#[derive(Debug, thiserror::Error)]
#[error("{0}; give both, such as asset=127.0.0.1:5001,job=127.0.0.1:5002")]
pub(in crate::import) struct NoAddresses(String);

impl std::fmt::Display for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "asset={},job={}", self.asset, self.job)
    }
}

impl FromStr for Addresses {
    type Err = NoAddresses;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut asset, mut job) = (Vec::new(), Vec::new());
        let mut named: Option<&mut Vec<&str>> = None;
        for part in text.split(',') {
            // Without a name it is one more replica of the service before it.
            let address = match part.split_once('=') {
                Some((name, address)) => {
                    named = Some(match name.trim() {
                        "asset" => &mut asset,
                        "job" => &mut job,
                        other => return Err(NoAddresses(format!("{other:?} is neither asset nor job"))),
                    });
                    address
                }
                None => part,
            };
            let replicas = named.as_mut().ok_or_else(|| NoAddresses(format!("{part:?} names no service")))?;
            replicas.push(address.trim());
        }
        let whole = |name: &str, replicas: Vec<&str>| {
            if replicas.is_empty() {
                return Err(NoAddresses(format!("the address of the {name} service is missing")));
            }
            let addresses = replicas.join(",");
            kit::grpc::check(&addresses).map_err(|error| NoAddresses(error.to_string()))?;
            Ok(addresses)
        };
        Ok(Self { asset: whole("asset", asset)?, job: whole("job", job)? })
    }
}

/// Clients of both services.
#[derive(Debug)]
pub(in crate::import) struct Wire {
    assets: Assets,
    jobs: Jobs,
    addresses: Addresses,
}

impl Wire {
    /// Nothing is dialled yet.
    pub(in crate::import) fn new(addresses: &Addresses) -> Result<Self, BadAddress> {
        // Each call has its own, shorter one.
        let asset = kit::grpc::channel_with_deadline(&addresses.asset, STORING)?;
        let job = kit::grpc::channel_with_deadline(&addresses.job, STORING)?;
        Ok(Self {
            assets: Assets::new(asset)
                .max_decoding_message_size(MAX_MESSAGE)
                .max_encoding_message_size(MAX_MESSAGE),
            jobs: Jobs::new(job)
                .max_decoding_message_size(MAX_MESSAGE)
                .max_encoding_message_size(MAX_MESSAGE),
            addresses: addresses.clone(),
        })
    }
}

fn within<T>(message: T, time: Duration) -> Request<T> {
    let mut request = message.into_request();
    request.set_timeout(time);
    request
}

#[async_trait]
impl Target for Wire {
    fn place(&self, service: Service) -> String {
        let address = match service {
            Service::Asset => &self.addresses.asset,
            Service::Job => &self.addresses.job,
        };
        format!("at {address}")
    }

    async fn store(&self, pieces: mpsc::Receiver<Piece>) -> Result<Vec<BlobRef>, ServiceError> {
        let request = within(ReceiverStream::new(pieces), STORING);
        Ok(self.assets.clone().store_bytes(request).await?.into_inner().blobs)
    }

    async fn check(&self, sha256: &str) -> Result<CheckBytesReply, ServiceError> {
        let request = CheckBytesRequest { sha256: sha256.to_owned() };
        Ok(self.assets.clone().check_bytes(within(request, CHECKING)).await?.into_inner())
    }

    async fn fetch(&self, url: &str) -> Result<BlobRef, ServiceError> {
        let request = FetchBytesRequest { url: url.to_owned() };
        Ok(self.assets.clone().fetch_bytes(within(request, FETCHING)).await?.into_inner())
    }

    async fn import(&self, things: Vec<LegacyThing>) -> Result<Vec<ImportResult>, ServiceError> {
        let request = within(ImportRequest { things }, CALLING);
        Ok(self.assets.clone().import(request).await?.into_inner().results)
    }

    async fn import_job(&self, job: LegacyJob, leave_up_to: i32) -> Result<ImportJobReply, ServiceError> {
        let request = within(ImportJobRequest { job: Some(job), leave_up_to }, CALLING);
        Ok(self.jobs.clone().import(request).await?.into_inner())
    }

    async fn list(&self, source: &str, after: Option<i64>) -> Result<ListImportedReply, ServiceError> {
        let request = ListImportedRequest { source: source.to_owned(), limit: 0, after };
        Ok(self.assets.clone().list_imported(within(request, CALLING)).await?.into_inner())
    }

    async fn list_jobs(
        &self,
        source: &str,
        after: Option<i64>,
    ) -> Result<ListImportedJobsReply, ServiceError> {
        let request = ListImportedJobsRequest { source: source.to_owned(), limit: 0, after };
        Ok(self.jobs.clone().list_imported(within(request, CALLING)).await?.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_addresses_are_read_with_all_their_replicas() {
        let read: Addresses = "job=b:2, asset=a:1,c:3".parse().unwrap();
        assert_eq!((read.asset.as_str(), read.job.as_str()), ("a:1,c:3", "b:2"));
        assert_eq!(read.to_string().parse::<Addresses>().unwrap(), read);
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (text, wanted) in [
            ("asset=a:1", "the job service is missing"),
            ("a:1,job=b:2", "\"a:1\" names no service"),
            ("asset=a:1,jobs=b:2", "\"jobs\" is neither"),
            ("asset=https://a:1,job=b:2", "is no address"),
            ("", "names no service"),
        ] {
            let error = text.parse::<Addresses>().unwrap_err().to_string();
            assert!(error.contains(wanted) && error.contains("asset=127.0.0.1:5001"), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_named_with_its_address() {
        // A port that was free a moment ago, and that nobody listens at.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let addresses: Addresses = format!("asset=127.0.0.1:{port},job=127.0.0.1:{port}").parse().unwrap();
        let wire = Wire::new(&addresses).unwrap();
        let error = wire.list("scenes.db", None).await.unwrap_err();
        let told = super::super::at(&wire, Service::Asset, "listing what came before")(error).to_string();
        assert!(told.contains(&format!("the asset service at 127.0.0.1:{port}")), "{told}");
        assert!(told.contains("not reachable"), "{told}");
    }
}
