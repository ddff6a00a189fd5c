//! Dead letters: messages that nobody could decode. They are kept, listed and replayed; nothing else dies.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::{HeaderMap, jetstream::Context};
use futures::StreamExt as _;
use serde::Serialize;

use super::{NatsError, topology};

const REASON: &str = "filmstrip-dead-reason";
const SUBJECT: &str = "filmstrip-dead-subject";
const DURABLE: &str = "filmstrip-dead-durable";
const MESSAGE_ID: &str = "Nats-Msg-Id";
/// How long the next letter is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message that a subscription could not decode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Names it for a replay.
    pub sequence: u64,
    /// The subscription.
    pub durable: String,
    /// The subject that it came on.
    pub subject: String,
    /// Why it could not be decoded.
    pub reason: String,
    /// Its body, as text.
    pub body: String,
}

/// Keeps a message that cannot be decoded.
pub(super) async fn bury(
    jetstream: &Context,
    durable: &str,
    message: &async_nats::Message,
    reason: &str,
) -> anyhow::Result<()> {
    tracing::error!(durable, subject = %message.subject, reason, "a message cannot be decoded; it is kept as a dead letter");
    topology::dead_stream(jetstream).await?;
    let mut headers = kept(message.headers.as_ref(), durable);
    headers.insert(REASON, reason.replace(['\r', '\n'], " "));
    headers.insert(SUBJECT, message.subject.as_str());
    headers.insert(DURABLE, durable);
    let sending = jetstream
        .publish_with_headers(topology::dead_subject(durable), headers, message.payload.clone())
        .await;
    sending.context("keeping a dead letter")?.await.context("keeping a dead letter")?;
    Ok(())
}

/// The headers of a letter: what the message says of itself. What it said to its own stream (where it wanted to stand)
/// is not said to this one, and its id is one of its own for each subscription that could not decode it.
fn kept(said: Option<&HeaderMap>, durable: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in said.into_iter().flat_map(HeaderMap::iter) {
        let name: &str = name.as_ref();
        if name == MESSAGE_ID {
            for value in values {
                headers.insert(MESSAGE_ID, format!("{durable}/{}", value.as_str()));
            }
        } else if !name.starts_with("Nats-") {
            for value in values {
                headers.append(name, value.as_str());
            }
        }
    }
    headers
}

/// All of them, oldest first.
pub(super) async fn list(jetstream: &Context) -> Result<Vec<DeadLetter>, NatsError> {
    let failed = |error: &dyn std::fmt::Display| NatsError::new("listing dead letters", error);
    let stream = topology::dead_stream(jetstream).await?;
    let state = stream.get_info().await.map_err(|error| failed(&error))?.state;
    let mut letters = Vec::new();
    if state.messages == 0 {
        return Ok(letters);
    }
    let consumer = stream
        .create_consumer(async_nats::jetstream::consumer::pull::OrderedConfig::default())
        .await
        .map_err(|error| failed(&error))?;
    let name = consumer.cached_info().name.clone();
    let mut messages = consumer.messages().await.map_err(|error| failed(&error))?;
    loop {
        // The last one may be gone since it was counted.
        let Ok(Some(message)) = tokio::time::timeout(PATIENCE, messages.next()).await else { break };
        let message = message.map_err(|error| failed(&error))?;
        let info = message.info().map_err(|error| failed(&error))?;
        let (sequence, pending) = (info.stream_sequence, info.pending);
        let header = |name: &str| header(message.headers.as_ref(), name);
        letters.push(DeadLetter {
            sequence,
            durable: header(DURABLE),
            subject: header(SUBJECT),
            reason: header(REASON),
            body: String::from_utf8_lossy(&message.payload).into_owned(),
        });
        if pending == 0 {
            break;
        }
    }
    drop(messages);
    stream.delete_consumer(&name).await.map_err(|error| failed(&error))?;
    Ok(letters)
}

/// Publishes the letter on its own subject again, without the old id, which would be taken for a duplicate.
pub(super) async fn replay(jetstream: &Context, sequence: u64) -> Result<(), NatsError> {
    let failed =
        |error: &dyn std::fmt::Display| NatsError::new(format!("replaying dead letter {sequence}"), error);
    let stream = topology::dead_stream(jetstream).await?;
    let letter = stream.get_raw_message(sequence).await.map_err(|error| failed(&error))?;
    let mut headers = HeaderMap::new();
    for (name, values) in letter.headers.iter() {
        let name: &str = name.as_ref();
        if ![REASON, SUBJECT, DURABLE].contains(&name) && !name.starts_with("Nats-") {
            for value in values {
                headers.append(name, value.as_str());
            }
        }
    }
    let subject = header(Some(&letter.headers), SUBJECT);
    let sending = jetstream.publish_with_headers(subject, headers, letter.payload.clone()).await;
    sending.map_err(|error| failed(&error))?.await.map_err(|error| failed(&error))?;
    stream.delete_message(sequence).await.map(drop).map_err(|error| failed(&error))
}

fn header(headers: Option<&HeaderMap>, name: &str) -> String {
    headers.and_then(|headers| headers.get(name)).map(|value| value.as_str().to_owned()).unwrap_or_default()
}
