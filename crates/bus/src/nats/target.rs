//! The stream that a relay publishes to, as the relay sees it. There is one that lies on NATS; the seam exists so that
//! a simulation can have messages arrive late, twice or never.

use anyhow::Context as _;
use async_nats::{
    header,
    jetstream::{
        Context,
        context::PublishErrorKind,
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use async_trait::async_trait;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::{
    cloud_event::{POSITION, encode},
    topology,
};
use crate::Message;

/// What the stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Messages in it.
    pub messages: u64,
    /// Sequence of the first of them.
    pub first_sequence: u64,
    /// Sequence of the last message that was ever in it; 0 when none was.
    pub last_sequence: u64,
}

/// Behind what a message has to come, or be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// The stream's last sequence.
    pub sequence: u64,
    /// The id of its last message, where that matters.
    pub id: Option<Uuid>,
}

/// The stream has taken a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Its sequence.
    pub sequence: u64,
    /// It was there already.
    pub duplicate: bool,
}

/// The stream has not taken a message, or nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It would not come behind what it has to.
    #[error("somebody else has published meanwhile")]
    NotBehind,
    /// Anything else.
    #[error(transparent)]
    Other(anyhow::Error),
}

/// The answer to a message that was sent.
pub type Answer = BoxFuture<'static, Result<Ack, Refusal>>;

/// A stream to publish to.
#[async_trait]
pub trait Target: Send + Sync {
    /// What it holds now.
    ///
    /// # Errors
    /// It cannot be asked.
    async fn state(&self) -> anyhow::Result<State>;

    /// The position in the log that the message of this sequence came from; none for one that is no relay's, or is not
    /// there.
    ///
    /// # Errors
    /// It cannot be read, or its position cannot.
    async fn position(&self, sequence: u64) -> anyhow::Result<Option<i64>>;

    /// Sends a message; messages arrive in the order in which they were sent. The answer comes later.
    ///
    /// # Errors
    /// It could not be sent.
    async fn send(&self, message: &Message, behind: Behind) -> anyhow::Result<Answer>;
}

/// A stream on NATS.
pub(super) struct OnNats {
    pub(super) jetstream: Context,
    pub(super) stream: Stream,
}

impl OnNats {
    /// The stream of a service, made when it is missing.
    pub(super) async fn open(jetstream: Context, source: &str) -> anyhow::Result<Self> {
        let stream = topology::stream(&jetstream, source).await?;
        Ok(Self { jetstream, stream })
    }
}

#[async_trait]
impl Target for OnNats {
    async fn state(&self) -> anyhow::Result<State> {
        let state = self.stream.get_info().await.context("asking for the stream")?.state;
        let (messages, first_sequence, last_sequence) =
            (state.messages, state.first_sequence, state.last_sequence);
        Ok(State { messages, first_sequence, last_sequence })
    }

    async fn position(&self, sequence: u64) -> anyhow::Result<Option<i64>> {
        let message = match self.stream.get_raw_message(sequence).await {
            Ok(message) => message,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(None),
            Err(error) => return Err(error).context("reading the stream's last message"),
        };
        // A replayed dead letter names an old position, but no id: the relay gives every message one.
        let position = (message.headers.get(header::NATS_MESSAGE_ID))
            .and_then(|_| message.headers.get(POSITION))
            .map(|position| position.as_str().parse());
        position.transpose().context("the stream's last message names no position")
    }

    async fn send(&self, message: &Message, behind: Behind) -> anyhow::Result<Answer> {
        let (mut headers, body) = encode(message);
        headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, behind.sequence.to_string());
        if let Some(id) = behind.id {
            headers.insert(header::NATS_EXPECTED_LAST_MESSAGE_ID, id.to_string());
        }
        let sending = self.jetstream.publish_with_headers(message.subject.clone(), headers, body).await;
        let sending = sending.context("publishing")?;
        Ok(Box::pin(async move {
            match sending.await {
                Ok(ack) => Ok(Ack { sequence: ack.sequence, duplicate: ack.duplicate }),
                Err(error) => match error.kind() {
                    PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => {
                        Err(Refusal::NotBehind)
                    }
                    _ => Err(Refusal::Other(anyhow::Error::new(error).context("publishing"))),
                },
            }
        }))
    }
}
