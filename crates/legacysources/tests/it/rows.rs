//! Rows, and what is told about them.

use std::collections::{BTreeMap, BTreeSet};

use legacysources::{IMPORTED_CLIENT, Orphans, Why, phoenix, scenes_db};

use crate::Made;

/// How many rows of each table the truth knows.
fn told(made: &Made) -> BTreeMap<&'static str, usize> {
    let truth = &made.truth;
    let mut all = BTreeMap::from([
        ("clients", truth.clients.len()),
        ("campaigns", truth.campaigns.len()),
        ("api_keys", truth.keys.len()),
    ]);
    let blobs = truth.assets.iter().flat_map(|asset| [asset.bytes.here(), asset.thumbnail.as_ref()]);
    let blobs: BTreeSet<_> = blobs.flatten().filter(|b| b.table == "asset_blobs").map(|b| &b.row).collect();
    all.insert("asset_blobs", blobs.len());
    let assets = truth.assets.iter().map(|asset| asset.table).filter(|table| *table == "assets");
    let scenes = truth.jobs.iter().flat_map(|job| &job.scenes).map(|scene| scene.table);
    let jobs = truth.jobs.iter().map(|job| job.table);
    let loose = truth.loose.iter().map(|loose| loose.table);
    let left_out = truth.left_out.iter().map(|left_out| left_out.table);
    for table in assets.chain(scenes).chain(jobs).chain(loose).chain(left_out) {
        *all.entry(table).or_default() += 1;
    }
    all
}

fn every_row_is_told(made: &Made) {
    let told = told(made);
    let conn = made.open();
    let mut tables = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for table in tables.map(Result::unwrap) {
        if table != "schema_migrations" && !table.starts_with("sqlite_") {
            assert_eq!(made.rows_of(&table), told.get(table.as_str()).copied().unwrap_or(0), "{table}");
        }
    }
}

#[test]
fn every_row_of_every_table_is_told() {
    every_row_is_told(&Made::scenes_db());
    every_row_is_told(&Made::by(|path| scenes_db::upgraded(path, 7)));
    every_row_is_told(&Made::by(scenes_db::old_layout));
    every_row_is_told(&Made::phoenix());
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_the_same_truth() {
    for (first, second, other) in [
        (Made::scenes_db(), Made::scenes_db(), Made::by(|path| scenes_db::realistic(path, 8))),
        (Made::phoenix(), Made::phoenix(), Made::by(|path| phoenix::realistic(path, 8))),
    ] {
        assert_eq!(first.truth, second.truth);
        assert!(std::fs::read(&first.path).unwrap() == std::fs::read(&second.path).unwrap());
        let ids = |made: &Made| made.truth.assets.iter().map(|a| a.id.clone()).collect::<BTreeSet<_>>();
        assert!(ids(&first).is_disjoint(&ids(&other)));
    }
}

#[test]
fn an_upgraded_file_tells_the_same_and_has_its_late_columns_last() {
    let (fresh, upgraded) = (Made::scenes_db(), Made::by(|path| scenes_db::upgraded(path, 7)));
    assert_eq!(fresh.truth, upgraded.truth);
    let last = |made: &Made| {
        let sql = "SELECT name FROM pragma_table_info('clients') ORDER BY cid DESC LIMIT 1";
        made.open().query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    assert_eq!((last(&fresh).as_str(), last(&upgraded).as_str()), ("updated_at", "metadata"));
}

#[test]
fn an_old_file_lacks_what_came_late() {
    let old = Made::by(scenes_db::old_layout);
    for sql in [
        "SELECT homepage FROM clients",
        "SELECT blob_id FROM assets",
        "SELECT 1 FROM asset_blobs",
        "SELECT 1 FROM job_scenes",
    ] {
        assert!(old.open().prepare(sql).is_err(), "{sql}");
    }
    assert_eq!(old.truth.counts(Orphans::Skip).asset_bytes, 0);
    assert!(old.truth.jobs.iter().any(|job| job.video.is_some()));
    assert!(old.truth.jobs.iter().all(|job| job.updated_at.is_none()));
}

#[test]
fn owners_and_orphans_are_those_that_sql_finds() {
    let made = Made::scenes_db();
    let orphans =
        |table, why| made.truth.orphans().filter(|orphan| orphan.table == table && orphan.why == why).count();
    let lost = "client_id NOT IN (SELECT id FROM clients)";
    assert_eq!(made.number(&format!("SELECT COUNT(*) FROM campaigns WHERE {lost}")), 5);
    assert_eq!(orphans("campaigns", Why::NoClient), 5);
    let good = "SELECT id FROM campaigns WHERE client_id IN (SELECT id FROM clients)";
    let sql = format!(
        "SELECT COUNT(*) FROM assets WHERE (client_id IS NULL OR {lost})
         AND (campaign_id IS NULL OR campaign_id NOT IN ({good}))"
    );
    assert_eq!(orphans("assets", Why::NoOwner), made.number(&sql));
    let sql = "SELECT COUNT(*) FROM asset_blobs
         WHERE id NOT IN (SELECT blob_id FROM assets WHERE blob_id IS NOT NULL)
         AND id NOT IN (SELECT thumbnail_blob_id FROM assets WHERE thumbnail_blob_id IS NOT NULL)";
    assert_eq!((orphans("asset_blobs", Why::UnusedBlob), made.number(sql)), (2, 2));
}

#[test]
fn whoever_keeps_orphans_gets_every_row_and_one_more_client() {
    let truth = Made::scenes_db().truth;
    let (skip, keep) = (truth.counts(Orphans::Skip), truth.counts(Orphans::Keep));
    assert_eq!((skip.clients, keep.clients), (2, 3));
    assert_eq!((skip.campaigns, keep.campaigns), (4, 9));
    assert_eq!(keep.assets, truth.assets.len());
    assert_eq!(skip.left_out - keep.left_out, truth.orphans().count());
    let keepers: BTreeSet<_> =
        truth.campaigns(Orphans::Keep).filter(|(c, _)| c.orphan).map(|(_, id)| id).collect();
    assert_eq!(keepers, BTreeSet::from([IMPORTED_CLIENT]));
    for (asset, owners) in truth.assets(Orphans::Keep) {
        assert!(owners.client.is_some() || owners.campaign.is_some(), "{:?}", asset.name);
    }
}

#[test]
fn what_is_told_of_an_asset_is_in_its_row() {
    for made in [Made::scenes_db(), Made::phoenix()] {
        let conn = made.open();
        let mut read =
            conn.prepare("SELECT name, tags, source_url, client_id FROM assets WHERE id = ?1").unwrap();
        for asset in made.truth.assets.iter().filter(|asset| asset.table == "assets") {
            let row = read.query_row([&asset.id], |row| {
                let tags: Option<String> = row.get(1)?;
                Ok((row.get(0)?, tags.unwrap_or("[]".to_owned()), row.get(2)?, row.get(3)?))
            });
            let (name, tags, url, client): (_, _, _, Option<String>) = row.unwrap();
            assert_eq!(asset.name, name);
            assert_eq!(asset.tags, serde_json::from_str::<Vec<String>>(&tags).unwrap());
            assert_eq!((&asset.source_url, &asset.row_client_id), (&url, &client));
        }
    }
}

#[test]
fn jobs_are_of_every_family_and_status() {
    let truth = Made::scenes_db().truth;
    let statuses: BTreeSet<_> = truth.jobs.iter().map(|job| job.source_status.as_str()).collect();
    // The whole vocabulary.
    assert_eq!(statuses.len(), 19);
    let whole = truth.jobs.iter().find(|job| job.number == 141).unwrap();
    let of = |status| whole.scenes.iter().filter(|scene| scene.status == status).count();
    assert_eq!((of("completed"), of("failed"), whole.actual_micros), (6, 1, 5_400_000));
    let waiting = truth.jobs.iter().find(|job| job.number == 21).unwrap();
    assert_eq!(waiting.scenes.iter().map(|scene| scene.number).collect::<Vec<_>>(), [1, 2, 4, 5]);
    assert_eq!((waiting.status, waiting.finished), ("failed", false));
    let statuses: BTreeSet<_> =
        Made::phoenix().truth.jobs.iter().map(|job| job.source_status.clone()).collect();
    assert_eq!(statuses.len(), 5);
}

#[test]
fn foreign_keys_of_the_phoenix_service_hold() {
    let made = Made::phoenix();
    // All of it is in the file itself (whoever opens it puts others beside it).
    assert_eq!(std::fs::read_dir(made.folder.path()).unwrap().count(), 1);
    assert_eq!(made.number("SELECT COUNT(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(made.truth.orphans().count(), 0);
}

#[test]
fn job_numbers_clash_where_they_are_meant_to() {
    let numbers = |made: &Made| made.truth.jobs.iter().map(|job| job.number).collect::<BTreeSet<_>>();
    let older = numbers(&Made::scenes_db());
    assert!(numbers(&Made::phoenix()).is_disjoint(&older));
    let sharing = Made::by(phoenix::sharing_jobs);
    assert!(numbers(&sharing).is_subset(&older));
}
