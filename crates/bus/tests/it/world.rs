//! A producer and a consumer with logs of their own, and a collector of what arrives.

use std::sync::Arc;
use std::time::Duration;

use bus::{Backoff, Bus, InProcessBus, Message, Published, Subscription, TranslateError, subjects};
use eventlog::testing::{NO_TABLES, scratch_log};
use eventlog::{Append, Log, Meta, NewEvent, StoredEvent, checkpoint};
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const DURABLE: &str = subjects::durable::JOB_RENDER;

/// For waits that end at once when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) producer: Log,
    pub(crate) consumer: Log,
    _directories: [TempDir; 2],
}

/// `Finished` is published, `Noted` is not, `Garbled` cannot be.
pub(crate) fn translate(event: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    match event.kind.as_str() {
        "Noted" => Ok(None),
        "Finished" => Published::new(&event.stream, "render_finished", &event.data).map(Some),
        kind => Err(TranslateError::new(format!("{kind} is not known"))),
    }
}

impl World {
    /// A world whose producer is not registered yet.
    pub(crate) async fn unregistered() -> Self {
        let ((producer, first), (consumer, second)) =
            (scratch_log(&NO_TABLES).await, scratch_log(&NO_TABLES).await);
        Self { bus: InProcessBus::new(), producer, consumer, _directories: [first, second] }
    }

    pub(crate) async fn new() -> Self {
        let world = Self::unregistered().await;
        world.register();
        world
    }

    pub(crate) fn register(&self) {
        self.bus.register(subjects::source::RENDER, self.producer.clone(), translate);
    }

    /// Appends events of one kind to a stream, numbered as given.
    pub(crate) async fn append(&self, stream: &str, kind: &str, numbers: impl IntoIterator<Item = u32>) {
        let meta = Meta {
            correlation_id: "request-1".into(),
            traceparent: Some("00-1-2-01".into()),
            ..Meta::default()
        };
        let events = numbers.into_iter().map(|number| {
            NewEvent::new(Uuid::now_v7(), kind, json!({ "number": number }), Timestamp::UNIX_EPOCH)
                .meta(meta.clone())
        });
        self.producer.append(Append::to(stream).events(events)).await.unwrap();
    }

    pub(crate) fn subscription(&self, durable: &str) -> Subscription {
        let quick = Backoff { min: Duration::from_millis(1), max: Duration::from_millis(5) };
        self.bus.subscribe(subjects::source::RENDER, durable, self.consumer.clone()).backoff(quick)
    }

    /// Runs a subscription until the collector is stopped.
    pub(crate) fn collect(&self, durable: &str) -> Collector {
        let (sender, arrived) = mpsc::unbounded_channel();
        let sender = Arc::new(sender);
        let cancel = CancellationToken::new();
        let running = self.subscription(durable).run(cancel.clone(), move |message| {
            let sender = Arc::clone(&sender);
            async move {
                sender.send(message)?;
                Ok(())
            }
        });
        Collector { arrived, cancel, running: tokio::spawn(running) }
    }

    pub(crate) async fn checkpoint(&self, durable: &str) -> i64 {
        checkpoint::load(&self.consumer, &subjects::checkpoint(durable)).await.unwrap()
    }
}

pub(crate) struct Collector {
    pub(crate) arrived: mpsc::UnboundedReceiver<Message>,
    cancel: CancellationToken,
    running: JoinHandle<()>,
}

impl Collector {
    pub(crate) async fn next(&mut self) -> Message {
        tokio::time::timeout(DEADLINE, self.arrived.recv()).await.expect("no message came").unwrap()
    }

    pub(crate) async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(number(&self.next().await));
        }
        numbers
    }

    /// Stops the subscription; its checkpoint is saved then.
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(DEADLINE, self.running).await.expect("it does not stop").unwrap();
    }
}

pub(crate) fn number(message: &Message) -> u64 {
    message.data["number"].as_u64().unwrap()
}
