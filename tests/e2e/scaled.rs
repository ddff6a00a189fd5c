//! The same promises with PostgreSQL, NATS and S3 in place of files and the bus inside the process.

use crate::world::{Server, Servers, Stage, World, approved_job, campaign, finished};

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_holds_on_postgresql_nats_and_s3() {
    let servers = Servers::start().await;
    let world = World::with(Stage::INSTANT, servers.options()).await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 6).await;
    let job = approved_job(&client, &campaign, 3).await;
    let done = finished(&client, job).await;
    assert_eq!(done["outcome"], "full", "{done}\n{}", world.server.log());
    let ledger = world.stage.control().ledger().await.unwrap();
    assert_eq!(ledger.of_kind("video").filter(|p| p.charged).count(), 3);
    servers.published("render", 3).await;
    servers.published("job", 3).await;
    for part in ["db", "blobs"] {
        let files = std::fs::read_dir(world.server.data_dir().join(part)).unwrap().count();
        assert_eq!(files, 0, "nothing is kept in {part}");
    }
    assert!(servers.s3.objects().len() > 6, "photographs, clips and cuts are objects");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_standalones_on_one_database_share_the_work_and_buy_nothing_twice() {
    let servers = Servers::start().await;
    let world = World::with(Stage::DRAFT, servers.options()).await;
    let other = world.scratch.path().join("other");
    let other = Server::start(other, Some(&world.stage), servers.options()).await;
    let campaign = campaign(&world.client(), "Quay House", 6).await;
    let first = approved_job(&world.client(), &campaign, 3).await;
    let second = approved_job(&other.client(), &campaign, 3).await;
    for (job, client) in [(first, other.client()), (second, world.client())] {
        let done = finished(&client, job).await;
        assert_eq!(done["outcome"], "full", "{done}\n{}\n{}", world.server.log(), other.log());
    }
    let ledger = world.stage.control().ledger().await.unwrap();
    let charged = |kind: &str| ledger.of_kind(kind).filter(|p| p.charged).count();
    assert_eq!((charged("video"), charged("music")), (6, 2), "{:#?}", ledger.predictions);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_postgresql_nats_and_s3_a_job_completes_and_pays_once() {
    let servers = Servers::start().await;
    let mut world = World::with(Stage::DRAFT, servers.options()).await;
    let campaign = campaign(&world.client(), "Quay House", 6).await;
    let job = approved_job(&world.client(), &campaign, 3).await;
    let control = world.stage.control();
    let under_way = async {
        while control.ledger().await.unwrap().of_kind("video").count() == 0 {
            crate::world::pause().await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, under_way).await.expect("a render is asked for");
    world.server.kill().await;
    world.server.restart().await;
    let done = finished(&world.client(), job).await;
    assert_eq!(done["outcome"], "full", "{done}\n{}", world.server.log());
    let charged = control.ledger().await.unwrap().charged().filter(|p| p.kind == "video").count();
    assert_eq!(charged, 3);
}
