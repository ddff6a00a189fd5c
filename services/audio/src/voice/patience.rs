//! Trying again with what is paid already.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long it is tried once the process is to stop: less than it is given for that.
const LAST_MOMENTS: Duration = Duration::from_secs(10);
/// Pause before the next try.
const PAUSE: Duration = Duration::from_millis(500);

/// Does `work` until it succeeds, or the last error once patience is over.
pub(super) async fn patiently<T, E: Display, F>(
    stop: &CancellationToken,
    mut work: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let stopped = async {
        stop.cancelled().await;
        sleep(LAST_MOMENTS).await;
    };
    let end = async {
        tokio::select! { () = stopped => {}, () = sleep(PATIENCE) => {} }
    };
    tokio::pin!(end);
    let mut is_last = false;
    loop {
        let error = match work().await {
            Err(error) if !is_last => error,
            done => return done,
        };
        tracing::warn!(error = format!("{error:#}"), "a paid speech cannot be kept yet; trying again");
        tokio::select! { () = &mut end => is_last = true, () = sleep(PAUSE) => {} }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// How long it is tried by what never works.
    async fn lasts(stop: &CancellationToken) -> u64 {
        let begin = Instant::now();
        let failed: Result<(), _> = patiently(stop, || async { Err("no store") }).await;
        assert_eq!(failed, Err("no store"));
        begin.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_a_moment_is_done_in_the_end() {
        let mut tries = 0;
        let work = || {
            tries += 1;
            std::future::ready(if tries < 5 { Err("no store") } else { Ok(tries) })
        };
        assert_eq!(patiently(&CancellationToken::new(), work).await, Ok(5));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_sooner_when_the_process_does() {
        let stop = CancellationToken::new();
        assert_eq!(lasts(&stop).await, PATIENCE.as_secs());
        stop.cancel();
        assert_eq!(lasts(&stop).await, LAST_MOMENTS.as_secs());
    }
}
