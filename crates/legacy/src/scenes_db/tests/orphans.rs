//! Rows whose owners are gone.

use super::*;
use crate::IMPORTED_CLIENT;

/// Assets by name, each with its client and campaign as the row names them.
fn assets(rows: &[(&str, Option<&str>, Option<&str>)]) -> Old {
    let old = Old::new("");
    for (place, (name, client, campaign)) in rows.iter().enumerate() {
        let text = |text: &Option<&str>| text.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"));
        old.run(&format!(
            "INSERT INTO assets (id, name, client_id, campaign_id, uploaded_at, blob_data)
                VALUES ('aaaaaaaa-0000-4000-8000-00000000000{place}', '{name}', {}, {}, '2025-11-0{} 08:00:00', x'01')",
            text(client),
            text(campaign),
            place + 1,
        ));
    }
    old
}

/// Name, client and campaign of each asset that is brought over.
fn owners(source: &Source) -> Vec<(String, String, String)> {
    let owners = found(source, Stage::Assets).into_iter().map(|found| {
        let asset = asset(&found).clone();
        (
            asset.name.unwrap_or_default(),
            asset.client_id.unwrap_or_default(),
            asset.campaign_id.unwrap_or_default(),
        )
    });
    owners.collect()
}

fn owned<const N: usize>(wanted: [(&str, &str, &str); N]) -> Vec<(String, String, String)> {
    wanted.map(|(name, client, campaign)| (name.into(), client.into(), campaign.into())).to_vec()
}

const CASES: [(&str, Option<&str>, Option<&str>); 8] = [
    ("client only", Some(CLIENT), None),
    ("campaign only", None, Some(CAMPAIGN)),
    ("client disagrees", Some(OTHER_CLIENT), Some(CAMPAIGN)),
    ("client gone, campaign there", Some(GONE), Some(CAMPAIGN)),
    ("campaign gone, client there", Some(CLIENT), Some(GONE)),
    ("orphan campaign", None, Some(ORPHAN_CAMPAIGN)),
    ("both gone", Some(GONE), Some(GONE)),
    ("neither", None, None),
];

#[test]
fn whoever_has_an_owner_is_brought_over_and_orphans_are_left_out_with_a_reason() {
    let source = assets(&CASES).skip();
    let wanted = owned([
        ("client only", CLIENT, ""),
        ("campaign only", CLIENT, CAMPAIGN),
        ("client disagrees", CLIENT, CAMPAIGN),
        ("client gone, campaign there", CLIENT, CAMPAIGN),
        ("campaign gone, client there", CLIENT, ""),
    ]);
    assert_eq!(owners(&source), wanted);
    let left = skipped(&source, Stage::Assets);
    assert!(left.iter().all(|row| row.orphan));
    let reasons: Vec<_> = left.into_iter().map(|row| row.reason).collect();
    let wanted = [
        format!("of its campaign, its client {GONE} is not in the source"),
        format!("its campaign {GONE} is not in the source, and its client {GONE} is not in the source"),
        "it has no client".to_owned(),
    ];
    assert_eq!(reasons, wanted);
    let campaigns = skipped(&source, Stage::Campaigns);
    assert_eq!(campaigns.len(), 1);
    assert_eq!(campaigns[0].row, ORPHAN_CAMPAIGN);
    assert_eq!(campaigns[0].reason, format!("its client {GONE} is not in the source"));
    assert_eq!(source.keys(Stage::Clients).unwrap().len(), 2, "nobody keeps orphans");
}

#[test]
fn kept_orphans_belong_to_the_imported_client_which_comes_first() {
    let source = assets(&CASES).keep();
    let keeper = IMPORTED_CLIENT.to_string();
    let wanted = owned([
        ("orphan campaign", &keeper, ORPHAN_CAMPAIGN),
        ("both gone", &keeper, ""),
        ("neither", &keeper, ""),
    ]);
    assert_eq!(owners(&source)[5..], wanted);
    assert_eq!(skipped(&source, Stage::Assets), []);
    let clients = found(&source, Stage::Clients);
    assert_eq!(clients.len(), 3);
    assert_eq!(
        (client(&clients[0]).id.as_str(), client(&clients[0]).name.as_str()),
        (keeper.as_str(), "Imported")
    );
    // The oldest orphan is the campaign of 4 November: the assets without owners are younger.
    assert_eq!(client(&clients[0]).created_at, "2025-11-04T08:00:00Z");
    let campaigns = found(&source, Stage::Campaigns);
    assert_eq!(campaign(&campaigns[1]).client_id, keeper);
    assert_eq!(legacy(campaign(&campaigns[1]).metadata_json.as_deref())["client_id"], GONE);
}

#[test]
fn nobody_keeps_orphans_where_there_are_none() {
    let old = assets(&CASES[..1]);
    old.run(&format!("DELETE FROM campaigns WHERE id = '{ORPHAN_CAMPAIGN}'"));
    assert_eq!(old.keep().keys(Stage::Clients).unwrap().len(), 2);
}

#[test]
fn what_the_row_said_of_its_owners_is_kept_when_it_was_wrong() {
    let found = found(&assets(&CASES[2..3]).skip(), Stage::Assets);
    let legacy = legacy(asset(&found[0]).metadata_json.as_deref());
    assert_eq!((&legacy["client_id"], &legacy["campaign_id"]), (&OTHER_CLIENT.into(), &CAMPAIGN.into()));
    let wanted = format!("the row names the client {OTHER_CLIENT}, but its campaign belongs to {CLIENT}");
    assert_eq!(legacy["owner"], wanted);
}

#[test]
fn a_blob_that_nobody_refers_to_is_left_out_or_kept_as_an_asset() {
    let old = Old::new(&format!(
        "INSERT INTO asset_blobs VALUES ('{A}', x'FFD8', 'image/jpeg', 2, '2025-11-03 08:00:00')"
    ));
    let left = skipped(&old.skip(), Stage::Rest);
    let wanted =
        Skipped { table: "asset_blobs", row: A.into(), reason: "no asset refers to it".into(), orphan: true };
    assert_eq!(left, [wanted]);
    assert_eq!(rows(&old.skip(), Stage::Assets).len(), 0);
    let source = old.keep();
    let found = only(&source, Stage::Assets);
    assert_eq!((asset(&found).id.as_str(), asset(&found).r#type.as_str()), (A, "image"));
    assert_eq!(asset(&found).client_id, Some(IMPORTED_CLIENT.to_string()));
    assert_eq!(bytes(&source, &found, Slot::Asset), [0xFF, 0xD8]);
    assert_eq!(skipped(&source, Stage::Rest), []);
}

#[test]
fn a_job_whose_client_is_the_name_of_a_person_comes_without_a_client() {
    let old = Old::new(
        "INSERT INTO generated_videos (client_id, video_data, created_at)
            VALUES ('alice', x'01', '2025-11-07 08:00:00')",
    );
    old.run(&format!("DELETE FROM campaigns WHERE id = '{ORPHAN_CAMPAIGN}'"));
    for source in [old.skip(), old.keep()] {
        let found = only(&source, Stage::Jobs);
        assert_eq!((job(&found).client_id.as_deref(), job(&found).campaign_id.as_str()), (None, ""));
        assert_eq!(legacy(Some(&job(&found).parameters_json))["client_id"], "alice");
        assert_eq!(job(&found).warnings, ["its client \"alice\" is no client's id"]);
        assert_eq!(source.keys(Stage::Clients).unwrap().len(), 2, "nobody keeps it");
    }
}

#[test]
fn rows_of_features_that_are_gone_are_left_out_each_with_a_reason() {
    let old = Old::new(&format!(
        "INSERT INTO users VALUES (1, 'alice', NULL); INSERT INTO creative_briefs VALUES ('{A}', NULL);
         INSERT INTO genesis_videos VALUES (5, NULL);
         INSERT INTO job_scenes (id, job_id, scene_number) VALUES ('{B}', 77, 1)"
    ));
    let left = skipped(&old.skip(), Stage::Rest);
    let rows: Vec<_> = left.iter().map(|row| (row.table, row.row.as_str())).collect();
    assert_eq!(rows, [("users", "1"), ("creative_briefs", A), ("genesis_videos", "5"), ("job_scenes", B)]);
    assert!(left.iter().all(|row| !row.orphan && !row.reason.is_empty()));
    assert_eq!(left[3].reason, "its job 77 is not in the source");
}
