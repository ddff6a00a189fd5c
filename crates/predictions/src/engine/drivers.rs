//! The orders that are worked on: each by one driver, also when a driver panics.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    time::Duration,
};

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long an order is left alone after its driver panicked: it may do so again.
const AFTER_PANIC: Duration = Duration::from_secs(5);

/// Drivers at work.
#[derive(Default)]
pub(super) struct Drivers {
    tasks: JoinSet<()>,
    /// Whose each task is; a driver that panicked cannot say.
    keys: HashMap<Id, String>,
    driven: HashSet<String>,
}

impl Drivers {
    /// Whether this order has a driver, or had one that has just panicked.
    pub(super) fn has(&self, key: &str) -> bool {
        self.driven.contains(key)
    }

    /// Starts the driver of an order that has none.
    pub(super) fn spawn(&mut self, key: String, driver: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(driver);
        self.driven.insert(key.clone());
        self.keys.insert(task.id(), key);
    }

    /// Waits until a driver has ended; never when none is at work. An order whose driver panicked may have another
    /// one after a pause, which `stop` ends.
    pub(super) async fn ended(&mut self, stop: &CancellationToken) {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => {
                if let Some(key) = self.keys.remove(&id) {
                    self.driven.remove(&key);
                }
            }
            Some(Err(lost)) => self.panicked(&lost, stop.clone()),
            None => std::future::pending().await,
        }
    }

    fn panicked(&mut self, lost: &JoinError, stop: CancellationToken) {
        let Some(key) = self.keys.remove(&lost.id()) else { return };
        tracing::error!(key, error = %lost, "work on an order broke off; it goes on after a pause");
        self.spawn(key, async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = tokio::time::sleep(AFTER_PANIC) => {}
            }
        });
    }

    /// Waits until all have ended.
    pub(super) async fn all_ended(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_order_whose_driver_panicked_is_left_alone_for_a_while_and_the_others_keep_theirs() {
        let (mut drivers, stop) = (Drivers::default(), CancellationToken::new());
        drivers.spawn("a".into(), async { panic!("a test's own panic") });
        let began = tokio::time::Instant::now();
        drivers.ended(&stop).await;
        drivers.spawn("b".into(), std::future::pending());
        assert!(drivers.has("a") && drivers.has("b"));
        drivers.ended(&stop).await;
        assert_eq!(began.elapsed(), AFTER_PANIC);
        assert!(!drivers.has("a") && drivers.has("b"));
    }

    #[tokio::test]
    async fn a_driver_that_has_not_begun_is_one_all_the_same() {
        let (mut drivers, stop) = (Drivers::default(), CancellationToken::new());
        drivers.spawn("a".into(), async { panic!("a test's own panic") });
        drivers.spawn("b".into(), async {});
        assert!(drivers.has("b"), "it could get a second one");
        drivers.ended(&stop).await;
        drivers.ended(&stop).await;
        assert!(drivers.has("a") && !drivers.has("b"));
        stop.cancel();
        drivers.ended(&stop).await;
        assert!(!drivers.has("a"), "the pause outlives the session");
        drivers.all_ended().await;
    }
}
