//! Running it again: nothing comes twice, what has changed is told and left alone, what was missing comes.

use legacysources::{Orphans, scenes_db};
use serde_json::json;

use super::{
    place::{Place, listed, stop},
    report,
    sources::{sql, text},
    told,
};

async fn a_second_run_changes_nothing(place: Place) {
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    place.import(&source, &["--keep-orphans"]).await.well();
    let server = place.serve().await;
    let before = told::census(&server.client()).await;
    stop(server).await;
    let again = place.import(&source, &["--keep-orphans"]).await.well();
    report::already(&again.report, &truth, Orphans::Keep);
    let server = place.serve().await;
    told::same(&told::census(&server.client()).await, &before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_brings_nothing_twice_on_sqlite() {
    a_second_run_changes_nothing(Place::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_brings_nothing_twice_on_postgresql() {
    a_second_run_changes_nothing(Place::on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_changed_since_is_told_and_not_merged() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    scenes_db::realistic(&source, 1).unwrap();
    place.import(&source, &[]).await.well();
    let client_id = text(&source, "SELECT id FROM clients ORDER BY id LIMIT 1");
    let old = text(&source, &format!("SELECT name FROM clients WHERE id = '{client_id}'"));
    sql(&source, &format!("UPDATE clients SET name = 'Somebody else' WHERE id = '{client_id}'"));
    let again = place.import(&source, &[]).await.refused().says(&["clients", &client_id]);
    assert_eq!(report::rows(&again.report, "changed"), [("clients".to_owned(), client_id.clone())].into());
    let server = place.serve().await;
    let row = server.client().get(&format!("/api/v3/clients/{client_id}")).await.unwrap();
    assert_eq!(row["data"]["name"], json!(old));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_here_stays_deleted() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    place.import(&source, &[]).await.well();
    let server = place.serve().await;
    let gone = &truth.assets[7].id;
    let path = format!("/api/v3/assets/{gone}");
    let deleted = server.client().call(reqwest::Method::DELETE, &path, None).await.unwrap();
    assert_eq!(deleted.status, 204);
    stop(server).await;
    place.import(&source, &[]).await.well();
    let server = place.serve().await;
    let there = listed(&server.client(), "/api/v3/assets").await;
    assert_eq!(there.len(), truth.assets.len() - 1);
    assert!(there.iter().all(|asset| asset["id"] != json!(gone)));
}
