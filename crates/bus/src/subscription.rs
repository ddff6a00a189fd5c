//! The loop around a handler: deliver in order, retry what fails, remember what succeeded.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Message,
    handling::{Channel, Handling, Unhandled},
    lag::{self, Lag},
};

/// Waits between tries; each is about twice the one before, with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub min: Duration,
    /// No wait is longer, but for its jitter.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { min: Duration::from_millis(100), max: Duration::from_secs(30) }
    }
}

impl Backoff {
    fn delays(self) -> impl Iterator<Item = Duration> + Send {
        ExponentialBuilder::default()
            .with_min_delay(self.min)
            .with_max_delay(self.max)
            .with_jitter()
            .without_max_times()
            .build()
    }
}

/// How a subscription is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Tries of the current step that failed in a row; 0 when all is well.
    pub failures: u64,
    /// The last failure, with its causes.
    pub last_error: Option<String>,
}

/// Where a subscription's messages come from: the part that differs between transports.
#[async_trait]
pub(crate) trait Feed: std::fmt::Debug + Send {
    /// The transport's name in the semantic conventions.
    fn system(&self) -> &'static str;

    /// Who knows how far behind it is.
    fn lag(&self) -> Arc<dyn Lag>;

    /// The next messages, in order: those that are at hand, at most `most` of them; waits for the first. `None` once
    /// `cancel` is triggered. After an error the next call tries the same place again.
    async fn next(&mut self, cancel: &CancellationToken, most: usize)
    -> anyhow::Result<Option<Vec<Message>>>;

    /// The handler is done with the first `count` messages of those handed over and not finished: go on behind them.
    /// `true`: save that now.
    fn finished(&mut self, count: usize) -> bool;

    /// Saves how far the handler has come.
    async fn save(&mut self) -> anyhow::Result<()>;

    /// Gives back what was taken and not handled; nothing follows.
    async fn close(&mut self) {}
}

/// A durable subscription to the messages of one source.
#[derive(Debug)]
pub struct Subscription {
    feed: Box<dyn Feed>,
    channel: Channel,
    backoff: Backoff,
    health: watch::Sender<Health>,
}

impl Subscription {
    pub(crate) fn new(source: &str, durable: &str, feed: Box<dyn Feed>) -> Self {
        let health = watch::Sender::new(Health::default());
        let channel =
            Channel { system: feed.system(), source: source.to_owned(), durable: durable.to_owned() };
        Self { feed, channel, backoff: Backoff::default(), health }
    }

    /// Sets the waits between tries.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How the subscription is doing, while it runs and afterwards.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// Hands every message to `handler`, one after the other, until `cancel` is triggered. A message whose
    /// handler fails is handed over again, after a wait, until it succeeds; those behind it wait, other
    /// subscriptions do not. A message may come again after a restart.
    pub async fn run<F>(self, cancel: CancellationToken, mut handler: impl FnMut(Message) -> F + Send)
    where
        F: Future<Output = Result<(), anyhow::Error>> + Send,
    {
        self.run_batches(cancel, 1, move |messages| handler(messages[0].clone())).await;
    }

    /// Like [`Subscription::run`], but hands over together, in their order, the messages that are at hand, at most `most`
    /// of them (at least 1). Those of a batch that fails are handed over again, one by one, so that only the one that
    /// cannot be handled holds up those behind it: a handler must not mind a message that it has handled before.
    ///
    /// A handler of several messages runs in no trace: what it does for one of them it does under that one's
    /// [`Message::traceparent`].
    pub async fn run_batches<F>(
        self,
        cancel: CancellationToken,
        most: usize,
        handler: impl FnMut(Arc<[Message]>) -> F + Send,
    ) where
        F: Future<Output = Result<(), anyhow::Error>> + Send,
    {
        let (lag, channel) = (self.feed.lag(), self.channel.clone());
        tokio::select! {
            () = self.deliver_all(cancel, most, handler) => {}
            never = lag::tell(lag.as_ref(), &channel.source, &channel.durable) => match never {},
        }
    }

    async fn deliver_all<F>(
        mut self,
        cancel: CancellationToken,
        most: usize,
        mut handler: impl FnMut(Arc<[Message]>) -> F + Send,
    ) where
        F: Future<Output = Result<(), anyhow::Error>> + Send,
    {
        while let Some(messages) = self.next(&cancel, most.max(1)).await {
            if self.deliver(&cancel, &mut handler, messages).await.is_none() {
                break;
            }
        }
        self.try_save().await;
        self.feed.close().await;
    }

    /// `None`: canceled. So for the following five.
    async fn next(&mut self, cancel: &CancellationToken, most: usize) -> Option<Vec<Message>> {
        let mut delays = self.backoff.delays();
        loop {
            match self.feed.next(cancel, most).await {
                Ok(messages) => {
                    self.well();
                    return messages;
                }
                Err(error) => self.failed("no next message", &error),
            }
            self.try_save().await;
            wait(cancel, delays.next()).await?;
        }
    }

    async fn deliver<F>(
        &mut self,
        cancel: &CancellationToken,
        handler: &mut (impl FnMut(Arc<[Message]>) -> F + Send),
        messages: Vec<Message>,
    ) -> Option<()>
    where
        F: Future<Output = Result<(), anyhow::Error>> + Send,
    {
        let count = messages.len();
        self.crossed("before", &messages);
        if count > 1 && self.once(cancel, handler, &messages).await? {
            return self.finished(cancel, count).await;
        }
        for message in &messages {
            self.handle(cancel, handler, message).await?;
            self.finished(cancel, 1).await?;
        }
        Some(())
    }

    /// Names the points before the messages are handed over and after they are handled.
    fn crossed(&self, side: &str, messages: &[Message]) {
        for message in messages {
            boundary::cross(format_args!("consume.{side}/{}/{}", self.channel.durable, message.name));
        }
    }

    /// One message, until it is handled.
    async fn handle<F>(
        &mut self,
        cancel: &CancellationToken,
        handler: &mut (impl FnMut(Arc<[Message]>) -> F + Send),
        message: &Message,
    ) -> Option<()>
    where
        F: Future<Output = Result<(), anyhow::Error>> + Send,
    {
        let mut delays = self.backoff.delays();
        while !self.once(cancel, handler, std::slice::from_ref(message)).await? {
            // What went well before it must not come again because this one is stuck.
            self.try_save().await;
            wait(cancel, delays.next()).await?;
        }
        Some(())
    }

    /// Hands messages over once; whether they are handled.
    async fn once<F>(
        &mut self,
        cancel: &CancellationToken,
        handler: &mut (impl FnMut(Arc<[Message]>) -> F + Send),
        messages: &[Message],
    ) -> Option<bool>
    where
        F: Future<Output = Result<(), anyhow::Error>> + Send,
    {
        let (handling, handed) = Handling::begin(&self.channel, messages);
        let handled = tokio::select! {
            () = cancel.cancelled() => None,
            handled = handling.run(|| handler(handed)) => Some(handled),
        };
        let outcome = match &handled {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(Unhandled::Failed),
            None => Err(Unhandled::Canceled),
        };
        if let Some(Err(error)) = handled {
            let (what, error) = match messages {
                [one] => ("a message is not handled", error.context(format!("handling {}", one.subject))),
                _ => ("messages are not handled together, so one by one", error),
            };
            handling.failed(&error, || self.failed(what, &error));
        }
        handling.ended(&self.channel, outcome);
        match outcome {
            Ok(()) => {
                self.crossed("after", messages);
                self.well();
                Some(true)
            }
            Err(Unhandled::Failed) => Some(false),
            Err(Unhandled::Canceled) => None,
        }
    }

    async fn finished(&mut self, cancel: &CancellationToken, count: usize) -> Option<()> {
        if self.feed.finished(count) {
            self.save(cancel).await?;
        }
        Some(())
    }

    async fn save(&mut self, cancel: &CancellationToken) -> Option<()> {
        let mut delays = self.backoff.delays();
        while let Err(error) = self.feed.save().await {
            self.failed("a checkpoint is not saved", &error);
            wait(cancel, delays.next()).await?;
        }
        self.well();
        Some(())
    }

    /// Saves if it can: failing costs that messages come again.
    async fn try_save(&mut self) {
        if let Err(error) = self.feed.save().await {
            tracing::warn!(durable = self.channel.durable, "saving the checkpoint: {error:#}");
        }
    }

    fn failed(&self, what: &str, error: &anyhow::Error) {
        let mut failures = 0;
        self.health.send_modify(|health| {
            health.failures += 1;
            health.last_error = Some(format!("{error:#}"));
            failures = health.failures;
        });
        tracing::error!(durable = self.channel.durable, failures, "{what}, trying again: {error:#}");
    }

    fn well(&self) {
        self.health.send_if_modified(|health| {
            let changed = health.failures > 0;
            health.failures = 0;
            health.last_error = None;
            changed
        });
    }
}

/// `None`: canceled meanwhile.
async fn wait(cancel: &CancellationToken, delay: Option<Duration>) -> Option<()> {
    tokio::select! {
        () = cancel.cancelled() => None,
        () = tokio::time::sleep(delay.unwrap_or_default()) => Some(()),
    }
}
