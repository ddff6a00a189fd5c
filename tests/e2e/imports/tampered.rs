//! A target that was changed behind everybody's back: `--verify` finds each change, names it, and says no.

use std::path::PathBuf;

use legacysources::{Orphans, Truth, scenes_db};
use reqwest::Method;
use serde_json::json;

use super::{
    place::{Place, Ran, stop},
    sources,
};

/// Brings a source over, lets somebody change the target, and verifies.
async fn changed(place: &Place, change: impl AsyncFn(&Place, &Truth) -> Vec<String>) -> Ran {
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    place.import(&source, &[]).await.well();
    place.import(&source, &["--verify"]).await.well();
    let named = change(place, &truth).await;
    let ran = place.import(&source, &["--verify"]).await.refused();
    let words: Vec<&str> = named.iter().map(String::as_str).collect();
    ran.says(&words)
}

/// The SHA-256 of an asset's bytes, and the file that they are in.
fn blob(place: &Place, truth: &Truth, asset: usize) -> (String, PathBuf) {
    let sha256 = truth.assets[asset].bytes.here().unwrap().sha256.clone();
    let file = match &place.s3 {
        None => place.data().join("blobs").join(&sha256[..2]).join(&sha256),
        Some(s3) => {
            let object = s3.objects().into_iter().find(|key| key.ends_with(&sha256)).unwrap();
            s3.object_path(&object)
        }
    };
    (sha256, file)
}

fn flip(file: &PathBuf) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

/// Runs SQL on the database of a service, as a person with the database's own client would.
async fn sql(place: &Place, service: &str, sql: &str) {
    match &place.postgres {
        None => sources::sql(&place.data().join("db").join(format!("{service}.sqlite")), sql),
        Some(postgres) => postgres.sql(&format!("SET search_path TO {service}; {sql}")).await.unwrap(),
    }
}

async fn a_blob_is_flipped_and_another_one_gone(place: Place) {
    let ran = changed(&place, async |place, truth| {
        let (flipped, file) = blob(place, truth, 3);
        flip(&file);
        let (gone, file) = blob(place, truth, 5);
        std::fs::remove_file(file).unwrap();
        vec![flipped, gone, truth.assets[3].id.clone(), truth.assets[5].id.clone()]
    });
    let ran = ran.await;
    assert_eq!(ran.report["differences"].as_array().unwrap().len(), 2, "{}", ran.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_and_a_blob_that_is_gone_are_found() {
    a_blob_is_flipped_and_another_one_gone(Place::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_and_an_object_that_is_gone_are_found_in_a_bucket() {
    a_blob_is_flipped_and_another_one_gone(Place::on_postgres_and_s3().await).await;
}

async fn rows_are_changed_and_deleted(place: Place) {
    let ran = changed(&place, async |place, truth| {
        let ids = [&truth.clients[0].id, &truth.campaigns[1].id, &truth.assets[11].id, &truth.assets[13].id];
        let [client, campaign, renamed, deleted] = ids;
        sql(
            place,
            "asset",
            &format!("UPDATE client SET homepage = 'https://x.example' WHERE id = '{client}'"),
        )
        .await;
        sql(
            place,
            "asset",
            &format!("UPDATE campaign SET created_at = '2001-01-01T00:00:00Z' WHERE id = '{campaign}'"),
        )
        .await;
        sql(place, "asset", &format!("UPDATE asset SET tags = '[\"shed\"]' WHERE id = '{renamed}'")).await;
        sql(place, "asset", &format!("DELETE FROM asset WHERE id = '{deleted}'")).await;
        ids.map(Clone::clone).into()
    });
    let ran = ran.await;
    assert_eq!(ran.report["differences"].as_array().unwrap().len(), 4, "{}", ran.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_changed_or_deleted_are_found_on_sqlite() {
    rows_are_changed_and_deleted(Place::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_changed_or_deleted_are_found_on_postgresql() {
    rows_are_changed_and_deleted(Place::on_postgres().await).await;
}

async fn a_job_is_changed(place: Place) {
    let source = place.file("scenes.db");
    let truth = scenes_db::realistic(&source, 1).unwrap();
    place.import(&source, &["--keep-orphans"]).await.well();
    place.import(&source, &["--keep-orphans", "--verify"]).await.well();
    let job = truth.jobs.iter().find(|job| job.status == "completed" && job.video.is_some()).unwrap().number;
    sql(&place, "job", &format!("UPDATE job SET status = 'failed', spent_micros = 1 WHERE id = {job}")).await;
    let ran = place.import(&source, &["--keep-orphans", "--verify"]).await.refused();
    ran.says(&[&job.to_string(), "status"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_changed_is_found_on_sqlite() {
    a_job_is_changed(Place::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_changed_is_found_on_postgresql() {
    a_job_is_changed(Place::on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_renamed_or_deleted_through_the_api_is_told() {
    let place = Place::on_sqlite();
    let ran = changed(&place, async |place, truth| {
        let server = place.serve().await;
        let client = server.client();
        let (renamed, deleted) = (&truth.campaigns[2].id, &truth.assets[17].id);
        let path = format!("/api/v3/campaigns/{renamed}");
        let answer = client.call(Method::PATCH, &path, Some(json!({"name": "Renamed here"}))).await.unwrap();
        assert_eq!(answer.status, 200);
        let answer = client.call(Method::DELETE, &format!("/api/v3/assets/{deleted}"), None).await.unwrap();
        assert_eq!(answer.status, 204);
        stop(server).await;
        vec![renamed.clone(), deleted.clone()]
    });
    ran.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_source_any_more_is_found() {
    let place = Place::on_sqlite();
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    place.import(&source, &[]).await.well();
    let gone = &truth.assets(Orphans::Skip).next().unwrap().0.id;
    sources::sql(&source, &format!("DELETE FROM assets WHERE id = '{gone}'"));
    place.import(&source, &["--verify"]).await.refused().says(&[gone]);
}
