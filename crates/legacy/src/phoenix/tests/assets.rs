//! Assets.

use rstest::rstest;

use super::*;
use crate::{IMPORTED_CLIENT, Place};

fn asset(columns: &[(&str, &str)]) -> String {
    let (id, kind) = (text(ASSET), text("image"));
    let mut all = vec![("id", id.as_str())];
    if columns.iter().all(|(name, _)| *name != "type") {
        all.push(("type", &kind));
    }
    all.extend(columns);
    row("assets", &all)
}

fn of_campaign(columns: &[(&str, &str)]) -> Made {
    let campaign = text(CAMPAIGN);
    let mut all = vec![("campaign_id", campaign.as_str())];
    all.extend(columns);
    owned(&asset(&all))
}

#[test]
fn an_asset_keeps_everything_that_its_row_says() {
    let made = of_campaign(&[
        ("client_id", &text(CLIENT)),
        ("blob_data", "x'ffd8ffe0'"),
        ("source_url", "'https://host.example/pool.jpg?sig=1'"),
        ("name", "'Pool 1'"),
        ("description", "'Blauer Himmel, weiße Wände'"),
        ("tags", "'[\"pool\",\"weiß\"]'"),
        (
            "metadata",
            "'{\"original_name\":\"x.jpg\",\"content_type\":\"image/jpeg\",\"tags\":\"other\",\"width\":5}'",
        ),
        ("width", "1600"),
        ("height", "900"),
    ]);
    let asset = made.asset();
    assert_eq!((asset.id.as_str(), asset.r#type.as_str()), (ASSET, "image"));
    assert_eq!((asset.client_id.as_deref(), asset.campaign_id.as_deref()), (Some(CLIENT), Some(CAMPAIGN)));
    assert_eq!(asset.name.as_deref(), Some("Pool 1"));
    assert_eq!(asset.description.as_deref(), Some("Blauer Himmel, weiße Wände"));
    assert_eq!(asset.tags, ["pool", "weiß"]);
    assert_eq!(asset.source_url.as_deref(), Some("https://host.example/pool.jpg?sig=1"));
    assert_eq!((asset.width, asset.height, asset.duration_ms), (Some(1600), Some(900), None));
    assert_eq!(asset.format, "jpeg");
    assert_eq!((asset.created_at.as_str(), asset.updated_at.as_str()), (T_HERE, "2025-03-04T05:09:00Z"));
    let metadata: serde_json::Value = serde_json::from_str(&asset.metadata_json.unwrap()).unwrap();
    let whole = serde_json::json!({"original_name": "x.jpg", "content_type": "image/jpeg", "tags": "other", "width": 5});
    assert_eq!(metadata, whole);
    let blob = asset.blob.unwrap();
    assert_eq!((blob.sha256.as_str(), blob.size, blob.content_type.as_str()), ("", 4, "image/jpeg"));
    let found = made.found(Stage::Assets);
    assert_eq!(found.missing, None);
    let [bytes] = found.bytes.as_slice() else { panic!("one file") };
    assert_eq!((bytes.slot, made.bytes(bytes)), (Slot::Asset, vec![0xff, 0xd8, 0xff, 0xe0]));
    assert_eq!(made.source.size(Stage::Assets).unwrap(), 4);
}

#[test]
fn what_the_row_does_not_say_is_taken_from_its_metadata() {
    let made = of_campaign(&[
        ("blob_data", "x'00'"),
        ("name", "' '"),
        ("tags", "'[]'"),
        (
            "metadata",
            "'{\"original_name\":\"Kitchen.png\",\"caption\":\"A kitchen\",\"tags\":\"[\\\"kitchen\\\"]\",\
              \"original_content_type\":\"image/PNG; charset=x\",\"width\":\"800 px\",\"height\":600.0}'",
        ),
    ]);
    let asset = made.asset();
    assert_eq!(asset.name.as_deref(), Some("Kitchen.png"));
    assert_eq!(asset.description.as_deref(), Some("A kitchen"));
    assert_eq!(asset.tags, ["kitchen"]);
    assert_eq!((asset.width, asset.height), (Some(800), Some(600)));
    assert_eq!((asset.format.as_str(), asset.blob.unwrap().content_type.as_str()), ("png", "image/png"));
}

#[test]
fn the_client_is_that_of_the_campaign_when_the_row_has_none() {
    assert_eq!(of_campaign(&[("blob_data", "x'00'")]).asset().client_id.as_deref(), Some(CLIENT));
}

#[rstest]
#[case::client_alone(&format!("client_id='{CLIENT}'"), Some(CLIENT), None)]
#[case::campaign_gone(&format!("client_id='{CLIENT}', campaign_id='{GONE}'"), Some(CLIENT), None)]
#[case::client_gone(&format!("client_id='{GONE}', campaign_id='{CAMPAIGN}'"), Some(CLIENT), Some(CAMPAIGN))]
#[case::in_metadata(&format!("metadata='{{\"clientId\":\"{CLIENT}\"}}'"), Some(CLIENT), None)]
#[case::both_gone(&format!("client_id='{GONE}', campaign_id='{GONE}'"), None, None)]
#[case::neither("name='x'", None, None)]
fn an_owner_that_is_gone_is_left_off_and_without_any_an_asset_is_an_orphan(
    #[case] set: &str,
    #[case] client: Option<&str>,
    #[case] campaign: Option<&str>,
) {
    let rows = format!("{}{}UPDATE assets SET {set};", owners(), asset(&[("blob_data", "x'00'")]));
    let skip = made(NEW, &rows, Orphans::Skip);
    let keep = made(NEW, &rows, Orphans::Keep);
    if client.is_none() {
        assert!(skip.skipped(Stage::Assets).orphan);
        assert_eq!(keep.asset().client_id, Some(IMPORTED_CLIENT.to_string()));
    } else {
        for made in [skip, keep] {
            let asset = made.asset();
            assert_eq!((asset.client_id.as_deref(), asset.campaign_id.as_deref()), (client, campaign));
        }
    }
}

#[test]
fn bytes_that_are_only_at_an_address_are_missing_until_they_are_fetched() {
    let address = "https://u:p@host.example/a.jpg?sig=secret";
    let found = of_campaign(&[("source_url", &text(address)), ("blob_data", "x''")]).found(Stage::Assets);
    let place = Place::Url(address.to_owned());
    assert_eq!(found.bytes, [Bytes { slot: Slot::Asset, place }]);
    let reason = found.missing.unwrap();
    assert!(
        reason.contains("host.example/a.jpg") && !reason.contains("secret") && !reason.contains("u:p"),
        "{reason}"
    );
}

#[rstest]
#[case::none("NULL")]
#[case::the_service_itself("'https://old.example/api/v3/assets/x/data'")]
#[case::no_address("'uploads/a.jpg'")]
fn bytes_that_are_nowhere_are_missing_and_the_asset_comes_without_them(#[case] source_url: &str) {
    let made = of_campaign(&[("source_url", source_url)]);
    let found = made.found(Stage::Assets);
    assert!(found.bytes.is_empty() && found.missing.is_some());
    assert_eq!(made.asset().blob, None);
}

#[test]
fn a_video_has_a_length() {
    let made = of_campaign(&[
        ("type", "'video'"),
        ("blob_data", VIDEO),
        ("metadata", "'{\"duration\":\"12.5\",\"format\":\"MP4\"}'"),
    ]);
    let asset = made.asset();
    assert_eq!(
        (asset.r#type.as_str(), asset.duration_ms, asset.format.as_str()),
        ("video", Some(12_500), "mp4")
    );
}

#[test]
fn an_older_file_lacks_the_late_columns() {
    let rows = format!(
        "{}{}",
        owners(),
        asset(&[
            ("campaign_id", &text(CAMPAIGN)),
            ("blob_data", "x'00'"),
            ("metadata", "'{\"tags\":[\"pool\"],\"original_name\":\"Pool\"}'"),
        ])
    );
    let made = made(OLD, &rows, Orphans::Skip);
    let asset = made.asset();
    assert_eq!((asset.name.as_deref(), asset.client_id.as_deref()), (Some("Pool"), Some(CLIENT)));
    assert_eq!((asset.tags.as_slice(), asset.width), (["pool".to_owned()].as_slice(), None));
}

#[test]
fn another_content_is_another_digest() {
    let digest = |columns: &[(&str, &str)]| {
        of_campaign(columns).found(Stage::Assets).thing.origin().unwrap().digest.clone()
    };
    let one = digest(&[("blob_data", "x'00'"), ("name", "'a'")]);
    assert_eq!(one, digest(&[("name", "'a'"), ("blob_data", "x'00'")]));
    assert_ne!(one, digest(&[("blob_data", "x'00'"), ("name", "'b'")]));
}
