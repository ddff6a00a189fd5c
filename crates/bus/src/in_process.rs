//! The bus inside one process: each subscription reads the producer's log itself.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use eventlog::{Log, StoredEvent, Tail, checkpoint};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::lag::{Lag, Place};
use crate::subscription::Feed;
use crate::{EventBus, Message, Subscription, Translate, subjects};

/// Finished messages after which the checkpoint is saved even if more are at hand: so many, and a batch more, are
/// delivered again after a crash.
const CHECKPOINT_EVERY: usize = 128;
/// How long nothing comes before the checkpoint is saved: messages that lead to each other are not kept waiting by it.
const LULL: Duration = Duration::from_millis(50);

/// A producer: its log, and how its events are translated.
#[derive(Debug, Clone)]
struct Producer {
    log: Log,
    translate: Translate,
}

/// The bus of a process that runs every service.
#[derive(Debug, Default)]
pub struct InProcessBus {
    producers: Mutex<HashMap<String, watch::Sender<Option<Producer>>>>,
}

impl InProcessBus {
    /// A bus without producers.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// See [`EventBus::register`].
    pub fn register(&self, source: &str, log: Log, translate: Translate) {
        let mut producers = self.producers.lock();
        let producer = producers.entry(source.to_owned()).or_default();
        producer.send_replace(Some(Producer { log, translate }));
    }

    /// See [`EventBus::subscribe`].
    pub fn subscribe(&self, source: &str, durable: &str, consumer_log: Log) -> Subscription {
        let producer = self.producers.lock().entry(source.to_owned()).or_default().subscribe();
        let feed = Relay {
            source: source.to_owned(),
            checkpoint: subjects::checkpoint(durable),
            consumer_log,
            producer,
            reading: None,
            ahead: VecDeque::new(),
            handed: VecDeque::new(),
            finished: Place::unknown(),
            unsaved: 0,
            saved: 0,
        };
        Subscription::new(source, durable, Box::new(feed))
    }
}

impl EventBus for InProcessBus {
    fn register(&self, source: &str, log: Log, translate: Translate) {
        Self::register(self, source, log, translate);
    }

    fn subscribe(&self, source: &str, durable: &str, consumer_log: Log) -> Subscription {
        Self::subscribe(self, source, durable, consumer_log)
    }
}

/// Reads a producer's log for one subscription.
#[derive(Debug)]
struct Relay {
    source: String,
    checkpoint: String,
    consumer_log: Log,
    producer: watch::Receiver<Option<Producer>>,
    reading: Option<(Tail, Translate)>,
    /// Events that were read and that are not finished.
    ahead: VecDeque<StoredEvent>,
    /// Positions of those that were handed over.
    handed: VecDeque<i64>,
    /// Position up to which there is nothing left to do; unknown before it begins.
    finished: Place,
    /// Messages finished since the checkpoint was saved.
    unsaved: usize,
    /// The checkpoint.
    saved: i64,
}

impl Relay {
    /// Waits for the producer, finds the place to start. `None`: canceled.
    async fn start(&mut self, cancel: &CancellationToken) -> anyhow::Result<Option<Translate>> {
        if let Some((_, translate)) = &self.reading {
            return Ok(Some(*translate));
        }
        let registered = tokio::select! {
            () = cancel.cancelled() => return Ok(None),
            registered = self.producer.wait_for(Option::is_some) => {
                registered.map(|producer| producer.clone())
            }
        };
        let producer = registered.context("the bus is gone")?.context("the source is not registered")?;
        let after = checkpoint::load(&self.consumer_log, &self.checkpoint).await.context("the checkpoint")?;
        self.saved = after;
        self.finished.set(after);
        self.reading = Some((Tail::new(producer.log, after), producer.translate));
        Ok(Some(producer.translate))
    }

    /// Reads more once everything at hand was handed over, and saves when nothing comes for a while. `None`: canceled.
    async fn read(&mut self, cancel: &CancellationToken) -> anyhow::Result<Option<()>> {
        if self.to_save().is_some()
            && let Some((tail, _)) = &mut self.reading
        {
            match tokio::time::timeout(LULL, tail.next_batch(cancel)).await {
                Ok(events) => return Ok(self.came(events.context(READING)?)),
                Err(_) => self.save().await?,
            }
        }
        let Some((tail, _)) = &mut self.reading else { return Ok(None) };
        let events = tail.next_batch(cancel).await.context(READING)?;
        Ok(self.came(events))
    }

    fn came(&mut self, events: Option<Vec<StoredEvent>>) -> Option<()> {
        self.ahead.extend(events?);
        Some(())
    }

    /// What is published of the events at hand. What is before an event that cannot be published does not wait for it.
    fn at_hand(&mut self, translate: Translate, most: usize) -> anyhow::Result<Vec<Message>> {
        self.handed.clear();
        let mut messages = Vec::new();
        for event in &self.ahead {
            match Message::translate(&self.source, translate, event) {
                Ok(Some(message)) => {
                    messages.push(message);
                    self.handed.push_back(event.position);
                }
                Ok(None) if messages.is_empty() => self.finished.set(event.position),
                Ok(None) => {}
                Err(error) if messages.is_empty() => {
                    return Err(error).with_context(|| {
                        format!(
                            "event {} ({} of {}, position {}) cannot be published",
                            event.id, event.kind, self.source, event.position
                        )
                    });
                }
                Err(_) => break,
            }
            if messages.len() >= most {
                break;
            }
        }
        Ok(messages)
    }

    fn drop_finished(&mut self) {
        let Some(finished) = self.finished.get() else { return };
        while self.ahead.front().is_some_and(|event| event.position <= finished) {
            self.ahead.pop_front();
        }
    }

    /// Where the checkpoint should be, if it is not there.
    fn to_save(&self) -> Option<i64> {
        self.finished.get().filter(|finished| *finished > self.saved)
    }
}

const READING: &str = "reading the producer's log";

#[async_trait]
impl Feed for Relay {
    fn system(&self) -> &'static str {
        "in_process"
    }

    fn lag(&self) -> Arc<dyn Lag> {
        Arc::new(Behind { producer: self.producer.clone(), finished: self.finished.clone() })
    }

    async fn next(
        &mut self,
        cancel: &CancellationToken,
        most: usize,
    ) -> anyhow::Result<Option<Vec<Message>>> {
        let Some(translate) = self.start(cancel).await? else { return Ok(None) };
        loop {
            let messages = self.at_hand(translate, most);
            self.drop_finished();
            let messages = messages?;
            if !messages.is_empty() {
                return Ok(Some(messages));
            }
            if self.read(cancel).await?.is_none() {
                return Ok(None);
            }
        }
    }

    fn finished(&mut self, count: usize) -> bool {
        let last = self.handed.drain(..count.min(self.handed.len())).next_back();
        if let Some(last) = last {
            self.finished.set(last);
            self.drop_finished();
        }
        self.unsaved += count;
        self.unsaved >= CHECKPOINT_EVERY
    }

    async fn save(&mut self) -> anyhow::Result<()> {
        if let Some(finished) = self.to_save() {
            checkpoint::save(&self.consumer_log, &self.checkpoint, finished)
                .await
                .with_context(|| format!("saving the checkpoint {}", self.checkpoint))?;
            self.saved = finished;
            self.unsaved = 0;
        }
        Ok(())
    }
}

/// How far a subscription is behind the producer's log: events that are not published count until it has passed them.
struct Behind {
    producer: watch::Receiver<Option<Producer>>,
    finished: Place,
}

#[async_trait]
impl Lag for Behind {
    async fn ask(&self) -> anyhow::Result<Option<u64>> {
        let Some(Producer { log, .. }) = self.producer.borrow().clone() else { return Ok(None) };
        let head = log.head().await.context(READING)?;
        Ok(self.finished.behind(head))
    }
}
