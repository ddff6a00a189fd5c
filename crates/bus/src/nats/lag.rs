//! How far behind a durable consumer is. The question goes to the servers' API, where the consumer's leader answers it: what
//! the servers show at their monitoring ports may be a follower's, which is stale.

use async_nats::{
    connection::State,
    jetstream::{Context, consumer::Info},
};
use async_trait::async_trait;

use super::{NatsError, topology};
use crate::lag::Lag;

/// A subscription's durable consumer.
pub(super) struct OfConsumer {
    jetstream: Context,
    source: String,
    durable: String,
}

impl OfConsumer {
    pub(super) fn new(jetstream: Context, source: &str, durable: &str) -> Self {
        Self { jetstream, source: source.to_owned(), durable: durable.to_owned() }
    }

    /// Messages that are not handled yet, those under way included. Makes neither the stream nor the consumer.
    pub(super) async fn ask(&self) -> Result<u64, NatsError> {
        let Self { jetstream, source, durable } = self;
        let failed = |error: &dyn std::fmt::Display| NatsError::new(format!("asking for {durable}"), error);
        let stream = jetstream.get_stream_no_info(topology::stream_name(source)).await;
        let info = stream.map_err(|error| failed(&error))?.consumer_info(durable).await;
        info.map(|info| unhandled(&info)).map_err(|error| failed(&error))
    }
}

#[async_trait]
impl Lag for OfConsumer {
    async fn ask(&self) -> anyhow::Result<Option<u64>> {
        // Questions that wait for a connection would all be sent when there is one.
        if self.jetstream.client().connection_state() != State::Connected {
            return Ok(None);
        }
        Ok(Some(self.ask().await?))
    }
}

/// Not handed to a replica yet, or handed over and not acknowledged.
fn unhandled(info: &Info) -> u64 {
    info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or(0)
}
