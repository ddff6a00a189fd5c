//! SIGKILL of any one process in the middle of several jobs.

use std::time::Duration;

use filmstrip::client::is_over;
use stack::Service;

use super::{PATIENCE, Scaled, insisted_job};
use crate::world::{Moments, campaign, until_at_any};

const SCENES: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn heavy_each_of_twelve_processes_is_killed_in_the_middle_and_nothing_is_lost_or_bought_twice() {
    let seed = 0x5eed_c0de_0001;
    let mut moments = Moments(seed);
    let mut scaled = Scaled::start(Scaled::options()).await;
    let campaign = campaign(&scaled.client(0), "Quay House", 8).await;
    let mut victims: Vec<(Service, usize)> =
        scaled.stack.replicas().map(|(service, index, _)| (service, index)).collect();
    moments.shuffle(&mut victims);

    let clients = scaled.clients();
    let mut watched = Vec::new();
    for (number, (service, index)) in victims.iter().copied().enumerate() {
        let job = insisted_job(&clients, &campaign, SCENES, &number.to_string()).await;
        // Somebody follows each job from its beginning, over whichever gateway is there.
        let clients = clients.clone();
        let followed = tokio::spawn(async move { until_at_any(PATIENCE, &clients, job, is_over).await });
        watched.push((service, index, followed));
        tokio::time::sleep(moments.next(Duration::from_secs(3))).await;
        scaled.stack.kill(service, index).await.unwrap();
        tokio::time::sleep(moments.next(Duration::from_millis(500))).await;
        scaled.stack.start_again(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }
    let jobs = watched.len();
    for (service, index, followed) in watched {
        let done = followed.await.unwrap();
        assert_eq!(done["outcome"], "full", "seed {seed:#x}, {service} {index} killed: {done}");
    }
    scaled.bought_once(jobs * SCENES, jobs).await;
    scaled.published_equals_logged().await;
    scaled.stop().await;
}
