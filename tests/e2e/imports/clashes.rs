//! Two sources whose jobs have the same numbers, and ids that are something else's already.

use std::collections::BTreeMap;

use legacysources::{JobTruth, Orphans, phoenix, scenes_db};
use serde_json::json;

use super::{
    place::{Place, listed},
    report,
    sources::{sql, text},
    told,
};
use crate::world::new_job;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_source_keeps_its_job_numbers_and_the_second_gets_new_ones_above_on_sqlite() {
    two_sources_with_the_same_job_numbers(Place::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_source_keeps_its_job_numbers_and_the_second_gets_new_ones_above_on_postgresql() {
    two_sources_with_the_same_job_numbers(Place::on_postgres().await).await;
}

async fn two_sources_with_the_same_job_numbers(place: Place) {
    let (first, second) = (place.file("scenes.db"), place.file("phoenix.db"));
    let python = scenes_db::realistic(&first, 1).unwrap();
    let elixir = phoenix::sharing_jobs(&second).unwrap();
    place.import(&first, &[]).await.well();
    let ran = place.import(&second, &[]).await.well();
    for source in [&first, &second] {
        place.import(source, &["--verify"]).await.well();
    }

    let renumbered: BTreeMap<i64, i64> = report::renumbered(&ran.report);
    let taken: Vec<i64> = python.jobs.iter().map(|job| job.number).collect();
    let clashing: Vec<i64> =
        elixir.jobs.iter().map(|job| job.number).filter(|number| taken.contains(number)).collect();
    assert!(!clashing.is_empty(), "the sources clash");
    assert_eq!(renumbered.keys().copied().collect::<Vec<_>>(), clashing);
    let highest = taken.iter().chain(elixir.jobs.iter().map(|job| &job.number)).max().copied().unwrap();

    let server = place.serve().await;
    let client = server.client();
    told::jobs(&client, &python, |job| job.number).await;
    let number = |job: &JobTruth| renumbered.get(&job.number).copied().unwrap_or(job.number);
    told::jobs(&client, &elixir, number).await;
    for (old, new) in &renumbered {
        assert!(!taken.contains(new));
        assert_eq!(client.job(*new).await.unwrap()["parameters"]["legacy_id"], json!(old));
    }
    let newest = renumbered.values().copied().max().unwrap_or_default().max(highest);
    the_next_job_continues_above(&client, &python, newest).await;
}

/// A job made here gets the next number, and its video the next one of its campaign.
async fn the_next_job_continues_above(
    client: &filmstrip::client::Client,
    truth: &legacysources::Truth,
    newest: i64,
) {
    let pictured = |id: &str| {
        let of_it = truth.assets(Orphans::Skip).filter(|(asset, owners)| {
            owners.campaign.as_deref() == Some(id)
                && asset.asset_type == "image"
                && asset.bytes.here().is_some()
        });
        of_it.count() >= 4
    };
    let jobs_of = |id: &str| truth.jobs.iter().filter(|job| job.campaign_id.as_deref() == Some(id)).count();
    let (campaign, _) = truth
        .campaigns(Orphans::Skip)
        .filter(|(campaign, _)| pictured(&campaign.id))
        .max_by_key(|(campaign, _)| jobs_of(&campaign.id))
        .unwrap();
    assert!(jobs_of(&campaign.id) > 0, "a campaign with old jobs and with images");
    let old = listed(client, &format!("/api/v3/jobs?campaign_id={}", campaign.id)).await;
    let made = new_job(client, &campaign.id, 1).await;
    assert!(made > newest, "{made} after {newest}");
    let name = client.job(made).await.unwrap()["video_name"].as_str().unwrap().to_owned();
    let number: u32 = name.strip_prefix(&format!("{} ", campaign.name)).unwrap().parse().unwrap();
    for job in &old {
        let name = job["video_name"].as_str().unwrap();
        let last = name.rsplit(' ').next().unwrap().parse().unwrap_or(0);
        assert!(number > last, "{number} after {name}");
    }
    assert!(number as usize > old.len(), "{number} after {} jobs", old.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_orphans_of_two_sources_are_kept_under_one_client_on_sqlite() {
    two_sources_with_orphans(Place::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_orphans_of_two_sources_are_kept_under_one_client_on_postgresql() {
    two_sources_with_orphans(Place::on_postgres().await).await;
}

async fn two_sources_with_orphans(place: Place) {
    let (first, second) = (place.file("scenes.db"), place.file("older.db"));
    let (one, other) = (scenes_db::realistic(&first, 1).unwrap(), scenes_db::upgraded(&second, 7).unwrap());
    place.import(&first, &["--keep-orphans"]).await.well();
    let renamed = ["--keep-orphans", "--source-name", "older"];
    place.import(&second, &renamed).await.well();
    place.import(&second, &[&renamed[..], &["--verify"]].concat()).await.well();
    place.import(&first, &["--keep-orphans", "--verify"]).await.well();
    let server = place.serve().await;
    let clients = listed(&server.client(), "/api/v3/clients").await;
    assert_eq!(clients.len(), one.clients.len() + other.clients.len() + 1);
    assert_eq!(clients.iter().filter(|client| client["name"] == "Imported").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_belongs_to_something_else_is_told_and_left_alone_on_sqlite() {
    a_source_with_the_ids_of_another_one(Place::on_sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_belongs_to_something_else_is_told_and_left_alone_on_postgresql() {
    a_source_with_the_ids_of_another_one(Place::on_postgres().await).await;
}

async fn a_source_with_the_ids_of_another_one(place: Place) {
    let source = place.file("scenes.db");
    let truth = scenes_db::migration_case(&source).unwrap();
    place.import(&source, &[]).await.well();
    // The same ids from another database, in which one of them is something else.
    let other = place.file("other.db");
    std::fs::copy(&source, &other).unwrap();
    let id = text(&other, "SELECT id FROM campaigns ORDER BY id LIMIT 1");
    sql(&other, &format!("UPDATE campaigns SET name = 'Somebody else''s' WHERE id = '{id}'"));
    let ran = place.import(&other, &["--source-name", "other"]).await.refused().says(&["campaigns", &id]);
    assert_eq!(report::rows(&ran.report, "taken").len(), 2 + 4 + 259, "every id is something's already");
    place.import(&source, &["--verify"]).await.well();
    let server = place.serve().await;
    told::everything(&server.client(), &truth, Orphans::Skip).await;
}
