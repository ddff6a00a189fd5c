//! What is told of messages that are handed to their handler: a span each, and metrics.
//!
//! Each message has a span of its own, under the one that its event was stored in; whatever a handler does for a message
//! belongs there. A handler of one message runs within that span. A handler of several runs within none, since they may
//! belong to different traces, which have nothing to do with each other: it goes on under the `traceparent` of the message
//! that it works for. Either way that is what [`Message::traceparent`] names.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use telemetry::{
    KeyValue,
    metrics::{MESSAGES_CONSUMED, PROCESS_DURATION, key},
    trace::{Span, span},
};

use crate::Message;

/// What carries messages, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    /// The semantic conventions' name of the transport.
    pub(crate) system: &'static str,
    /// The service that publishes.
    pub(crate) source: String,
    pub(crate) durable: String,
}

/// Why messages were not handled, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unhandled {
    /// The handler says so.
    Failed,
    /// The subscription was told to end.
    Canceled,
}

/// Messages in the hands of their handler.
#[derive(Debug)]
pub(crate) struct Handling {
    spans: Vec<Span>,
    began: Instant,
}

impl Handling {
    /// Begins, with the messages as their handler is to see them.
    pub(crate) fn begin(channel: &Channel, messages: &[Message]) -> (Self, Arc<[Message]>) {
        let spans: Vec<Span> = messages.iter().map(|message| begun(channel, message)).collect();
        let handed = messages.iter().zip(&spans).map(|(message, span)| {
            let mut handed = message.clone();
            // One that belongs to no trace goes on in whichever its handler finds for it.
            handed.traceparent = message.parent().and_then(|_| span.traceparent());
            handed
        });
        let handed = handed.collect();
        (Self { spans, began: Instant::now() }, handed)
    }

    /// Runs what `handle` begins where it belongs.
    pub(crate) async fn run<F: Future>(&self, handle: impl FnOnce() -> F) -> F::Output {
        match self.spans.as_slice() {
            [one] => {
                let handling = one.enter(handle);
                one.run(handling).await
            }
            _ => handle().await,
        }
    }

    /// Says what went wrong, to whoever looks at the trace and to `tell`, which is called within it.
    pub(crate) fn failed(&self, error: &anyhow::Error, tell: impl FnOnce()) {
        for span in &self.spans {
            span.fail(format!("{error:#}"));
        }
        match self.spans.as_slice() {
            [one] => one.enter(tell),
            _ => tell(),
        }
    }

    /// The handler is done with them.
    pub(crate) fn ended(self, channel: &Channel, outcome: Result<(), Unhandled>) {
        let why = outcome.err().map(|why| match why {
            Unhandled::Failed => "failed",
            Unhandled::Canceled => "canceled",
        });
        if let Some(why) = why {
            self.spans.iter().for_each(|span| span.set(key::ERROR, why));
        }
        measure(channel, self.spans.len(), why, self.began.elapsed());
    }
}

fn begun(channel: &Channel, message: &Message) -> Span {
    let Channel { system, source, durable } = channel;
    span(format!("process {source}"))
        .consumer()
        .under(message.parent())
        .with("messaging.system", *system)
        .with(key::DESTINATION, source.clone())
        .with(key::CONSUMER, durable.clone())
        .with("messaging.operation.name", "process")
        .with("messaging.operation.type", "process")
        .with("messaging.message.id", message.id.to_string())
        .with("filmstrip.message.name", message.name.clone())
        .start()
}

fn measure(channel: &Channel, count: usize, why: Option<&'static str>, took: Duration) {
    let mut attributes = vec![
        KeyValue::new(key::DESTINATION, channel.source.clone()),
        KeyValue::new(key::CONSUMER, channel.durable.clone()),
    ];
    attributes.extend(why.map(|why| KeyValue::new(key::ERROR, why)));
    MESSAGES_CONSUMED.add(u64::try_from(count).unwrap_or(u64::MAX), &attributes);
    PROCESS_DURATION.took(took, &attributes);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use telemetry::trace::{TraceContext, current, traceparent};
    use uuid::Uuid;

    use super::*;

    fn message(traceparent: Option<String>) -> Message {
        Message {
            id: Uuid::nil(),
            source: "render".into(),
            subject: "filmstrip.render.v1.43.render_finished".into(),
            entity: "43".into(),
            name: "render_finished".into(),
            position: 1,
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            traceparent,
            correlation_id: String::new(),
            data: Value::Null,
        }
    }

    fn channel() -> Channel {
        Channel { system: "nats", source: "render".into(), durable: "job-render".into() }
    }

    fn context(message: &Message) -> TraceContext {
        message.traceparent.as_deref().unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn a_handler_of_one_message_runs_in_the_messages_own_span() {
        let stored = TraceContext::root();
        let (handling, handed) = Handling::begin(&channel(), &[message(Some(stored.to_string()))]);
        let within = handling.run(|| async { traceparent() }).await;
        assert_eq!(within, handed[0].traceparent);
        assert_eq!(context(&handed[0]).trace_id(), stored.trace_id());
        assert_ne!(context(&handed[0]).span_id(), stored.span_id());
    }

    #[tokio::test]
    async fn each_message_of_a_batch_has_a_span_in_its_own_trace_and_the_handler_is_in_none() {
        let stored = [TraceContext::root(), TraceContext::root()];
        let messages = stored.map(|stored| message(Some(stored.to_string())));
        let (handling, handed) = Handling::begin(&channel(), &messages);
        assert_eq!(handling.run(|| async { current() }).await, None);
        for (stored, handed) in stored.iter().zip(&*handed) {
            assert_eq!(context(handed).trace_id(), stored.trace_id());
            assert_ne!(context(handed).span_id(), stored.span_id());
        }
    }

    #[tokio::test]
    async fn a_message_without_a_trace_names_none_to_go_on_in() {
        for nowhere in [None, Some("00-1-2-01".to_owned())] {
            let (handling, handed) = Handling::begin(&channel(), &[message(nowhere)]);
            assert_eq!(handed[0].traceparent, None);
            assert!(handling.run(|| async { current() }).await.is_some(), "what is done for it is one trace");
        }
    }
}
