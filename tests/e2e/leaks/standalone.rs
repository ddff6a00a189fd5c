//! One process with everything in it.

use super::{Effort, Held, Subject, Watched};
use crate::world::{World, campaign};

#[tokio::test(flavor = "multi_thread")]
async fn heavy_jobs_leave_nothing_behind_in_a_standalone() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 2).await;
    let data = world.server.data_dir().clone();
    let database = |service: &str| data.join("db").join(format!("{service}.sqlite")).display().to_string();
    let scratch = vec![data.join("blobs").join("spool"), data.join("scratch")];
    let subject = Subject {
        name: "Standalone",
        clients: vec![client],
        campaign,
        watched: vec![Watched { name: "standalone".to_owned(), process: world.server.id() }],
        held: Held::new(database, scratch).await,
    };
    subject.drill(Effort::of(16)).await.judge();
}
