//! The bus on NATS JetStream: one stream per service, one durable pull consumer per subscription.
//!
//! A producer's relay reads its log and publishes (CloudEvents 1.0, binary mode) with the event id as
//! `Nats-Msg-Id`. One relay per service is active; the stream itself fences it: it starts behind the position
//! of the stream's last message and publishes with the expected last sequence.

mod cloud_event;
mod connection;
mod dead;
mod feed;
mod lag;
mod logged;
mod publish;
mod reconcile;
pub mod relay;
mod report;
mod republish;
mod servers;
pub mod target;
pub mod topology;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_nats::{ConnectOptions, jetstream};
use async_trait::async_trait;
use eventlog::Log;
use parking_lot::Mutex;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use crate::{EventBus, Subscription, Translate};
pub use dead::DeadLetter;
pub use reconcile::reconcile;
pub use report::{Difference, Found, Report};
pub use republish::{Republished, republish};
use servers::Servers;
pub use servers::check_url;

/// How long the end of a bus waits for its last words to be sent.
const FLUSH: Duration = Duration::from_secs(1);

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

/// Times and bounds that a deployment has no reason to change; tests shorten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    /// How long a relay that has died keeps others waiting.
    pub relay_lease: Duration,
    /// How often the active relay prolongs its lease and looks whether the stream is as it left it.
    pub relay_renew: Duration,
    /// After so long without an acknowledgement a message is delivered again, to whichever replica asks.
    pub ack_wait: Duration,
    /// Messages handed to the replicas of a subscription and not acknowledged yet, at most.
    pub unacknowledged: u16,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            relay_lease: Duration::from_secs(10),
            relay_renew: Duration::from_secs(3),
            ack_wait: Duration::from_secs(60),
            unacknowledged: 256,
        }
    }
}

/// The bus of a process among many.
#[derive(Debug)]
pub struct NatsBus {
    jetstream: jetstream::Context,
    client: async_nats::Client,
    last_error: connection::LastError,
    relays: Mutex<HashMap<String, DropGuard>>,
    /// The tasks of the relays, those that are ending included.
    running: TaskTracker,
    tuning: Tuning,
    /// Names this process among those that could relay the same log.
    replica: String,
}

impl NatsBus {
    /// Connects to `url` (several separated by commas) in the background, and again whenever the connection breaks,
    /// for as long as it takes. That no server is there or takes the credentials is therefore no error:
    /// [`NatsBus::is_connected`] tells, and [`NatsBus::last_error`] says why.
    ///
    /// # Errors
    /// The URL is none, as [`check_url`] says.
    pub async fn connect(url: &str, replica: &str) -> Result<Arc<Self>, NatsError> {
        Self::connect_with(url, replica, Tuning::default()).await
    }

    /// Like [`NatsBus::connect`], with other times and bounds.
    ///
    /// # Errors
    /// As for [`NatsBus::connect`].
    pub async fn connect_with(url: &str, replica: &str, tuning: Tuning) -> Result<Arc<Self>, NatsError> {
        let connecting = |reason: String| NatsError::new("connecting to NATS", reason);
        let servers = Servers::parse(url).map_err(connecting)?;
        let last_error = connection::LastError::default();
        let observer = last_error.clone();
        let options = ConnectOptions::new()
            .name(format!("filmstrip {replica}"))
            .retry_on_initial_connect()
            .connection_timeout(Duration::from_secs(5))
            .event_callback(move |event| {
                observer.observe(&event);
                std::future::ready(())
            });
        let client = servers.present(options).connect(servers.addresses).await;
        let client = client.map_err(|error| connecting(error.to_string()))?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(Duration::from_secs(5));
        Ok(Arc::new(Self {
            jetstream,
            client,
            last_error,
            relays: Mutex::default(),
            running: TaskTracker::new(),
            tuning,
            replica: replica.to_owned(),
        }))
    }

    /// Whether the connection stands at this moment.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// What went wrong last since the connection was made, or since the beginning when it never was: why there is
    /// none, or what the server refused. Holds no secret.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.last_error.get()
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

    /// How many messages a subscription has still to handle, those under way included, as its consumer's leader says.
    ///
    /// # Errors
    /// NATS is away or the subscription does not exist.
    pub async fn lag(&self, source: &str, durable: &str) -> Result<u64, NatsError> {
        lag::OfConsumer::new(self.jetstream.clone(), source, durable).ask().await
    }

    fn relay(&self, source: &str, log: Log, translate: Translate) -> relay::Relay {
        relay::Relay::on_nats(self.jetstream.clone(), source, &self.replica, log, translate, self.tuning)
    }
}

#[async_trait]
impl EventBus for NatsBus {
    fn register(&self, source: &str, log: Log, translate: Translate) {
        let cancel = CancellationToken::new();
        let relay = self.relay(source, log, translate);
        self.running.spawn(relay.run(cancel.clone()));
        self.relays.lock().insert(source.to_owned(), cancel.drop_guard());
    }

    fn subscribe(&self, source: &str, durable: &str, _consumer_log: Log) -> Subscription {
        // How far the subscription has come is kept by JetStream, not in the consumer's database.
        let feed = feed::PullFeed::new(self.jetstream.clone(), source, durable, self.tuning);
        Subscription::new(source, durable, Box::new(feed))
    }

    async fn stop(&self) {
        self.relays.lock().clear();
        self.running.close();
        self.running.wait().await;
        // What was acknowledged last has left, unless NATS is away.
        drop(tokio::time::timeout(FLUSH, self.client.flush()).await);
    }
}
