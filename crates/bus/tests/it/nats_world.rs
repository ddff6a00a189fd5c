//! A NATS server with a producer and a consumer.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use bus::{
    Backoff, EventBus as _, NatsBus, Tuning,
    nats::{Report, reconcile},
    subjects,
};
use testservers::NatsServer;

use crate::world::{Collector, DEADLINE, DURABLE, World};

/// Waits that a test can sit out.
pub(crate) const QUICK: Tuning = Tuning {
    relay_lease: Duration::from_millis(600),
    relay_renew: Duration::from_millis(150),
    ack_wait: Duration::from_secs(2),
    unacknowledged: 64,
};

pub(crate) struct Nats {
    pub(crate) server: NatsServer,
    /// Gives a producer and a consumer with logs of their own; its own bus is not used here.
    pub(crate) world: World,
}

impl Nats {
    pub(crate) async fn start() -> Self {
        Self { server: NatsServer::start().await.unwrap(), world: World::in_process().await }
    }

    /// A process's bus.
    pub(crate) async fn bus(&self, replica: &str) -> Arc<NatsBus> {
        NatsBus::connect(&self.server.url(), replica).await.unwrap()
    }

    /// A process's bus whose waits are short.
    pub(crate) async fn quick_bus(&self, replica: &str) -> Arc<NatsBus> {
        NatsBus::connect_with(&self.server.url(), replica, QUICK).await.unwrap()
    }

    pub(crate) async fn reconcile(&self, bus: &NatsBus) -> Report {
        let log = &self.world.producer;
        reconcile(bus, subjects::source::RENDER, log, crate::world::translate).await.unwrap()
    }

    pub(crate) fn publish(&self, bus: &NatsBus) {
        bus.register(subjects::source::RENDER, self.world.producer.clone(), crate::world::translate);
    }

    pub(crate) fn collect(&self, bus: &Arc<NatsBus>) -> Collector {
        let quick = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(50) };
        let subscription = bus.subscribe(subjects::source::RENDER, DURABLE, self.world.consumer.clone());
        Collector::start(subscription.backoff(quick))
    }

    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.server.url()).await.unwrap())
    }

    /// Event ids and positions in the stream, in its order, once it holds `count`.
    pub(crate) async fn published(&self, count: u64) -> Vec<(String, String)> {
        let jetstream = self.jetstream().await;
        let all = async {
            loop {
                let Ok(stream) = jetstream.get_stream("FILMSTRIP_RENDER").await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                let state = stream.get_info().await.unwrap().state;
                if state.messages >= count {
                    break (stream, state.first_sequence, state.last_sequence);
                }
                tokio::task::yield_now().await;
            }
        };
        let (stream, first, last) = tokio::time::timeout(DEADLINE, all).await.expect("not all is published");
        let mut messages = Vec::new();
        for sequence in first..=last {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let header = |name: &str| message.headers.get(name).unwrap().to_string();
            messages.push((header("Nats-Msg-Id"), header("ce-position")));
        }
        messages
    }

    pub(crate) async fn logged(&self) -> Vec<(String, String)> {
        let events = self.world.producer.read_all(0, 10_000).await.unwrap();
        events.iter().map(|event| (event.id.to_string(), event.position.to_string())).collect()
    }
}
