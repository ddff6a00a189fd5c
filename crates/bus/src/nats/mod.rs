//! The bus on NATS JetStream: one stream per service, one durable pull consumer per subscription.
//!
//! A producer's relay reads its log and publishes (CloudEvents 1.0, binary mode) with the event id as
//! `Nats-Msg-Id`. One relay per service is active; the stream itself fences it: it starts behind the position
//! of the stream's last message and publishes with the expected last sequence.

mod cloud_event;
mod dead;
mod feed;
mod relay;
pub mod topology;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_nats::{ConnectOptions, jetstream};
use eventlog::Log;
use parking_lot::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{EventBus, Subscription, Translate};
pub use dead::DeadLetter;

/// NATS or a stream on it cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {reason}")]
pub struct NatsError {
    doing: String,
    reason: String,
}

impl NatsError {
    pub(crate) fn new(doing: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self { doing: doing.into(), reason: reason.to_string() }
    }
}

/// The bus of a process among many.
#[derive(Debug)]
pub struct NatsBus {
    jetstream: jetstream::Context,
    client: async_nats::Client,
    relays: Mutex<HashMap<String, DropGuard>>,
    /// Names this process among those that could relay the same log.
    replica: String,
}

impl NatsBus {
    /// Connects to `url` (several separated by commas); a server that is away is waited for in the background.
    ///
    /// # Errors
    /// The URL is none, or the first connection is refused for good (credentials).
    pub async fn connect(url: &str, replica: &str) -> Result<Arc<Self>, NatsError> {
        let servers: Vec<&str> = url.split(',').map(str::trim).filter(|server| !server.is_empty()).collect();
        let client = ConnectOptions::new()
            .name(format!("filmstrip {replica}"))
            .retry_on_initial_connect()
            .connection_timeout(Duration::from_secs(5))
            .connect(servers)
            .await
            .map_err(|error| NatsError::new("connecting to NATS", error))?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(Duration::from_secs(5));
        Ok(Arc::new(Self { jetstream, client, relays: Mutex::default(), replica: replica.to_owned() }))
    }

    /// Whether the connection stands at this moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Removes a service's stream; the active relay makes it again and publishes everything from the log, under
    /// the same ids. Subscriptions then get everything again. (Only emptying the stream would not do before its
    /// window for duplicates has passed: it remembers the ids.)
    ///
    /// # Errors
    /// NATS is away or refuses.
    pub async fn republish(&self, source: &str) -> Result<(), NatsError> {
        let deleted = self.jetstream.delete_stream(topology::stream_name(source)).await;
        deleted.map(drop).map_err(|error| NatsError::new(format!("removing the stream of {source}"), error))
    }

    /// Messages of a service's stream that nobody could decode.
    ///
    /// # Errors
    /// NATS is away or refuses.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, NatsError> {
        dead::list(&self.jetstream).await
    }

    /// Hands a dead letter to its subscription again and removes it from the list.
    ///
    /// # Errors
    /// There is no such letter, or NATS is away or refuses.
    pub async fn replay_dead(&self, sequence: u64) -> Result<(), NatsError> {
        dead::replay(&self.jetstream, sequence).await
    }

    /// How many messages a subscription has still to handle, those under way included.
    ///
    /// # Errors
    /// NATS is away or the subscription does not exist.
    pub async fn lag(&self, source: &str, durable: &str) -> Result<u64, NatsError> {
        let stream = topology::stream(&self.jetstream, source).await?;
        let info = stream.consumer_info(durable).await;
        let info = info.map_err(|error| NatsError::new(format!("asking for {durable}"), error))?;
        Ok(info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or(0))
    }
}

impl EventBus for NatsBus {
    fn register(&self, source: &str, log: Log, translate: Translate) {
        let cancel = CancellationToken::new();
        let relay = relay::Relay::new(self.jetstream.clone(), source, &self.replica, log, translate);
        tokio::spawn(relay.run(cancel.clone()));
        self.relays.lock().insert(source.to_owned(), cancel.drop_guard());
    }

    fn subscribe(&self, source: &str, durable: &str, _consumer_log: Log) -> Subscription {
        // How far the subscription has come is kept by JetStream, not in the consumer's database.
        Subscription::new(durable, Box::new(feed::PullFeed::new(self.jetstream.clone(), source, durable)))
    }
}
