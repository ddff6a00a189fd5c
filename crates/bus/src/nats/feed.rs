//! A subscription's messages, pulled from its durable consumer.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use async_nats::{
    connection::State,
    jetstream::{
        self, AckKind, Context,
        consumer::pull::{self, MessagesError, MessagesErrorKind},
    },
};
use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::{Tuning, cloud_event, dead, lag::OfConsumer, topology};
use crate::{Message, lag::Lag, subscription::Feed};

/// Messages asked for at a time.
const AT_ONCE: usize = 64;
/// How long the server holds a request open while there is nothing.
const EXPIRES: Duration = Duration::from_secs(5);

/// How often a subscription without a connection looks whether there is one.
const LOOK: Duration = Duration::from_millis(200);

/// How long after its consumer was removed a subscription makes it again. A server that removes a stream tells of its
/// consumers first; asked to make the stream before it is through, it keeps a remainder of the old one that takes no
/// messages.
const REMOVED: Duration = Duration::from_secs(1);

/// How long a stopping subscription waits for what is on its way to it.
const ROUND_TRIP: Duration = Duration::from_secs(1);
/// How long what is given back waits for another replica.
const LEAVING: Duration = Duration::from_millis(250);

pub(super) struct PullFeed {
    jetstream: Context,
    source: String,
    durable: String,
    tuning: Tuning,
    /// Kept open: what the server has sent to a stream that is dropped comes again only after a while.
    stream: Option<pull::Stream>,
    /// Its consumer was removed, or the stream with all consumers.
    removed: bool,
    /// Pulled, not handled yet.
    current: VecDeque<jetstream::Message>,
    /// Handled, to be acknowledged.
    handled: Vec<jetstream::Message>,
}

impl std::fmt::Debug for PullFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PullFeed").field("durable", &self.durable).finish_non_exhaustive()
    }
}

impl PullFeed {
    pub(super) fn new(jetstream: Context, source: &str, durable: &str, tuning: Tuning) -> Self {
        Self {
            jetstream,
            source: source.to_owned(),
            durable: durable.to_owned(),
            tuning,
            stream: None,
            removed: false,
            current: VecDeque::new(),
            handled: Vec::new(),
        }
    }

    /// The next message; whatever goes wrong, the next call begins with a new request. Dropping the future loses
    /// nothing.
    async fn pull(&mut self) -> anyhow::Result<jetstream::Message> {
        self.connected().await;
        if self.removed {
            tokio::time::sleep(REMOVED).await;
            self.removed = false;
        }
        if self.stream.is_none() {
            self.stream = Some(self.open().await?);
        }
        let stream = self.stream.as_mut().context("the consumer is gone")?;
        match stream.next().await {
            Some(Ok(message)) => Ok(message),
            other => Err(self.failed(other.and_then(Result::err))),
        }
    }

    /// One more if it is here already.
    fn at_hand(&mut self) -> Option<jetstream::Message> {
        match self.stream.as_mut()?.next().now_or_never()? {
            Some(Ok(message)) => Some(message),
            other => {
                // The next pull begins anew.
                drop(self.failed(other.and_then(Result::err)));
                None
            }
        }
    }

    /// What was pulled from brings nothing any more: because of an error, or because it has ended.
    fn failed(&mut self, error: Option<MessagesError>) -> anyhow::Error {
        self.stream = None;
        let kind = error.as_ref().map(MessagesError::kind);
        self.removed =
            matches!(kind, None | Some(MessagesErrorKind::ConsumerDeleted | MessagesErrorKind::NoResponders));
        error.map_or_else(|| anyhow!("the consumer is gone"), |error| anyhow!("pulling: {error}"))
    }

    /// Waits for a connection. Trying without one would fail, again and again after longer and longer pauses, and the
    /// last of them would go on for a while when NATS is back.
    async fn connected(&self) {
        let client = self.jetstream.client();
        while client.connection_state() != State::Connected {
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn open(&self) -> anyhow::Result<pull::Stream> {
        let consumer = topology::consumer(&self.jetstream, &self.source, &self.durable, self.tuning).await?;
        consumer
            .stream()
            .max_messages_per_batch(AT_ONCE)
            .expires(EXPIRES)
            .heartbeat(EXPIRES / 2)
            .messages()
            .await
            .context("pulling")
    }

    /// Keeps what cannot be decoded as a dead letter and goes on.
    async fn bury(&self, message: &jetstream::Message, reason: &str) -> anyhow::Result<()> {
        dead::bury(&self.jetstream, &self.durable, message, reason).await?;
        message.ack_with(AckKind::Term).await.map_err(|error| anyhow!("giving up a message: {error}"))
    }
}

#[async_trait]
impl Feed for PullFeed {
    fn system(&self) -> &'static str {
        "nats"
    }

    fn lag(&self) -> Arc<dyn Lag> {
        Arc::new(OfConsumer::new(self.jetstream.clone(), &self.source, &self.durable))
    }

    async fn next(
        &mut self,
        cancel: &CancellationToken,
        most: usize,
    ) -> anyhow::Result<Option<Vec<Message>>> {
        let mut messages = Vec::new();
        while messages.len() < most {
            if self.current.len() == messages.len() {
                let pulled = if messages.is_empty() {
                    tokio::select! {
                        () = cancel.cancelled() => return Ok(None),
                        pulled = self.pull() => pulled?,
                    }
                } else {
                    let Some(pulled) = self.at_hand() else { break };
                    pulled
                };
                self.current.push_back(pulled);
            }
            let Some(message) = self.current.get(messages.len()) else { break };
            let headers = message.headers.clone().unwrap_or_default();
            match cloud_event::decode(&message.subject, &headers, &message.payload) {
                Ok(decoded) => messages.push(decoded),
                Err(reason) if messages.is_empty() => {
                    self.bury(message, &reason).await?;
                    self.current.pop_front();
                }
                // After what is before it.
                Err(_) => break,
            }
        }
        Ok(Some(messages))
    }

    fn finished(&mut self, count: usize) -> bool {
        self.handled.extend(self.current.drain(..count.min(self.current.len())));
        // An acknowledgement is one small message: none is held back.
        true
    }

    async fn save(&mut self) -> anyhow::Result<()> {
        while let Some(message) = self.handled.last() {
            message.ack().await.map_err(|error| anyhow!("acknowledging: {error}"))?;
            self.handled.pop();
        }
        Ok(())
    }

    /// What this replica was sent and did not handle goes to another one now, not only after the wait for an
    /// acknowledgement.
    async fn close(&mut self) {
        let mut unhandled: Vec<jetstream::Message> = self.current.drain(..).collect();
        if let Some(mut stream) = self.stream.take() {
            // What the server has sent arrives before its answer to a question that is asked now.
            drop(tokio::time::timeout(ROUND_TRIP, self.jetstream.query_account()).await);
            while let Some(Some(next)) = stream.next().now_or_never() {
                unhandled.extend(next.ok());
            }
        }
        // Its request is gone by now, but the server learns of that in its own time: given back at once, a message
        // would be sent here again.
        for message in unhandled {
            if let Err(error) = message.ack_with(AckKind::Nak(Some(LEAVING))).await {
                tracing::debug!(durable = self.durable, %error, "giving back a message");
            }
        }
    }
}
