//! Publishing in order: messages are sent ahead of their acknowledgements, and each is told.

use std::{collections::VecDeque, time::Instant};

use anyhow::bail;
use telemetry::{
    KeyValue,
    metrics::{MESSAGES_SENT, SEND_DURATION, key},
    trace::{Span, span},
};

use super::target::{Ack, Answer, Behind, Refusal, Target};
use crate::Message;

/// Messages sent ahead of their acknowledgements.
const AHEAD: usize = 128;

/// Publishes in order behind `sequence`; returns the last sequence.
///
/// Messages are sent ahead, so the sequence alone would not do: where somebody else's message took the place of
/// the first, the second would find its own free. Each therefore names its predecessor, too.
pub(super) async fn publish(
    stream: &dyn Target,
    messages: &[Message],
    mut sequence: u64,
) -> anyhow::Result<u64> {
    let mut sent: VecDeque<Sent<'_>> = VecDeque::new();
    let predecessors = std::iter::once(None).chain(messages.iter().map(|message| Some(message.id)));
    for (message, id) in messages.iter().zip(predecessors) {
        boundary::cross(format_args!("publish.before/{}", message.name));
        let sending = Sending::begin(message);
        let answer = match stream.send(message, Behind { sequence, id }).await {
            Ok(answer) => answer,
            Err(error) => {
                sending.ended(Err("unsent"));
                return Err(error);
            }
        };
        sequence += 1;
        sent.push_back(Sent { message, sequence, answer, sending });
        if sent.len() >= AHEAD {
            acknowledged(sent.pop_front()).await?;
        }
    }
    while let Some(next) = sent.pop_front() {
        acknowledged(Some(next)).await?;
    }
    Ok(sequence)
}

/// A message whose acknowledgement is to come.
struct Sent<'a> {
    message: &'a Message,
    /// The one that it should get.
    sequence: u64,
    answer: Answer,
    sending: Sending,
}

async fn acknowledged(sent: Option<Sent<'_>>) -> anyhow::Result<()> {
    let Some(Sent { message, sequence: expected, answer, sending }) = sent else { return Ok(()) };
    let answer = answer.await;
    sending.ended(match &answer {
        Ok(ack) if ack.sequence == expected && !ack.duplicate => Ok(()),
        Ok(_) | Err(Refusal::NotBehind) => Err("fenced"),
        Err(Refusal::Other(_)) => Err("unacknowledged"),
    });
    let Ack { sequence, duplicate } = answer?;
    if sequence != expected || duplicate {
        bail!("stored at {sequence} instead of {expected}");
    }
    boundary::cross(format_args!("publish.after/{}", message.name));
    Ok(())
}

/// A message on its way to the stream.
struct Sending {
    /// None for a message that belongs to no trace. Nothing of it is in what is sent: that stays what the log says, so that
    /// whoever publishes it again publishes the same.
    span: Option<Span>,
    source: String,
    began: Instant,
}

impl Sending {
    fn begin(message: &Message) -> Self {
        let Message { id, source, name, .. } = message;
        let span = message.parent().map(|parent| {
            span(format!("send {source}"))
                .producer()
                .under(Some(parent))
                .with("messaging.system", "nats")
                .with(key::DESTINATION, source.clone())
                .with("messaging.operation.name", "send")
                .with("messaging.operation.type", "send")
                .with("messaging.message.id", id.to_string())
                .with("filmstrip.message.name", name.clone())
                .start()
        });
        Self { span, source: source.clone(), began: Instant::now() }
    }

    /// `outcome`: what went wrong, in one word.
    fn ended(self, outcome: Result<(), &'static str>) {
        let Self { span, source, began } = self;
        let mut attributes = vec![KeyValue::new(key::DESTINATION, source)];
        if let Err(wrong) = outcome {
            attributes.push(KeyValue::new(key::ERROR, wrong));
            if let Some(span) = &span {
                span.set(key::ERROR, wrong);
                span.fail(wrong);
            }
        }
        MESSAGES_SENT.add(1, &attributes);
        SEND_DURATION.took(began.elapsed(), &attributes);
    }
}
