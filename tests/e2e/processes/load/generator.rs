//! Requests at planned moments, however slow the answers are.

use std::{sync::Arc, time::Duration};

use filmstrip::client::Client;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    answers::{Answered, Answers},
    mix::{Asks, Known},
};

/// A load that goes on until it is stopped.
pub(super) struct Load {
    running: JoinHandle<Answers>,
    stop: CancellationToken,
}

impl Load {
    /// So many requests a second, numbered from `first`: numbers make what they write different.
    pub(super) fn start(client: Client, known: Arc<Known>, rate: u32, first: u32) -> Self {
        let stop = CancellationToken::new();
        let running = tokio::spawn(run(client, known, (rate, first), stop.clone()));
        Self { running, stop }
    }

    /// Asks for nothing more, waits for every answer, and gives them all.
    pub(super) async fn stop(self) -> Answers {
        self.stop.cancel();
        self.running.await.unwrap()
    }
}

async fn run(
    client: Client,
    known: Arc<Known>,
    (rate, first): (u32, u32),
    stop: CancellationToken,
) -> Answers {
    let (started, period) = (Instant::now(), Duration::from_secs(1) / rate);
    let mut under_way: JoinSet<Answered> = JoinSet::new();
    let mut answers = Answers::default();
    for number in first.. {
        let planned = started + period * (number - first);
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep_until(planned) => {}
        }
        while let Some(answered) = under_way.try_join_next() {
            answers.add(answered.unwrap());
        }
        let (client, known) = (client.clone(), Arc::clone(&known));
        under_way.spawn(async move {
            let asks = Asks::of(number);
            let outcome = asks.ask(&client, &known, number).await;
            // Whoever planned the request has waited since then, also for the one before it.
            Answered { asks, planned: started.elapsed(), latency: planned.elapsed(), outcome }
        });
    }
    while let Some(answered) = under_way.join_next().await {
        answers.add(answered.unwrap());
    }
    answers.took = started.elapsed();
    answers
}
