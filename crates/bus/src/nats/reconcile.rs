//! Compares a stream with the log that it was published from.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_nats::jetstream::{
    self, Context, ErrorCode,
    consumer::{DeliverPolicy, pull},
    context::GetStreamErrorKind,
    stream::Stream,
};
use eventlog::Log;
use futures::StreamExt as _;

use super::{
    NatsBus,
    cloud_event::decode,
    logged::Logged,
    report::{Comparison, Report},
    topology,
};
use crate::{Message, Translate};

/// How long the server may take for the next message that it has.
const PATIENCE: Duration = Duration::from_secs(30);

/// Compares the messages that `log` says are published (as of now) with what is in the stream of `source`, in set,
/// order and content. Both are read once, in bounded memory; nothing is changed. What the log gains meanwhile does
/// not count.
///
/// # Errors
/// NATS or the log cannot be read, or an event cannot be translated.
pub async fn reconcile(
    bus: &NatsBus,
    source: &str,
    log: &Log,
    translate: Translate,
) -> anyhow::Result<Report> {
    // The log first: what is published after this look lies behind its end.
    let head = log.head().await.context("reading the log")?;
    let mut logged = Logged::new(log, source, translate, head);
    let mut streamed = Streamed::open(&bus.jetstream, source).await?;
    let mut comparison = Comparison::new(source, topology::stream_name(source));
    let mut expected = logged.next().await?;
    while let Some((sequence, message)) = streamed.next().await? {
        let message = match message {
            Ok(message) => message,
            Err(Foreign { id, subject }) => {
                comparison.foreign(id, subject, sequence);
                continue;
            }
        };
        if message.position > head {
            if !is_logged(log, &message).await? {
                comparison.extra_beyond(&message, sequence);
            }
            continue;
        }
        if !comparison.ascends(message.position) {
            comparison.late(&message, sequence);
            continue;
        }
        while let Some(missed) = expected.take_if(|expected| expected.position < message.position) {
            comparison.missing(&missed);
            expected = logged.next().await?;
        }
        match expected.take_if(|expected| expected.position == message.position) {
            Some(pair) => {
                comparison.pair(&pair, &message, sequence);
                expected = logged.next().await?;
            }
            None => comparison.extra(&message, sequence),
        }
    }
    streamed.close().await;
    while let Some(rest) = expected {
        comparison.behind(&rest);
        expected = logged.next().await?;
    }
    Ok(comparison.report())
}

/// Whether a message that is newer than the comparison comes from the log.
async fn is_logged(log: &Log, message: &Message) -> anyhow::Result<bool> {
    let events = log.read_all(message.position - 1, 1).await.context("reading the log")?;
    Ok(events.first().is_some_and(|event| event.id == message.id))
}

/// A message that is none of ours.
struct Foreign {
    id: String,
    subject: String,
}

/// Goes through a stream from its first message to the one that was the last when it was opened.
struct Streamed {
    messages: Option<pull::Ordered>,
    /// What reads it: the stream, and the name of a consumer that does not outlive this.
    reader: Option<(Stream, String)>,
    last: u64,
}

impl Streamed {
    /// A stream that does not exist holds nothing.
    async fn open(jetstream: &Context, source: &str) -> anyhow::Result<Self> {
        let empty = Self { messages: None, reader: None, last: 0 };
        let Some(stream) = existing(jetstream, source).await? else { return Ok(empty) };
        let state = stream.get_info().await.context("asking for the stream")?.state;
        if state.messages == 0 {
            return Ok(empty);
        }
        let config = pull::OrderedConfig { deliver_policy: DeliverPolicy::All, ..Default::default() };
        let consumer = stream.create_consumer(config).await.context("reading the stream")?;
        let name = consumer.cached_info().name.clone();
        let messages = consumer.messages().await.context("reading the stream")?;
        Ok(Self { messages: Some(messages), reader: Some((stream, name)), last: state.last_sequence })
    }

    /// Leaves nothing behind on the server, where it would stay for half a minute.
    async fn close(self) {
        drop(self.messages);
        if let Some((stream, name)) = self.reader
            && let Err(error) = stream.delete_consumer(&name).await
        {
            tracing::debug!(%error, name, "removing a consumer that has read a stream");
        }
    }

    async fn next(&mut self) -> anyhow::Result<Option<(u64, Result<Message, Foreign>)>> {
        let Some(messages) = &mut self.messages else { return Ok(None) };
        let next = tokio::time::timeout(PATIENCE, messages.next()).await;
        let message = next.context("the stream does not go on")?.context("the stream has ended")?;
        let message = message.context("reading the stream")?;
        let info = message.info().map_err(|error| anyhow::anyhow!("reading the stream: {error}"))?;
        let (sequence, pending) = (info.stream_sequence, info.pending);
        ensure!(sequence > 0, "the stream names no sequence");
        if pending == 0 || sequence >= self.last {
            self.messages = None;
        }
        // Published after the comparison began.
        if sequence > self.last {
            return Ok(None);
        }
        Ok(Some((sequence, read(&message))))
    }
}

fn read(message: &jetstream::Message) -> Result<Message, Foreign> {
    let headers = message.headers.clone().unwrap_or_default();
    decode(&message.subject, &headers, &message.payload).map_err(|_| Foreign {
        id: headers.get("Nats-Msg-Id").map_or_else(|| "without an id".to_owned(), ToString::to_string),
        subject: message.subject.to_string(),
    })
}

/// The stream of a service, if there is one.
pub(super) async fn existing(jetstream: &Context, source: &str) -> anyhow::Result<Option<Stream>> {
    match jetstream.get_stream(topology::stream_name(source)).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Ok(None)
            }
            _ => Err(error).context("asking for the stream"),
        },
    }
}
