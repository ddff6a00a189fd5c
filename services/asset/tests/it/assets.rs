//! Assets of bytes that are in the store.

use image::ImageFormat;
use kit::Code;
use protos::asset::v1 as pb;
use protos::common::v1::BlobRef;

use crate::files::{jpeg, large_jpeg, picture, seen, sound, video};
use crate::world::{NOW_TEXT, World, assert_violations, in_campaign, ok, refused};

#[tokio::test]
async fn an_image_is_what_its_bytes_say() {
    let mut world = World::new().await;
    let campaign = world.campaign().await;
    let bytes = jpeg(1000, 500);
    let blob = world.stored(bytes.clone()).await;
    let fields = pb::AssetFields {
        r#type: Some("video".into()),
        description: Some("Bright lobby".into()),
        tags: vec!["lobby".into(), "day".into()],
        metadata_json: Some(r#"{"width":7,"format":"bmp"}"#.into()),
        ..in_campaign(&campaign)
    };
    let request = pb::CreateAssetRequest {
        fields: Some(fields),
        blob: Some(BlobRef { size: 1, ..blob.clone() }),
        file_name: "C:\\rooms\\lobby.mp4".into(),
        ..Default::default()
    };
    let asset = ok(world.client.create_asset(request).await);
    assert_eq!((asset.r#type.as_str(), asset.format.as_str()), ("image", "jpeg"));
    assert_eq!((asset.width, asset.height, asset.duration_ms), (Some(1000), Some(500), None));
    let size = bytes.len() as u64;
    assert_eq!(asset.blob, Some(BlobRef { content_type: "image/jpeg".into(), size, ..blob }));
    assert_eq!(
        (asset.campaign_id.as_ref(), asset.client_id.as_ref()),
        (Some(&campaign.id), Some(&campaign.client_id))
    );
    assert_eq!(
        (asset.name.as_deref(), asset.description.as_deref()),
        (Some("lobby.mp4"), Some("Bright lobby"))
    );
    assert_eq!(
        (asset.tags.as_slice(), asset.created_at.as_str()),
        (&["lobby".to_owned(), "day".to_owned()][..], NOW_TEXT)
    );
    let thumbnail = asset.thumbnail.clone().unwrap();
    assert_eq!(thumbnail.content_type, "image/jpeg");
    let (width, height, _) = seen(&world.blobs.path(&thumbnail.sha256).unwrap());
    assert_eq!((width, height), (320, 160));
    let found = ok(world.client.get_asset(pb::GetAssetRequest { id: asset.id.clone() }).await);
    assert_eq!(found, asset);
    world.stop().await;
}

#[tokio::test]
async fn pictures_of_all_kinds_are_accepted() {
    let mut world = World::new().await;
    for (format, name, content_type) in [
        (ImageFormat::Png, "png", "image/png"),
        (ImageFormat::WebP, "webp", "image/webp"),
        (ImageFormat::Gif, "gif", "image/gif"),
    ] {
        let asset = world.asset(picture(64, 48, format), "picture.jpg").await.unwrap();
        assert_eq!((asset.r#type.as_str(), asset.format.as_str()), ("image", name));
        assert_eq!((asset.width, asset.height), (Some(64), Some(48)));
        assert_eq!(asset.blob.unwrap().content_type, content_type);
        assert!(asset.thumbnail.is_some());
    }
    world.stop().await;
}

#[tokio::test]
async fn an_image_of_one_pixel_is_kept() {
    let mut world = World::new().await;
    let asset = world.asset(picture(1, 1, ImageFormat::Png), "dot.png").await.unwrap();
    assert_eq!((asset.width, asset.height), (Some(1), Some(1)));
    let (width, height, _) = seen(&world.blobs.path(&asset.thumbnail.unwrap().sha256).unwrap());
    assert_eq!((width, height), (1, 1));
    world.stop().await;
}

#[tokio::test]
async fn an_image_of_100_megapixels_is_accepted() {
    let mut world = World::new().await;
    let asset = world.asset(large_jpeg(12_500, 8_000), "roof.jpg").await.unwrap();
    assert_eq!((asset.width, asset.height), (Some(12_500), Some(8_000)));
    let (width, height, _) = seen(&world.blobs.path(&asset.thumbnail.unwrap().sha256).unwrap());
    assert_eq!((width, height), (320, 205));
    world.stop().await;
}

#[tokio::test]
async fn a_video_gets_its_length_and_a_frame() {
    let mut world = World::new().await;
    let asset = world.asset(video(480, 240, 1.0, "clip.mp4"), "clip.jpg").await.unwrap();
    assert_eq!((asset.r#type.as_str(), asset.format.as_str()), ("video", "mp4"));
    assert_eq!((asset.width, asset.height, asset.duration_ms), (Some(480), Some(240), Some(1000)));
    assert_eq!(asset.blob.unwrap().content_type, "video/mp4");
    let (width, height, [red, _, blue]) = seen(&world.blobs.path(&asset.thumbnail.unwrap().sha256).unwrap());
    assert_eq!((width, height), (320, 160));
    // One second is too late in a video of one second: the frame is the one at its half.
    assert!(blue > 150 && red < 100, "red {red}, blue {blue}");
    world.stop().await;
}

#[tokio::test]
async fn a_long_video_shows_its_first_second() {
    let mut world = World::new().await;
    let asset = world.asset(video(64, 64, 4.0, "clip.mov"), "clip").await.unwrap();
    assert_eq!((asset.format.as_str(), asset.duration_ms), ("mov", Some(4000)));
    let (_, _, [red, _, blue]) = seen(&world.blobs.path(&asset.thumbnail.unwrap().sha256).unwrap());
    assert!(red > 150 && blue < 100, "red {red}, blue {blue}");
    world.stop().await;
}

#[tokio::test]
async fn sound_has_a_length_and_no_picture() {
    let mut world = World::new().await;
    for (name, format, content_type) in
        [("a.mp3", "mp3", "audio/mpeg"), ("a.wav", "wav", "audio/wav"), ("a.m4a", "m4a", "audio/mp4")]
    {
        let asset = world.asset(sound(0.5, name), "video.mp4").await.unwrap();
        assert_eq!((asset.r#type.as_str(), asset.format.as_str()), ("audio", format));
        assert_eq!((asset.width, asset.height, asset.thumbnail), (None, None, None));
        let duration = asset.duration_ms.unwrap();
        assert!((450..700).contains(&duration), "{name}: {duration} ms");
        assert_eq!(asset.blob.unwrap().content_type, content_type, "{name}");
    }
    world.stop().await;
}

#[tokio::test]
async fn an_asset_belongs_to_somebody_who_exists() {
    let mut world = World::new().await;
    let (own, other) = (world.campaign().await, world.campaign().await);
    let blob = world.stored(jpeg(8, 8)).await;
    let request = |client: Option<&str>, campaign: Option<&str>| pb::CreateAssetRequest {
        fields: Some(pb::AssetFields {
            client_id: client.map(str::to_owned),
            campaign_id: campaign.map(str::to_owned),
            ..Default::default()
        }),
        blob: Some(blob.clone()),
        ..Default::default()
    };
    let nobody = "must include campaign_id or client_id";
    let gone = "does not exist";
    for (client, campaign, expected) in [
        (None, Some(" "), vec![("campaign_id", nobody), ("client_id", nobody)]),
        (Some("x"), None, vec![("client_id", gone)]),
        (None, Some("x"), vec![("campaign_id", gone)]),
        (Some("x"), Some("y"), vec![("client_id", gone), ("campaign_id", gone)]),
        (
            Some(own.client_id.as_str()),
            Some(other.id.as_str()),
            vec![("campaign_id", "does not belong to the client")],
        ),
    ] {
        let error = refused(world.client.create_asset(request(client, campaign)).await);
        assert_violations(&error, &expected);
    }
    assert_eq!(world.assets().await, (0, 0));
    let both = ok(world.client.create_asset(request(Some(&own.client_id), Some(&own.id))).await);
    assert_eq!((both.client_id, both.campaign_id), (Some(own.client_id.clone()), Some(own.id)));
    let client = ok(world.client.create_asset(request(Some(&own.client_id), None)).await);
    assert_eq!((client.client_id, client.campaign_id), (Some(own.client_id), None));
    world.stop().await;
}

#[tokio::test]
async fn assets_are_listed_newest_first_and_by_what_is_asked() {
    let mut world = World::new().await;
    let first = world.asset(jpeg(8, 8), "a").await.unwrap();
    let second = world.asset(sound(0.2, "b.wav"), "b").await.unwrap();
    let third = world.asset(jpeg(9, 9), "c").await.unwrap();
    let mut client = world.client.clone();
    let mut list = async |request: pb::ListAssetsRequest| {
        let reply = ok(client.list_assets(request).await);
        (reply.assets, reply.total)
    };
    let any = pb::ListAssetsRequest::default;
    let all = list(any()).await;
    assert_eq!(all, (vec![third.clone(), second.clone(), first.clone()], 3));
    let oldest = list(pb::ListAssetsRequest { oldest_first: true, limit: 2, ..any() }).await;
    assert_eq!(oldest, (vec![first.clone(), second.clone()], 3));
    let page = list(pb::ListAssetsRequest { limit: 1, offset: 1, ..any() }).await;
    assert_eq!(page, (vec![second.clone()], 3));
    let of =
        |campaign: &pb::Asset| pb::ListAssetsRequest { campaign_id: campaign.campaign_id.clone(), ..any() };
    assert_eq!(list(of(&first)).await, (vec![first.clone()], 1));
    let by_client = pb::ListAssetsRequest { client_id: second.client_id.clone(), ..any() };
    assert_eq!(list(by_client).await, (vec![second.clone()], 1));
    let images = pb::ListAssetsRequest { r#type: Some("IMAGE".into()), ..any() };
    assert_eq!(list(images).await, (vec![third, first], 2));
    let nonsense =
        pb::ListAssetsRequest { r#type: Some("x".into()), campaign_id: Some(String::new()), ..any() };
    assert_eq!(list(nonsense).await.1, 3, "what means nothing filters nothing");
    world.stop().await;
}

#[tokio::test]
async fn an_unknown_asset_is_not_found() {
    let mut world = World::new().await;
    let error = refused(world.client.get_asset(pb::GetAssetRequest { id: "x".into() }).await);
    assert_eq!((error.code, error.message.as_str()), (Code::NotFound, "Asset not found"));
    world.stop().await;
}
