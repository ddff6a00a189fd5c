//! Assets: bytes, formats, tags and what else was known of them.

use rstest::rstest;

use super::*;

/// One asset of the campaign with some columns.
fn with(columns: &str, values: &str, before: &str) -> Old {
    Old::new(&format!(
        "{before}; INSERT INTO assets (id, campaign_id, uploaded_at, {columns})
            VALUES ('{A}', '{CAMPAIGN}', '2025-11-05 08:00:00', {values})"
    ))
}

#[test]
fn bytes_are_the_blobs_before_the_rows_own() {
    let old = with(
        "blob_id, blob_data, thumbnail_blob_id, source_url",
        &format!("'{B}', x'0102', '{GONE}', 'https://example.com/a.jpg?sig=1'"),
        &format!(
            "INSERT INTO asset_blobs VALUES ('{B}', x'0A0B0C', 'image/png; x=y', 3, NULL),
                ('{GONE}', x'FFD8', 'image/jpeg', 2, NULL)"
        ),
    );
    let source = old.skip();
    let found = only(&source, Stage::Assets);
    assert_eq!(bytes(&source, &found, Slot::Asset), [10, 11, 12]);
    assert_eq!(bytes(&source, &found, Slot::Thumbnail), [0xFF, 0xD8]);
    assert_eq!(found.missing, None);
    let blob = asset(&found).blob.clone().unwrap();
    assert_eq!((blob.sha256.as_str(), blob.size, blob.content_type.as_str()), ("", 3, "image/png"));
    assert_eq!(asset(&found).source_url.as_deref(), Some("https://example.com/a.jpg?sig=1"));
    assert_eq!(source.size(Stage::Assets).unwrap(), 5);
    assert_eq!(skipped(&source, Stage::Rest), [], "both blobs are referred to");
}

#[rstest]
#[case("blob_data", "x'0102'", "Column", None)]
#[case("blob_id, blob_data", "'gone', x'0102'", "Column", None)]
#[case(
    "source_url",
    "'https://a.example/x?k=1'",
    "Url",
    Some("its bytes are not in the source, only at https://a.example/x")
)]
#[case(
    "url",
    "'http://a.example/x'",
    "Url",
    Some("its bytes are not in the source, only at http://a.example/x")
)]
#[case(
    "url",
    "'https://old.example/api/v2/assets/1/data'",
    "",
    Some("its bytes are not in the source, nor does it say where they came from")
)]
#[case("blob_data", "x''", "", Some("its bytes are not in the source, nor does it say where they came from"))]
#[case(
    "blob_id",
    "'gone'",
    "",
    Some("its blob \"gone\" is not in the source, nor does it say where they came from")
)]
#[case(
    "source_url",
    "'/tmp/a.jpg'",
    "",
    Some("its bytes are not in the source, nor does it say where they came from")
)]
fn bytes_are_looked_for_in_order_or_missing_with_a_reason(
    #[case] columns: &str,
    #[case] values: &str,
    #[case] wanted: &str,
    #[case] missing: Option<&str>,
) {
    let found = only(&with(columns, values, "").skip(), Stage::Assets);
    let place = place(&found, Slot::Asset).map(|place| match place {
        Place::Column { table: "assets", column: "blob_data", size: 2, .. } => "Column",
        Place::Url(_) => "Url",
        other => panic!("{other:?}"),
    });
    assert_eq!(place.unwrap_or_default(), wanted);
    assert_eq!(found.missing.as_deref(), missing);
}

#[rstest]
#[case("image", "JPG", "jpeg", Some("image/jpeg"))]
#[case("image", "mpo", "jpeg", Some("image/jpeg"))]
#[case("image", "svg+xml", "svg", Some("image/svg+xml"))]
#[case("Document", "pdf", "pdf", Some("application/pdf"))]
#[case("image", "unknown", "", None)]
fn odd_formats_become_a_hint_or_nothing(
    #[case] kind: &str,
    #[case] format: &str,
    #[case] wanted: &str,
    #[case] content_type: Option<&str>,
) {
    let old = with("asset_type, format, blob_data", &format!("'{kind}', '{format}', x'01'"), "");
    let found = only(&old.skip(), Stage::Assets);
    let asset = asset(&found);
    assert_eq!(asset.r#type, kind.to_lowercase());
    assert_eq!(asset.format, wanted);
    assert_eq!(asset.blob.as_ref().map(|blob| blob.content_type.as_str()), content_type);
    if format != wanted {
        assert_eq!(legacy(asset.metadata_json.as_deref())["format"], format);
    }
}

#[test]
fn what_has_no_place_is_kept_and_what_is_known_anyway_is_not() {
    let old = with(
        "user_id, url, size, format, width, height, duration, page_count, waveform_url, blob_data, asset_type, tags",
        &format!(
            "7, '/api/v3/assets/{A}/data', 2, 'mp4', 640, 0, 12, 3, '/w', x'0102', 'video', 'exterior, pool'"
        ),
        "",
    );
    let found = only(&old.skip(), Stage::Assets);
    let asset = asset(&found);
    assert_eq!((asset.width, asset.height, asset.duration_ms), (Some(640), None, Some(12_000)));
    assert_eq!(asset.tags, ["exterior", "pool"]);
    assert_eq!(
        (asset.created_at.as_str(), asset.updated_at.as_str()),
        ("2025-11-05T08:00:00Z", "2025-11-05T08:00:00Z")
    );
    let wanted = serde_json::json!({"page_count": 3, "waveform_url": "/w"});
    assert_eq!(legacy(asset.metadata_json.as_deref()), wanted);
}

#[test]
fn who_put_an_asset_in_stands_where_it_is_looked_for() {
    let found = only(&with("user_id, blob_data", "7, x'01'", "").skip(), Stage::Assets);
    assert_eq!(asset(&found).metadata_json.as_deref(), Some(r#"{"user_id":7}"#));
    let found = only(&with("blob_data", "x'01'", "").skip(), Stage::Assets);
    assert_eq!(asset(&found).metadata_json, None, "nobody is known");
}

#[rstest]
#[case("'gone'", "")]
#[case("'empty'", "INSERT INTO asset_blobs VALUES ('empty', x'', 'image/jpeg', 0, NULL)")]
fn a_thumbnail_without_bytes_is_noted(#[case] id: &str, #[case] before: &str) {
    let old = with("blob_data, thumbnail_blob_id", &format!("x'01', {id}"), before);
    let found = only(&old.skip(), Stage::Assets);
    assert_eq!((found.missing.as_ref(), place(&found, Slot::Thumbnail)), (None, None));
    let legacy = legacy(asset(&found).metadata_json.as_deref());
    let id = id.trim_matches('\'');
    assert_eq!(legacy["thumbnail_blob_id"], id);
    assert_eq!(legacy["thumbnail"], format!("its blob {id:?} is not in the source, or is empty"));
}

#[test]
fn an_asset_without_a_time_is_of_1970_and_says_so() {
    let old = with("blob_data", "x'01'", "");
    old.run("UPDATE assets SET uploaded_at = NULL");
    let found = only(&old.skip(), Stage::Assets);
    assert_eq!(asset(&found).created_at, "1970-01-01T00:00:00Z");
    let legacy = legacy(asset(&found).metadata_json.as_deref());
    assert!(legacy["notes"][0].as_str().unwrap().contains("no time at all"), "{legacy}");
}

#[test]
fn an_old_url_and_a_size_of_bytes_that_are_gone_are_kept() {
    let found = only(&with("url, size", "'http://localhost/api/v2/assets/x', 99", "").skip(), Stage::Assets);
    let legacy = legacy(asset(&found).metadata_json.as_deref());
    assert_eq!(legacy, serde_json::json!({"url": "http://localhost/api/v2/assets/x", "size": 99}));
}

#[test]
fn pictures_and_sounds_of_models_become_assets_when_their_bytes_are_there() {
    let old = Old::new(&format!(
        "INSERT INTO generated_audio VALUES
            (1, 'Calm piano', '', 'musicgen', '{{\"scenes\": 2}}', 'completed', '2025-11-06 08:00:00', NULL, x'0304',
                8.5, '{CLIENT}', NULL),
            (2, 'Scenes', '', 'musicgen', '{{}}', 'completed', '2025-11-06 09:00:00', NULL, NULL, NULL, NULL, NULL);
         INSERT INTO generated_images VALUES (1, 'A house', '/x', 'flux', '{{}}', 'completed', '2025-11-05 08:00:00',
            '{{\"replicate_id\": \"r\"}}', x'05')"
    ));
    let source = old.skip();
    let found = only_found(&source);
    let sound = asset(&found);
    assert_eq!((sound.r#type.as_str(), sound.name.as_deref()), ("audio", Some("Calm piano")));
    assert_eq!((sound.client_id.as_deref(), sound.duration_ms), (Some(CLIENT), Some(8_500)));
    let metadata: Value = serde_json::from_str(sound.metadata_json.as_deref().unwrap()).unwrap();
    assert_eq!((&metadata["prompt"], &metadata["model"]), (&"Calm piano".into(), &"musicgen".into()));
    assert_eq!(metadata["legacy"]["parameters"]["scenes"], 2);
    assert_eq!(sound.id, asset(&only_found(&old.skip())).id, "the same id in every run");
    assert_eq!(bytes(&source, &found, Slot::Asset), [3, 4]);
    let left: Vec<_> =
        skipped(&source, Stage::Assets).into_iter().map(|row| (row.table, row.row, row.orphan)).collect();
    assert_eq!(left, [("generated_images", "1".into(), true), ("generated_audio", "2".into(), false)]);
    // Kept with the orphans, the picture has no client of its own.
    let kept = super::found(&old.keep(), Stage::Assets);
    assert_eq!(kept.iter().map(|found| asset(found).r#type.as_str()).collect::<Vec<_>>(), ["image", "audio"]);
}

fn only_found(source: &Source) -> Found {
    let found = found(source, Stage::Assets);
    assert_eq!(found.len(), 1);
    found[0].clone()
}

#[test]
fn the_digest_of_an_asset_covers_its_blob_but_not_what_is_done_with_orphans() {
    let blob = format!("INSERT INTO asset_blobs VALUES ('{B}', x'0A', 'application/pdf', 1, NULL)");
    let old = with("asset_type, format, blob_id", &format!("'document', 'unknown', '{B}'"), &blob);
    let found = only(&old.skip(), Stage::Assets);
    let hint = asset(&found).blob.clone().unwrap();
    assert_eq!(hint.content_type, "application/pdf", "the format says nothing, so the blob is asked");
    assert_eq!(digest(&found), digest(&only(&old.keep(), Stage::Assets)));
    old.run("UPDATE asset_blobs SET content_type = 'image/jpeg'");
    assert_ne!(digest(&found), digest(&only(&old.skip(), Stage::Assets)));
}

#[test]
fn bytes_come_in_pieces_from_a_row_of_many_pages() {
    let old = with("blob_data", "randomblob(300000)", "");
    let source = old.skip();
    let found = only(&source, Stage::Assets);
    let mut reader = source.bytes(place(&found, Slot::Asset).unwrap()).unwrap();
    let mut pieces = Vec::new();
    let mut piece = [0; 64_000];
    loop {
        let count = reader.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        pieces.extend_from_slice(&piece[..count]);
    }
    let whole: Vec<u8> = Connection::open(&old.path)
        .unwrap()
        .query_row("SELECT blob_data FROM assets", [], |row| row.get(0))
        .unwrap();
    assert!(pieces == whole, "{} bytes of {}", pieces.len(), whole.len());
}
