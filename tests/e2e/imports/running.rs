//! Into services that run: through their own gRPC, while they answer others.

use legacysources::{Orphans, scenes_db};

use super::{place::Place, report, told};
use crate::world::{Server, Servers, Stage};

/// Where the services listen that an import talks to, as `--server` wants it.
async fn services_of(server: &mut Server) -> String {
    let asset = server.address("asset").await;
    let job = server.address("job").await;
    format!("asset={asset},job={job}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_comes_into_a_standalone_that_runs() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    let mut server = place.serve().await;
    let services = services_of(&mut server).await;
    let ran = place.import_into(&services, &source, &[]).await.well();
    report::brought(&ran.report, &truth, Orphans::Skip);
    place.import_into(&services, &source, &["--verify"]).await.well();
    told::everything(&server.client(), &truth, Orphans::Skip).await;
    let again = place.import_into(&services, &source, &[]).await.well();
    report::already(&again.report, &truth, Orphans::Skip);
    assert!(server.terminate().await.success(), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_published_as_imported_and_never_as_news_or_work() {
    let servers = Servers::start().await;
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    let stage = Stage::start(place.file("stage"), Stage::INSTANT).await;
    let mut server = Server::start(place.data(), Some(&stage), servers.options()).await;
    let services = services_of(&mut server).await;
    place.import_into(&services, &source, &[]).await.well();
    place.import_into(&services, &source, &["--verify"]).await.well();
    told::everything(&server.client(), &truth, Orphans::Skip).await;

    let counts = truth.counts(Orphans::Skip);
    let made = counts.assets + report::loose(&truth, Orphans::Skip).0.len();
    let assets = servers.published_of("asset", "asset_imported", made).await;
    assert_eq!(assets.len(), counts.clients + counts.campaigns + made, "and nothing of keys");
    assert!(assets.iter().all(|event| event.ends_with("_imported")), "{assets:?}");
    let wanted = truth.jobs.len();
    let jobs = servers.published_of("job", "job_imported", wanted).await;
    assert_eq!(jobs.len(), wanted, "{jobs:?}");
    let ledger = stage.control().ledger().await.unwrap();
    assert_eq!(ledger.predictions.len(), 0, "nothing was bought");
}
