//! The same promises with PostgreSQL and NATS in place of files and the bus inside the process.

use testservers::{NatsServer, PostgresServer};

use crate::world::{ServerOptions, Stage, World, approved_job, campaign, finished};

struct Servers {
    postgres: PostgresServer,
    nats: NatsServer,
}

impl Servers {
    async fn start() -> Self {
        let postgres = PostgresServer::start().await.unwrap();
        postgres.sql("CREATE ROLE film LOGIN; GRANT CREATE ON DATABASE postgres TO film").await.unwrap();
        Self { postgres, nats: NatsServer::start().await.unwrap() }
    }

    /// Waits until a stream holds `count` messages.
    async fn published(&self, stream: &str, count: u64) {
        let client = async_nats::connect(self.nats.url()).await.unwrap();
        let jetstream = async_nats::jetstream::new(client);
        let enough = async {
            loop {
                if let Ok(stream) = jetstream.get_stream(stream).await
                    && stream.cached_info().state.messages >= count
                {
                    return;
                }
                crate::world::pause().await;
            }
        };
        tokio::time::timeout(crate::world::PATIENCE, enough).await.expect("the events are published");
    }

    fn options(&self) -> ServerOptions {
        let variables = vec![
            ("DATABASE_URL".to_owned(), self.postgres.url("film", "postgres")),
            ("NATS_URL".to_owned(), self.nats.url()),
        ];
        ServerOptions { variables, ..ServerOptions::default() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_job_holds_on_postgresql_and_nats() {
    let servers = Servers::start().await;
    let world = World::with(Stage::INSTANT, servers.options()).await;
    let client = world.client();
    let campaign = campaign(&client, "Quay House", 6).await;
    let job = approved_job(&client, &campaign, 3).await;
    let done = finished(&client, job).await;
    assert_eq!(done["outcome"], "full", "{done}\n{}", world.server.log());
    let ledger = world.stage.control().ledger().await.unwrap();
    assert_eq!(ledger.of_kind("video").filter(|p| p.charged).count(), 3);
    servers.published("FILMSTRIP_RENDER", 3).await;
    servers.published("FILMSTRIP_JOB", 3).await;
    let files = std::fs::read_dir(world.server.data_dir().join("db")).unwrap().count();
    assert_eq!(files, 0, "nothing is kept in files");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_postgresql_and_nats_a_job_completes_and_pays_once() {
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
