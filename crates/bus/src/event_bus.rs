//! The bus as services see it, whatever carries the messages.

use std::sync::Arc;

use async_trait::async_trait;
use eventlog::Log;

use crate::{Subscription, Translate};

/// A bus that is shared by everything in a process; cheap to clone.
pub type Bus = Arc<dyn EventBus>;

/// Carries published messages from producers to durable subscriptions.
#[async_trait]
pub trait EventBus: std::fmt::Debug + Send + Sync + 'static {
    /// Publishes what `translate` makes of the events in `log` under the name of a service, for example
    /// `render`. Registering a source again replaces it, for subscriptions that start to run afterwards.
    fn register(&self, source: &str, log: Log, translate: Translate);

    /// A subscription to all messages of `source`. A `durable` name that is new begins with the first message
    /// ever published, a known one goes on after the last message that its handler finished. Inside one
    /// process, one durable name must not run twice at the same time; over NATS, replicas share its messages. The source may be registered later.
    fn subscribe(&self, source: &str, durable: &str, consumer_log: Log) -> Subscription;

    /// Ends what the bus does in the background for this process and waits for it: another replica takes over
    /// at once. Subscriptions end on their own cancellation.
    async fn stop(&self) {}
}
