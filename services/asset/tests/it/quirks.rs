//! What the older service did wrong and this one does not; each is named by its number.

use protos::asset::v1 as pb;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::files::{jpeg, seen, sound, video};
use crate::import::{import, serving};
use crate::world::{World, assert_unusable, assert_violations, in_campaign, ok, refused};

/// An asset of a picture with metadata.
async fn with_metadata(world: &mut World, metadata: serde_json::Value) -> pb::Asset {
    let campaign = world.campaign().await;
    let fields = pb::AssetFields { metadata_json: Some(metadata.to_string()), ..in_campaign(&campaign) };
    let blob = Some(world.stored(jpeg(40, 20)).await);
    let request = pb::CreateAssetRequest {
        fields: Some(fields),
        blob,
        file_name: "lobby.jpg".into(),
        ..Default::default()
    };
    ok(world.client.create_asset(request).await)
}

#[tokio::test]
async fn q01_files_that_metadata_name_are_never_read() {
    let mut world = World::new().await;
    let secret = world.blobs.scratch_dir().join("secret.txt");
    std::fs::write(&secret, "a secret").unwrap();
    for name in ["thumbnail_path", "thumbnailPath", "path", "file"] {
        let asset = with_metadata(&mut world, json!({ name: secret, "thumbnail_generated": true })).await;
        let (width, height, _) = seen(&world.blobs.path(&asset.thumbnail.unwrap().sha256).unwrap());
        assert_eq!((width, height), (40, 20), "drawn from the asset's own bytes");
    }
    std::fs::remove_file(secret).unwrap();
    world.stop().await;
}

#[tokio::test]
async fn q10_what_a_url_leads_to_is_what_its_bytes_say() {
    let mut world = World::new().await;
    for (bytes, kind) in
        [(jpeg(8, 8), "image"), (video(64, 64, 0.5, "a.mp4"), "video"), (sound(0.2, "a.mp3"), "audio")]
    {
        let server = serving("/a", ResponseTemplate::new(200).set_body_raw(bytes, "image/jpeg")).await;
        let asset = import(&mut world, &format!("{}/a", server.uri())).await.unwrap();
        assert_eq!(asset.r#type, kind);
    }
    world.stop().await;
}

#[tokio::test]
async fn q11_dimensions_are_those_of_the_bytes() {
    let mut world = World::new().await;
    let asset = with_metadata(&mut world, json!({"width": 7, "height": "9"})).await;
    assert_eq!((asset.width, asset.height), (Some(40), Some(20)));
    world.stop().await;
}

#[tokio::test]
async fn q12_size_name_and_format_are_recorded() {
    let mut world = World::new().await;
    let asset = with_metadata(&mut world, json!({})).await;
    assert_eq!(asset.blob.unwrap().size, jpeg(40, 20).len() as u64);
    assert_eq!((asset.name.as_deref(), asset.format.as_str()), (Some("lobby.jpg"), "jpeg"));
    world.stop().await;
}

#[tokio::test]
async fn q16_an_unknown_owner_is_a_wrong_field() {
    let mut world = World::new().await;
    let request = pb::CreateCampaignRequest {
        client_id: Some("x".into()),
        name: Some("Spring".into()),
        ..Default::default()
    };
    let error = refused(world.client.create_campaign(request).await);
    assert_violations(&error, &[("client_id", "does not exist")]);
    let fields = pb::AssetFields { campaign_id: Some("x".into()), ..Default::default() };
    let blob = Some(world.stored(jpeg(8, 8)).await);
    let request = pb::CreateAssetRequest { fields: Some(fields), blob, ..Default::default() };
    let error = refused(world.client.create_asset(request).await);
    assert_violations(&error, &[("campaign_id", "does not exist")]);
    world.stop().await;
}

#[tokio::test]
async fn q17_a_campaign_of_one_client_and_another_client_do_not_go_together() {
    let mut world = World::new().await;
    let (own, other) = (world.campaign().await, world.campaign().await);
    let fields = pb::AssetFields { client_id: Some(other.client_id), ..in_campaign(&own) };
    let blob = Some(world.stored(jpeg(8, 8)).await);
    let request = pb::CreateAssetRequest { fields: Some(fields), blob, ..Default::default() };
    let error = refused(world.client.create_asset(request).await);
    assert_violations(&error, &[("campaign_id", "does not belong to the client")]);
    world.stop().await;
}

#[tokio::test]
async fn q19_downloaded_bytes_are_stored_as_they_are() {
    let mut world = World::new().await;
    for content_type in ["application/json", "application/zip", "application/x-tar", "application/gzip"] {
        let server = serving("/a", ResponseTemplate::new(200).set_body_raw(jpeg(8, 8), content_type)).await;
        let asset = import(&mut world, &format!("{}/a", server.uri())).await.unwrap();
        let stored = std::fs::read(world.blobs.path(&asset.blob.unwrap().sha256).unwrap()).unwrap();
        assert_eq!(stored, jpeg(8, 8), "{content_type}");
    }
    world.stop().await;
}

#[tokio::test]
async fn q50_a_format_is_a_word_whatever_the_metadata_say() {
    let mut world = World::new().await;
    for metadata in [
        json!({"format": null}),
        json!({"format": true}),
        json!({"content_type": "image/png; charset=x"}),
        json!({"format": "nil"}),
    ] {
        assert_eq!(with_metadata(&mut world, metadata).await.format, "jpeg");
    }
    world.stop().await;
}

/// A picture's name on other bytes, the same bytes twice, and three bad ones of ten.
#[tokio::test]
async fn bad_files_are_refused_for_themselves_and_the_same_bytes_are_kept_once() {
    let mut world = World::new().await;
    let error = world.asset(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n".to_vec(), "plan.png").await.unwrap_err();
    assert!(assert_unusable(&error).contains("application/pdf"));
    let (one, two) = (
        world.asset(jpeg(16, 16), "a.jpg").await.unwrap(),
        world.asset(jpeg(16, 16), "b.jpg").await.unwrap(),
    );
    assert_eq!((one.blob, one.thumbnail), (two.blob, two.thumbnail));
    let (mut stored, mut refused) = (0, 0);
    for index in 0..10 {
        let answer = match index {
            2 => ResponseTemplate::new(404),
            5 => ResponseTemplate::new(200).set_body_raw("<!doctype html>", "image/jpeg"),
            8 => ResponseTemplate::new(302).insert_header("location", "http://169.254.169.254/latest"),
            _ => ResponseTemplate::new(200).set_body_bytes(jpeg(8 + index, 8)),
        };
        let server = serving("/a.jpg", answer).await;
        match import(&mut world, &format!("{}/a.jpg", server.uri())).await {
            Ok(_) => stored += 1,
            Err(_) => refused += 1,
        }
    }
    assert_eq!((stored, refused, world.assets().await.0), (7, 3, 9));
    world.stop().await;
}
