//! The servers that a standalone can have in place of its files and of the bus inside it.

use std::collections::BTreeMap;

use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use futures::StreamExt as _;
use testservers::{NatsServer, PostgresServer, S3Server};

use super::{PATIENCE, ServerOptions, pause};

/// Services that publish events, each on a stream of its own.
const PUBLISHERS: [&str; 5] = ["asset", "render", "stitch", "audio", "job"];

/// PostgreSQL, NATS and S3.
pub(crate) struct Servers {
    postgres: PostgresServer,
    nats: NatsServer,
    pub(crate) s3: S3Server,
}

impl Servers {
    pub(crate) async fn start() -> Self {
        let postgres = PostgresServer::start().await.unwrap();
        postgres.sql("CREATE ROLE film LOGIN; GRANT CREATE ON DATABASE postgres TO film").await.unwrap();
        let (nats, s3) = tokio::join!(NatsServer::start(), S3Server::start());
        Self { postgres, nats: nats.unwrap(), s3: s3.unwrap() }
    }

    /// What a standalone on them is told.
    pub(crate) fn options(&self) -> ServerOptions {
        let variables = [
            ("DATABASE_URL", self.postgres.url("film", "postgres")),
            ("NATS_URL", self.nats.url()),
            ("BLOB_URL", self.s3.blob_url()),
            ("S3_ENDPOINT", self.s3.endpoint()),
            ("S3_ACCESS_KEY_ID", self.s3.access_key().to_owned()),
            ("S3_SECRET_ACCESS_KEY", self.s3.secret_key().to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        ServerOptions { variables, ..ServerOptions::default() }
    }

    /// Waits until a service has published so many events; returns their names, in their order.
    pub(crate) async fn published(&self, service: &str, count: usize) -> Vec<String> {
        self.until(service, |events| events.len() >= count).await
    }

    /// Waits until a service has published so many events of this name; returns the names of all, in their order.
    pub(crate) async fn published_of(&self, service: &str, name: &str, count: usize) -> Vec<String> {
        self.until(service, |events| events.iter().filter(|event| *event == name).count() >= count).await
    }

    /// How many events each service has published.
    pub(crate) async fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for service in PUBLISHERS {
            counts.insert(service, self.events(service).await.len());
        }
        counts
    }

    async fn until(&self, service: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let enough = async {
            loop {
                let events = self.events(service).await;
                if wanted(&events) {
                    return events;
                }
                pause().await;
            }
        };
        tokio::time::timeout(PATIENCE, enough).await.expect("the events are published")
    }

    /// The names of the events on a service's stream.
    async fn events(&self, service: &str) -> Vec<String> {
        let client = async_nats::connect(self.nats.url()).await.unwrap();
        let name = format!("FILMSTRIP_{}", service.to_uppercase());
        // Made by the first event.
        let Ok(stream) = jetstream::new(client).get_stream(name).await else { return Vec::new() };
        let count = usize::try_from(stream.cached_info().state.messages).unwrap();
        let consumer = stream.create_consumer(OrderedConfig::default()).await.unwrap();
        let names = consumer.messages().await.unwrap().take(count).map(|message| {
            let subject = message.unwrap().subject.to_string();
            subject.rsplit('.').next().unwrap_or_default().to_owned()
        });
        tokio::time::timeout(PATIENCE, names.collect()).await.expect("the stream can be read")
    }
}
