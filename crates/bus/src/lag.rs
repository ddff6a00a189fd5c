//! How far behind a relay and a subscription are, told while they run.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use telemetry::{
    KeyValue,
    metrics::{RELAY_LAG, SUBSCRIPTION_LAG, key},
};

/// How often it is told: what was told is never older than that by much.
pub(crate) const EVERY: Duration = Duration::from_millis(500);
/// How long an answer may take. One that is lost, because the consumer has no leader just then, is asked for again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who knows how far behind a subscription is.
#[async_trait]
pub(crate) trait Lag: Send + Sync {
    /// Messages that are not handled yet, those under way included; none as long as nobody knows.
    async fn ask(&self) -> anyhow::Result<Option<u64>>;
}

/// Tells how far behind a subscription is, as long as it is polled. While nobody answers, what was told last stays.
pub(crate) async fn tell(lag: &dyn Lag, source: &str, durable: &str) -> Infallible {
    let attributes = [
        KeyValue::new(key::DESTINATION, source.to_owned()),
        KeyValue::new(key::CONSUMER, durable.to_owned()),
    ];
    loop {
        match tokio::time::timeout(PATIENCE, lag.ask()).await {
            Ok(Ok(Some(count))) => SUBSCRIPTION_LAG.set_count(count, &attributes),
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => tracing::debug!(durable, "asking for the lag: {error:#}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Says of the relay of `source` how many events it has still to look at.
pub(crate) fn tell_relay(source: &str, count: u64) {
    RELAY_LAG.set_count(count, &[KeyValue::new(key::DESTINATION, source.to_owned())]);
}

/// A position in a log that others may look at; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Place(Arc<AtomicI64>);

/// Positions begin at 1; a place before the first is 0.
const UNKNOWN: i64 = -1;

impl Place {
    /// A place that nobody knows yet.
    pub(crate) fn unknown() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }

    /// Nobody knows it any more.
    pub(crate) fn forget(&self) {
        self.set(UNKNOWN);
    }

    pub(crate) fn set(&self, position: i64) {
        self.0.store(position, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|position| *position != UNKNOWN)
    }

    /// How many positions it is behind `head`.
    pub(crate) fn behind(&self, head: i64) -> Option<u64> {
        // It may have come further since the head was asked for.
        self.get().map(|place| u64::try_from(head.saturating_sub(place)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_behind_the_head_by_what_lies_between_them() {
        let place = Place::unknown();
        assert_eq!(place.behind(7), None, "who has not begun does not know");
        place.set(0);
        assert_eq!(place.behind(7), Some(7));
        place.set(7);
        assert_eq!((place.behind(7), place.behind(5)), (Some(0), Some(0)));
        place.forget();
        assert_eq!(place.behind(7), None);
    }
}
