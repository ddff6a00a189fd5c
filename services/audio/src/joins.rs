//! Joins under way, and those that failed and are to be tried again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::join::Joined;
use crate::track::Track;

/// How long to wait after a failure; doubled each time.
const PAUSE: Duration = Duration::from_secs(1);
/// How often joining is tried before the soundtrack fails.
const TRIES: u32 = 3;

/// Joins under way and those that failed.
#[derive(Default)]
pub(crate) struct Joins {
    tasks: JoinSet<anyhow::Result<Joined>>,
    running: HashMap<Id, Joining>,
    failed: HashMap<String, Retry>,
}

/// A join under way.
pub(crate) struct Joining {
    pub(crate) track: Track,
    /// What is missing of the track, when anything is.
    pub(crate) shortfall: Option<String>,
    task: Option<AbortHandle>,
}

struct Retry {
    tries: u32,
    not_before: Instant,
}

impl Joins {
    /// Whether one would be started: it is not under way, and has not just failed.
    pub(crate) fn takes(&self, key: &str) -> bool {
        let too_early = self.failed.get(key).is_some_and(|retry| Instant::now() < retry.not_before);
        !self.is_under_way(key) && !too_early
    }

    /// Starts one, unless it is under way or has just failed.
    pub(crate) fn start<F>(&mut self, track: Track, shortfall: Option<String>, work: F)
    where
        F: Future<Output = anyhow::Result<Joined>> + Send + 'static,
    {
        if !self.takes(&track.key) {
            return;
        }
        let task = self.tasks.spawn(work);
        self.running.insert(task.id(), Joining { track, shortfall, task: Some(task) });
    }

    /// Ends and forgets those of soundtracks that are not to be joined (any more).
    pub(crate) fn keep(&mut self, wanted: &HashSet<String>) {
        self.failed.retain(|key, _| wanted.contains(key));
        self.running.retain(|_, joining| {
            let keep = wanted.contains(&joining.track.key);
            if let Some(task) = joining.task.take_if(|_| !keep) {
                task.abort();
            }
            keep
        });
    }

    /// When the next one that failed is to be tried again; those that are being tried are not waited for.
    pub(crate) fn again_at(&self) -> Option<Instant> {
        let waits = |key: &str| !self.is_under_way(key);
        self.failed.iter().filter(|(key, _)| waits(key)).map(|(_, retry)| retry.not_before).min()
    }

    fn is_under_way(&self, key: &str) -> bool {
        self.running.values().any(|joining| joining.track.key == key)
    }

    /// The next one that ends, with what came of it; never when none is under way.
    pub(crate) async fn ended(&mut self) -> (Joining, anyhow::Result<Joined>) {
        loop {
            let (id, result) = match self.tasks.join_next_with_id().await {
                Some(Ok(done)) => done,
                Some(Err(lost)) => (JoinError::id(&lost), Err(anyhow::Error::new(lost))),
                None => std::future::pending().await,
            };
            // One that was ended because nobody wants it is not under way any more.
            if let Some(joining) = self.running.remove(&id) {
                return (joining, result);
            }
        }
    }

    /// Remembers that it worked.
    pub(crate) fn succeeded(&mut self, key: &str) {
        self.failed.remove(key);
    }

    /// Remembers that it failed: `true` when it is not worth trying again.
    pub(crate) fn failed(&mut self, key: &str) -> bool {
        let tries = self.failed.get(key).map_or(0, |retry| retry.tries) + 1;
        if tries >= TRIES {
            self.failed.remove(key);
            return true;
        }
        let not_before = Instant::now() + PAUSE * 2_u32.pow(tries);
        self.failed.insert(key.to_owned(), Retry { tries, not_before });
        false
    }

    /// Ends all that are under way, and waits until they have.
    pub(crate) async fn stop(&mut self) {
        self.tasks.shutdown().await;
        self.running.clear();
        self.failed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::State;

    fn track(key: &str) -> Track {
        Track {
            key: key.into(),
            digest: "d".into(),
            job_id: 1,
            request: None,
            state: State::Open,
            segments: Vec::new(),
            voice: None,
        }
    }

    #[tokio::test]
    async fn what_is_not_wanted_any_more_is_ended_and_not_looked_for_again() {
        let mut joins = Joins::default();
        joins.start(track("a"), None, async { anyhow::bail!("no disk") });
        let (ended, result) = joins.ended().await;
        assert!(ended.track.key == "a" && result.is_err());
        assert!(!joins.failed("a"));
        assert!(joins.again_at().is_some());
        let (alive, ended) = tokio::sync::oneshot::channel::<()>();
        joins.start(track("b"), None, async move {
            let _alive = alive;
            std::future::pending().await
        });
        joins.keep(&HashSet::new());
        assert!(ended.await.is_err(), "the join goes on");
        assert_eq!(joins.again_at(), None, "the soundtrack is looked for again and again");
        assert!(joins.running.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_being_tried_again_is_not_looked_for() {
        let mut joins = Joins::default();
        assert!(!joins.failed("a"));
        let again = joins.again_at().unwrap();
        tokio::time::sleep_until(again).await;
        joins.start(track("a"), None, std::future::pending());
        assert_eq!(joins.again_at(), None, "its time is past, and nobody needs to look");
        assert!(!joins.failed("b"));
        assert!(joins.again_at().is_some_and(|other| other > again));
        joins.stop().await;
    }

    #[tokio::test]
    async fn a_join_is_tried_three_times() {
        let mut joins = Joins::default();
        assert_eq!([joins.failed("a"), joins.failed("a"), joins.failed("a")], [false, false, true]);
    }

    #[tokio::test]
    async fn one_soundtrack_is_joined_once_at_a_time() {
        let mut joins = Joins::default();
        for _ in 0..2 {
            joins.start(track("a"), None, std::future::pending());
        }
        assert_eq!(joins.running.len(), 1);
        joins.stop().await;
        assert!(joins.running.is_empty() && joins.tasks.is_empty());
    }
}
