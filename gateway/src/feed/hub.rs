//! Who wants to hear of which job. Each reader has a queue of its own; one that is full is cut.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use protos::job::v1::FeedItem;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Hands items to the readers of their jobs; cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Shared>);

struct Shared {
    queue: usize,
    next: AtomicU64,
    readers: Mutex<HashMap<i32, Vec<Listener>>>,
    /// Told of every item before any reader is.
    first: Box<dyn Fn() + Send + Sync>,
}

struct Listener {
    id: u64,
    queue: mpsc::Sender<Arc<FeedItem>>,
    cut: CancellationToken,
}

impl Hub {
    /// A hub whose readers may lag `queue` items behind, and which calls `first` before they hear of anything.
    pub(crate) fn new(queue: usize, first: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Shared {
            queue: queue.max(1),
            next: AtomicU64::new(0),
            readers: Mutex::default(),
            first: Box::new(first),
        }))
    }

    /// Starts to listen for a job's items; `cut` is canceled when the listener cannot keep up.
    pub(crate) fn listen(&self, job: i32, cut: CancellationToken) -> Listening {
        let (sender, queue) = mpsc::channel(self.0.queue);
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.readers.lock().entry(job).or_default().push(Listener { id, queue: sender, cut });
        Listening { hub: self.clone(), job, id, queue }
    }

    /// Gives an item to everyone who listens for its job. Never waits.
    pub(crate) fn publish(&self, item: FeedItem) {
        (self.0.first)();
        let job = item.job_id;
        let item = Arc::new(item);
        let mut readers = self.0.readers.lock();
        let Some(listeners) = readers.get_mut(&job) else { return };
        listeners.retain(|listener| match listener.queue.try_send(item.clone()) {
            Ok(()) => true,
            Err(_) => {
                tracing::info!(job, "a reader of a job's events cannot keep up and is cut");
                listener.cut.cancel();
                false
            }
        });
        if listeners.is_empty() {
            readers.remove(&job);
        }
    }

    /// Tells every reader that items may be missing before the next one: position 0 is no event's.
    pub(crate) fn began_anew(&self) {
        let jobs: Vec<i32> = self.0.readers.lock().keys().copied().collect();
        for job_id in jobs {
            self.publish(FeedItem { job_id, ..FeedItem::default() });
        }
    }

    fn leave(&self, job: i32, id: u64) {
        let mut readers = self.0.readers.lock();
        if let Some(listeners) = readers.get_mut(&job) {
            listeners.retain(|listener| listener.id != id);
            if listeners.is_empty() {
                readers.remove(&job);
            }
        }
    }

    #[cfg(test)]
    fn listeners(&self) -> usize {
        self.0.readers.lock().values().map(Vec::len).sum()
    }
}

/// A place at the hub; left when dropped.
pub(crate) struct Listening {
    hub: Hub,
    job: i32,
    id: u64,
    queue: mpsc::Receiver<Arc<FeedItem>>,
}

impl Listening {
    /// The next item; none once the listener was cut.
    pub(crate) async fn next(&mut self) -> Option<Arc<FeedItem>> {
        self.queue.recv().await
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.hub.leave(self.job, self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(job_id: i32, position: i64) -> FeedItem {
        FeedItem { job_id, position, ..FeedItem::default() }
    }

    #[tokio::test]
    async fn an_item_reaches_the_readers_of_its_job_only() {
        let hub = Hub::new(4, || {});
        let mut one = hub.listen(1, CancellationToken::new());
        let mut two = hub.listen(2, CancellationToken::new());
        hub.publish(item(1, 10));
        hub.publish(item(2, 11));
        assert_eq!(one.next().await.map(|item| item.position), Some(10));
        assert_eq!(two.next().await.map(|item| item.position), Some(11));
    }

    #[tokio::test]
    async fn a_reader_with_a_full_queue_is_cut_and_the_others_are_not() {
        let hub = Hub::new(2, || {});
        let cut = CancellationToken::new();
        let mut slow = hub.listen(1, cut.clone());
        let quick_cut = CancellationToken::new();
        let mut quick = hub.listen(1, quick_cut.clone());
        for position in 1..=3 {
            hub.publish(item(1, position));
            assert_eq!(quick.next().await.map(|item| item.position), Some(position));
        }
        assert!(cut.is_cancelled());
        assert!(!quick_cut.is_cancelled());
        assert_eq!(slow.next().await.map(|item| item.position), Some(1));
        assert_eq!(slow.next().await.map(|item| item.position), Some(2));
        assert!(slow.next().await.is_none());
    }

    #[tokio::test]
    async fn a_reader_that_goes_leaves_nothing_behind() {
        let hub = Hub::new(2, || {});
        let listening = hub.listen(1, CancellationToken::new());
        assert_eq!(hub.listeners(), 1);
        drop(listening);
        assert_eq!(hub.listeners(), 0);
        hub.publish(item(1, 1));
    }
}
