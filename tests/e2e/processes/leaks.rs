//! All of it as processes, two of each: what one replica keeps and another gives back shows only here.

use stack::{Options, Service};

use super::Scaled;
use crate::leaks::{Effort, Held, Subject, Watched};

#[tokio::test(flavor = "multi_thread")]
async fn heavy_jobs_leave_nothing_behind_in_any_process() {
    let scaled = Scaled::start(Options { instant: true, ..Scaled::options() }).await;
    let clients = scaled.clients();
    let campaign = crate::world::campaign(&clients[0], "Quay House", 2).await;
    let stack = &scaled.stack;
    let watched = stack.replicas().map(|(service, index, _)| Watched {
        name: format!("{service} {index}"),
        process: stack.id(service, index).unwrap(),
    });
    let address = |name: &str| {
        let service = Service::WITH_DATABASE.into_iter().find(|service| service.name() == name).unwrap();
        stack.database_url(service).unwrap().to_owned()
    };
    let scratch = vec![stack.directory().join("scratch")];
    let subject = Subject {
        name: "Two replicas of each process on PostgreSQL, NATS and S3",
        clients,
        campaign,
        watched: watched.collect(),
        held: Held::new(address, scratch).await,
    };
    subject.drill(Effort::of(16)).await.judge();
    scaled.published_equals_logged().await;
    scaled.stop().await;
}
