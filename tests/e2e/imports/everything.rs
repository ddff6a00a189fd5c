//! All that is in a source is there afterwards, as it was, and what is not is in the report with its reason.

use std::path::Path;

use legacysources::{Orphans, Truth, phoenix, scenes_db};

use super::{place::Place, report, told};

/// Makes a source, imports it, verifies, serves, and compares everything with what the source is known to hold.
async fn comes_over(place: Place, make: impl Fn(&Path) -> anyhow::Result<Truth>, orphans: Orphans) {
    let source = place.file("old.db");
    let truth = make(&source).unwrap();
    let flags: &[&str] = if orphans == Orphans::Keep { &["--keep-orphans"] } else { &[] };
    let ran = place.import(&source, flags).await.well();
    report::brought(&ran.report, &truth, orphans);
    place.import(&source, &[flags, &["--verify"]].concat()).await.well();
    let server = place.serve().await;
    told::everything(&server.client(), &truth, orphans).await;
}

/// The named case, of which nothing is left behind and nothing is without bytes.
fn migration_case(path: &Path) -> anyhow::Result<Truth> {
    let truth = scenes_db::migration_case(path)?;
    let counts = truth.counts(Orphans::Skip);
    assert_eq!((counts.clients, counts.campaigns, counts.assets, counts.missing), (2, 4, 259, 0));
    Ok(truth)
}

fn realistic(path: &Path) -> anyhow::Result<Truth> {
    scenes_db::realistic(path, 1)
}

fn upgraded(path: &Path) -> anyhow::Result<Truth> {
    scenes_db::upgraded(path, 7)
}

fn of_phoenix(path: &Path) -> anyhow::Result<Truth> {
    phoenix::realistic(path, 2)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_predecessors_own_migration_comes_over_with_every_id_and_byte_on_sqlite() {
    comes_over(Place::on_sqlite(), migration_case, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_predecessors_own_migration_comes_over_with_every_id_and_byte_on_postgresql() {
    comes_over(Place::on_postgres().await, migration_case, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realistic_scenes_db_comes_over_without_its_orphans_on_sqlite() {
    comes_over(Place::on_sqlite(), realistic, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realistic_scenes_db_comes_over_without_its_orphans_on_postgresql() {
    comes_over(Place::on_postgres().await, realistic, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realistic_scenes_db_comes_over_with_its_orphans_on_sqlite() {
    comes_over(Place::on_sqlite(), realistic, Orphans::Keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realistic_scenes_db_comes_over_with_its_orphans_on_postgresql_and_s3() {
    comes_over(Place::on_postgres_and_s3().await, realistic, Orphans::Keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenes_db_of_the_old_layout_comes_over_on_sqlite() {
    comes_over(Place::on_sqlite(), scenes_db::old_layout, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenes_db_of_the_old_layout_comes_over_on_postgresql() {
    comes_over(Place::on_postgres().await, scenes_db::old_layout, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenes_db_that_was_upgraded_comes_over_on_sqlite() {
    comes_over(Place::on_sqlite(), upgraded, Orphans::Keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenes_db_that_was_upgraded_comes_over_on_postgresql() {
    comes_over(Place::on_postgres().await, upgraded, Orphans::Keep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_phoenix_comes_over_on_sqlite() {
    comes_over(Place::on_sqlite(), of_phoenix, Orphans::Skip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_phoenix_comes_over_on_postgresql() {
    comes_over(Place::on_postgres().await, of_phoenix, Orphans::Skip).await;
}
