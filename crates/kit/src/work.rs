//! How much work there is, told once a second by every process that could do it: whoever does it, the tables say the
//! same to all.

use std::{fmt::Display, time::Duration};

use jiff::Timestamp;
use telemetry::{
    KeyValue,
    metrics::{WORK_ACTIVE, WORK_DUE, WORK_OLDEST_AGE, key},
};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(1);

/// Work of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// What waits for somebody to begin.
    pub due: u64,
    /// What was begun and is not over.
    pub active: u64,
    /// How long that waits which waits longest; zero when nothing does.
    pub longest_wait: Duration,
}

impl Work {
    /// What is due and what was begun; that which waits longest waits `since` then.
    #[must_use]
    pub fn since(due: u64, active: u64, since: Option<Timestamp>, now: Timestamp) -> Self {
        let waits = |since| Duration::try_from(now.duration_since(since)).unwrap_or_default();
        Self { due, active, longest_wait: since.map(waits).unwrap_or_default() }
    }

    /// Tells the metrics, under this name, such as `render`.
    pub fn tell(&self, name: &'static str) {
        let attributes = [KeyValue::new(key::WORK, name)];
        WORK_DUE.set_count(self.due, &attributes);
        WORK_ACTIVE.set_count(self.active, &attributes);
        WORK_OLDEST_AGE.set(self.longest_wait.as_secs_f64(), &attributes);
    }
}

/// Looks once a second until `cancel`. A look that fails, for the database is away, leaves what was told last.
pub async fn every_second<F, E>(cancel: &CancellationToken, look: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => return,
            looked = look() => if let Err(error) = looked {
                tracing::debug!(%error, "how much work there is cannot be told");
            },
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_at_every_second_also_after_a_look_that_failed_and_until_the_end() {
        let (cancel, looks) = (CancellationToken::new(), AtomicUsize::new(0));
        let look = || {
            let look = looks.fetch_add(1, Ordering::Relaxed);
            if look == 5 {
                cancel.cancel();
            }
            std::future::ready(if look % 2 == 0 { Ok(()) } else { Err("the database is away") })
        };
        let began = tokio::time::Instant::now();
        every_second(&cancel, look).await;
        assert_eq!((looks.load(Ordering::Relaxed), began.elapsed()), (6, Duration::from_secs(5)));
    }
}
