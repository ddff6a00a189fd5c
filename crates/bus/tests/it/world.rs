//! A producer and a consumer with logs of their own on a bus of either kind, and a collector of what arrives.

use std::time::Duration;

use bus::{
    Backoff, Bus, InProcessBus, Message, NatsBus, Published, Subscription, Translate, TranslateError,
    subjects,
};
use eventlog::testing::{NO_TABLES, scratch_log};
use eventlog::{Append, Log, Meta, NewEvent, StoredEvent, checkpoint};
use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;
use testservers::NatsServer;
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
    backend: Backend,
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

/// What carries the messages.
enum Backend {
    InProcess,
    Nats(Box<NatsServer>),
}

impl Backend {
    async fn bus(&self) -> Bus {
        match self {
            Self::InProcess => InProcessBus::new(),
            Self::Nats(server) => NatsBus::connect(&server.url(), "laws").await.unwrap(),
        }
    }
}

/// In all of them, the producer is not registered yet.
impl World {
    pub(crate) async fn in_process() -> Self {
        Self::on(Backend::InProcess).await
    }

    pub(crate) async fn on_nats() -> Self {
        Self::on(Backend::Nats(Box::new(NatsServer::start().await.unwrap()))).await
    }

    async fn on(backend: Backend) -> Self {
        let ((producer, first), (consumer, second)) =
            (scratch_log(&NO_TABLES).await, scratch_log(&NO_TABLES).await);
        let bus = backend.bus().await;
        Self { bus, producer, consumer, backend, _directories: [first, second] }
    }

    /// The process ends and another one begins, on the same logs and the same server.
    pub(crate) async fn restart(&mut self) {
        tokio::time::timeout(DEADLINE, self.bus.stop()).await.expect("the bus does not stop");
        self.bus = self.backend.bus().await;
    }

    pub(crate) fn register(&self) {
        self.register_with(translate);
    }

    pub(crate) fn register_with(&self, translate: Translate) {
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
        Collector::start(self.subscription(durable))
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
    pub(crate) fn start(subscription: Subscription) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let cancel = CancellationToken::new();
        let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
            let sender = sender.clone();
            async move { Ok(sender.send(message)?) }
        }));
        Self { arrived, cancel, running }
    }

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

    /// Stops the subscription; how far it has come is saved then.
    pub(crate) async fn stop(self) {
        self.cancel.cancel();
        tokio::time::timeout(DEADLINE, self.running).await.expect("it does not stop").unwrap();
    }
}

pub(crate) fn number(message: &Message) -> u64 {
    message.data["number"].as_u64().unwrap()
}
