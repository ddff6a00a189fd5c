//! What each process says of itself while its database is away: it lives, it is not ready, and it comes back by itself.

use std::time::Duration;

use stack::{Options, Service};
use tokio::time::Instant;

use super::{PATIENCE, Scaled};
use crate::world::{note, pause};

/// From the database's first answer to that of the last process.
const BACK: Duration = Duration::from_secs(5);

/// Whether each process says that it is ready, or that it lives, asked by the command that a container has for it.
async fn says(scaled: &Scaled, arguments: &[&str]) -> Vec<(Service, bool)> {
    let asked = Service::ALL
        .map(|service| async move { (service, scaled.stack.run(service, arguments).await.is_ok()) });
    futures::future::join_all(asked).await
}

/// Waits until each of them is as wanted.
async fn until_ready_is(scaled: &Scaled, wanted: bool) {
    let mut last = Vec::new();
    let turning = async {
        loop {
            last = says(scaled, &["healthcheck"]).await;
            if last.iter().all(|(_, ready)| *ready == wanted) {
                return;
            }
            pause().await;
        }
    };
    let turned = tokio::time::timeout(PATIENCE, turning).await;
    assert!(turned.is_ok(), "ready should be {wanted}: {last:?}");
}

/// None has ended, and each of them answers.
async fn everybody_lives(scaled: &mut Scaled) {
    let ended = scaled.stack.ended();
    assert!(ended.is_empty(), "{ended:?}");
    let lives = says(scaled, &["healthcheck", "--live"]).await;
    assert!(lives.iter().all(|(_, lives)| *lives), "{lives:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_without_its_database_a_process_lives_is_not_ready_and_is_ready_within_five_seconds_of_its_return()
 {
    let mut scaled = Scaled::start(Options { replicas: 1, ..Scaled::options() }).await;
    until_ready_is(&scaled, true).await;
    everybody_lives(&mut scaled).await;

    scaled.stack.postgres().stop();
    until_ready_is(&scaled, false).await;
    let why = scaled.stack.run(Service::Render, &["healthcheck"]).await.unwrap_err();
    assert!(format!("{why:#}").contains("database is away"), "{why:#}");
    // Longer than it takes to give up: nobody does.
    let away = Instant::now();
    while away.elapsed() < Duration::from_secs(3) {
        everybody_lives(&mut scaled).await;
    }

    scaled.stack.postgres().run().await.unwrap();
    let back = Instant::now();
    until_ready_is(&scaled, true).await;
    let took = back.elapsed();
    note(&format!("ready again after {:.1} s", took.as_secs_f64()));
    assert!(took < BACK, "{took:?}");
    everybody_lives(&mut scaled).await;

    // What does not run does not live, although the port takes connections.
    scaled.stack.pause(Service::Stitch, 0).unwrap();
    assert!(scaled.stack.run(Service::Stitch, &["healthcheck", "--live"]).await.is_err());
    scaled.stack.resume(Service::Stitch, 0).unwrap();
    everybody_lives(&mut scaled).await;
    scaled.stop().await;
}
