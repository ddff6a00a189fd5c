//! One reader's view of a job's events: what it missed, then what happens, then the end.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kit::Clock;
use protos::job::v1::{FeedItem, ReadFeedRequest};
use tokio_util::sync::CancellationToken;

use super::hub::Listening;
use crate::backends::Backends;

/// How long a reader hears nothing before it gets a sign of life.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a reader gets next.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something happened.
    Item(Arc<FeedItem>),
    /// Nothing did, but the connection is alive.
    Heartbeat,
}

/// Reads one job's events in order, each once.
pub(crate) struct Reader {
    job: i32,
    /// Position of the newest event that the reader has.
    last: i64,
    missed: VecDeque<Arc<FeedItem>>,
    listening: Listening,
    backends: Backends,
    clock: Clock,
    cancel: CancellationToken,
    next_beat: Timestamp,
    over: bool,
}

impl Reader {
    /// A reader that has everything up to `last`.
    pub(crate) fn new(
        (job, last): (i32, i64),
        listening: Listening,
        backends: Backends,
        clock: Clock,
        cancel: CancellationToken,
    ) -> Self {
        let next_beat = beat_after(&clock);
        let missed = VecDeque::new();
        Self { job, last, missed, listening, backends, clock, cancel, next_beat, over: false }
    }

    /// The next message; none after the terminal one, when the reader was cut, or when we stop.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            if self.over {
                return None;
            }
            if let Some(item) = self.missed.pop_front() {
                if item.position <= self.last {
                    continue;
                }
                self.last = item.position;
                // A terminal event with more after it was the end of an earlier cut.
                self.over = item.terminal && self.missed.is_empty();
                self.next_beat = beat_after(&self.clock);
                return Some(Message::Item(item));
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return None,
                item = self.listening.next() => {
                    let item = item?;
                    if item.position > 0 {
                        self.missed.push_back(item);
                    } else if self.catch_up().await.is_err() {
                        // Better a reader that comes again with its last id than one with a hole.
                        return None;
                    }
                }
                () = self.clock.sleep_until(self.next_beat) => {
                    self.next_beat = beat_after(&self.clock);
                    if !self.catch_up().await.unwrap_or(false) {
                        return Some(Message::Heartbeat);
                    }
                }
            }
        }
    }

    /// Asks for what may have been lost on the way; true when there was something.
    pub(crate) async fn catch_up(&mut self) -> Result<bool, tonic::Status> {
        let request = ReadFeedRequest { job_id: self.job, after_position: self.last };
        let items = self.backends.job().read_feed(request).await?.into_inner().items;
        self.missed.extend(items.into_iter().filter(|item| item.position > self.last).map(Arc::new));
        Ok(!self.missed.is_empty())
    }
}

fn beat_after(clock: &Clock) -> Timestamp {
    clock.now() + SignedDuration::try_from(HEARTBEAT).unwrap_or_default()
}
