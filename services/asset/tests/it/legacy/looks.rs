//! What an asset is that was brought over: its bytes say so, and nothing of them is decoded.

use image::ImageFormat;
use protos::asset::v1 as pb;
use protos::common::v1::{BlobRef, ImportOutcome as Outcome};

use super::{CAMPAIGN, CLIENT, an_asset, asset, campaign, client};
use crate::files::{jpeg, made, picture, seen, sound, video};
use crate::world::{World, ok};

/// What became of an asset that was said to be something, with a word about it.
async fn brought(world: &World, id: &str, said: pb::Asset) -> (pb::Asset, String) {
    world.import([client(CLIENT), campaign(CAMPAIGN)]).await;
    let (outcome, note) = world.one(asset(pb::Asset { id: id.into(), ..said })).await;
    assert_eq!(outcome, Outcome::Imported, "{note}");
    (world.found(id).await, note)
}

fn said(kind: &str, format: &str, blob: &BlobRef) -> pb::Asset {
    pb::Asset { r#type: kind.into(), format: format.into(), ..an_asset("x", Some(blob.clone())) }
}

#[tokio::test]
async fn pictures_are_what_their_headers_say() {
    let world = World::new().await;
    for (format, name, content_type) in [
        (ImageFormat::Png, "png", "image/png"),
        (ImageFormat::WebP, "webp", "image/webp"),
        (ImageFormat::Jpeg, "jpeg", "image/jpeg"),
    ] {
        let blob = world.stored(picture(64, 48, format)).await;
        let wrong = pb::Asset { width: Some(1), height: Some(2), ..said("image", "mpo", &blob) };
        let (asset, _) = brought(&world, name, wrong).await;
        assert_eq!((asset.format.as_str(), asset.width, asset.height), (name, Some(64), Some(48)));
        assert_eq!((asset.blob.unwrap().content_type.as_str(), asset.thumbnail), (content_type, None));
    }
    world.stop().await;
}

/// A camera's own picture and profile may come before the size.
#[tokio::test]
async fn a_size_that_comes_late_in_the_header_is_found() {
    let world = World::new().await;
    let plain = jpeg(40, 30);
    let mut late = plain[..2].to_vec();
    for _ in 0..9 {
        late.extend([0xff, 0xe2, 0xff, 0xff]);
        late.extend([7; 0xfffd]);
    }
    late.extend(&plain[2..]);
    let blob = world.stored(late).await;
    let (asset, _) = brought(&world, "late", said("image", "jpg", &blob)).await;
    assert_eq!((asset.width, asset.height), (Some(40), Some(30)));
    world.stop().await;
}

/// The same photo that is uploaded is shown in the same size.
#[tokio::test]
async fn a_picture_on_its_side_has_the_size_that_is_shown() {
    let mut world = World::new().await;
    let plain = jpeg(40, 30);
    let mut turned = plain[..2].to_vec();
    turned.extend(b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    turned.extend(&plain[2..]);
    let uploaded = world.asset(turned.clone(), "a.jpg").await.unwrap();
    let blob = world.stored(turned).await;
    let (asset, _) = brought(&world, "turned", said("image", "jpg", &blob)).await;
    assert_eq!((asset.width, asset.height), (Some(30), Some(40)));
    assert_eq!((asset.width, asset.height), (uploaded.width, uploaded.height));
    world.stop().await;
}

#[tokio::test]
async fn videos_and_sounds_keep_the_length_that_was_said_and_get_one_otherwise() {
    let world = World::new().await;
    let blob = world.stored(video(64, 48, 1.0, "a.mp4")).await;
    let (found, _) = brought(&world, "v-1", said("video", "mp4", &blob)).await;
    assert_eq!((found.width, found.height, found.duration_ms), (Some(64), Some(48), Some(1000)));
    assert_eq!((found.r#type.as_str(), found.blob.unwrap().content_type.as_str()), ("video", "video/mp4"));
    let known =
        pb::Asset { duration_ms: Some(7000), width: Some(2), height: Some(1), ..said("video", "mov", &blob) };
    let (found, _) = brought(&world, "v-2", known).await;
    assert_eq!((found.width, found.duration_ms, found.format.as_str()), (Some(2), Some(7000), "mp4"));
    let blob = world.stored(sound(0.5, "a.mp3")).await;
    let (found, _) = brought(&world, "s-1", said("audio", "mp3", &blob)).await;
    assert!((450..700).contains(&found.duration_ms.unwrap()), "{:?}", found.duration_ms);
    let silent = made(&["-f", "lavfi", "-i", "sine=duration=0.3", "-f", "mp4"], "a.mp4");
    let blob = world.stored(silent).await;
    let (found, _) = brought(&world, "s-2", said("video", "mp4", &blob)).await;
    assert_eq!((found.r#type.as_str(), found.blob.unwrap().content_type.as_str()), ("audio", "audio/mp4"));
    world.stop().await;
}

#[tokio::test]
async fn documents_are_kept_and_listed_as_such() {
    let world = World::new().await;
    let drawing = world.stored(b"<?xml version=\"1.0\"?><svg xmlns=\"x\"/>".to_vec()).await;
    let note = world.stored(b"rooms: 3".to_vec()).await;
    let text = BlobRef { content_type: "text/plain".into(), ..note };
    let (svg, _) = brought(&world, "d-1", said("image", "svg+xml", &drawing)).await;
    assert_eq!((svg.r#type.as_str(), svg.format.as_str()), ("document", "svg"));
    assert_eq!(svg.blob.as_ref().unwrap().content_type, "image/svg+xml");
    let (txt, _) = brought(&world, "d-2", said("document", "txt", &text)).await;
    assert_eq!(
        (txt.format.as_str(), txt.blob.as_ref().unwrap().content_type.as_str()),
        ("txt", "text/plain")
    );
    let misfiled = world.stored(jpeg(8, 8)).await;
    assert_eq!(brought(&world, "d-3", said("document", "png", &misfiled)).await.0.r#type, "image");
    let request = pb::ListAssetsRequest { r#type: Some("document".into()), ..Default::default() };
    let listed = ok(world.client.clone().list_assets(request).await);
    assert_eq!((listed.assets, listed.total), (vec![txt, svg], 2));
    world.stop().await;
}

#[tokio::test]
async fn a_thumbnail_comes_along_and_one_that_is_none_is_left_out() {
    let mut world = World::new().await;
    let blob = world.stored(jpeg(400, 300)).await;
    let small = world.stored(jpeg(16, 12)).await;
    let text = world.stored(b"no picture at all".to_vec()).await;
    let with = |thumbnail: &BlobRef| pb::Asset {
        thumbnail: Some(thumbnail.clone()),
        ..said("image", "jpeg", &blob)
    };
    let (found, note) = brought(&world, "t-1", with(&small)).await;
    let thumbnail = BlobRef { content_type: "image/jpeg".into(), ..small };
    assert_eq!((found.thumbnail, note.as_str()), (Some(thumbnail), ""));
    let (found, note) = brought(&world, "t-2", with(&text)).await;
    assert_eq!(found.thumbnail, None);
    assert_eq!(note, "its thumbnail is no picture but application/octet-stream, and was left out");
    // Drawn when somebody asks.
    let request = pb::GetPictureRequest { source: found.blob, width: 320, at_ms: None };
    let drawn = ok(world.client.get_picture(request).await).image.unwrap();
    let (width, height, _) = seen(&world.blobs.path(&drawn.sha256).unwrap());
    assert_eq!((width, height), (320, 240));
    world.stop().await;
}

#[tokio::test]
async fn an_asset_that_came_without_a_client_is_its_campaigns() {
    let mut world = World::new().await;
    let alone = pb::Asset { client_id: None, ..an_asset("x", None) };
    let (found, _) = brought(&world, "a-1", alone).await;
    assert_eq!(found.client_id.as_deref(), Some(CLIENT));
    let other = world.client_named("Other").await;
    let request = pb::UpdateCampaignRequest {
        id: CAMPAIGN.into(),
        fields: vec!["client_id".into()],
        client_id: Some(other.id.clone()),
        ..Default::default()
    };
    ok(world.client.update_campaign(request).await);
    assert_eq!(world.found("a-1").await.client_id, Some(other.id));
    world.stop().await;
}
