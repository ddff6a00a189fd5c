//! The client of S3: how it is built from an address, and how long it waits.

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use secrecy::ExposeSecret as _;

use crate::address::{Bucket, S3Options};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long nothing may arrive. There is no limit for a whole transfer, which may be large; the answer to a part
/// of 8 MiB has to begin within this time.
const IDLE: Duration = Duration::from_secs(60);

/// Builds the client of a bucket; nothing is sent yet.
pub(super) fn build(bucket: &Bucket) -> object_store::Result<AmazonS3> {
    let options = &bucket.options;
    let mut builder = if options.has_key() {
        AmazonS3Builder::new()
            .with_access_key_id(&options.access_key_id)
            .with_secret_access_key(options.secret_access_key.expose_secret())
    } else {
        // Without a key of our own: roles of containers and machines, which tell themselves by AWS_… variables.
        AmazonS3Builder::from_env()
    };
    let endpoint = options.endpoint_url();
    if let Some(url) = &endpoint {
        builder =
            builder.with_endpoint(url.as_str().trim_end_matches('/')).with_allow_http(url.scheme() == "http");
    }
    builder
        .with_bucket_name(&bucket.name)
        .with_region(options.region())
        .with_virtual_hosted_style_request(!options.path_style())
        .with_http_connector(Connector { direct: is_loopback(options) })
        // One place decides about trying again: `retry`.
        .with_retry(RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: 0,
            retry_timeout: Duration::ZERO,
        })
        .build()
}

fn is_loopback(options: &S3Options) -> bool {
    match options.endpoint_url().as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Makes HTTP clients with our patience, and without a proxy for this very machine.
#[derive(Debug)]
struct Connector {
    direct: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("filmstrip/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(IDLE)
            .pool_idle_timeout(Duration::from_secs(15))
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            // Lengths and ranges are those of the bytes as they are stored.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        let builder = if self.direct { builder.no_proxy() } else { builder };
        let client = builder.build();
        client
            .map(HttpClient::new)
            .map_err(|source| object_store::Error::Generic { store: "S3", source: Box::new(source) })
    }
}
