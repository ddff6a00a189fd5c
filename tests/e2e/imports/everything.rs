//! All that is in a source is there afterwards, as it was, and what is not is in the report with its reason.

use legacysources::{Orphans, Truth, phoenix, scenes_db};

use super::{place::Place, report, told};

/// Imports, verifies, serves, and compares everything.
async fn comes_over(place: &Place, source: &std::path::Path, truth: &Truth, orphans: Orphans) {
    let flags: &[&str] = if orphans == Orphans::Keep { &["--keep-orphans"] } else { &[] };
    let ran = place.import(source, flags).await.well();
    report::brought(&ran.report, truth, orphans);
    place.import(source, &[flags, &["--verify"]].concat()).await.well();
    let server = place.serve().await;
    told::everything(&server.client(), truth, orphans).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_predecessors_own_migration_comes_over_with_every_id_and_byte() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    let counts = truth.counts(Orphans::Skip);
    assert_eq!((counts.clients, counts.campaigns, counts.assets, counts.missing), (2, 4, 259, 0));
    comes_over(&place, &source, &truth, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realistic_scenes_db_comes_over_without_its_orphans() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    comes_over(&place, &source, &truth, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realistic_scenes_db_comes_over_with_its_orphans() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    comes_over(&place, &source, &truth, Orphans::Keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenes_db_of_the_old_layout_comes_over() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::old_layout(&source).unwrap();
    comes_over(&place, &source, &truth, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenes_db_that_was_upgraded_comes_over() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::upgraded(&source, 7).unwrap();
    comes_over(&place, &source, &truth, Orphans::Keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_phoenix_comes_over() {
    let place = Place::on_sqlite();
    let source = place.file("phoenix.db");
    let truth = phoenix::realistic(&source, 2).unwrap();
    comes_over(&place, &source, &truth, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_comes_over_to_postgresql_and_s3_too() {
    let place = Place::on_postgres_and_s3().await;
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    comes_over(&place, &source, &truth, Orphans::Keep).await;
}
