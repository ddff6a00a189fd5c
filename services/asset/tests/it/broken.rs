//! Files that cannot be assets. Nothing of them is recorded.

use image::ImageFormat;
use kit::Code;
use protos::asset::v1 as pb;
use protos::common::v1::BlobRef;

use crate::files::{jpeg, picture, sound, video};
use crate::world::{World, assert_unusable, assert_violations, in_campaign, refused};

#[tokio::test]
async fn what_is_no_media_is_refused_whatever_it_is_called() {
    let mut world = World::new().await;
    for (bytes, name, said) in [
        (b"just a note, long enough to be looked at".to_vec(), "note.jpg", "known kind"),
        (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n".to_vec(), "plan.png", "application/pdf"),
        (
            b"PK\x03\x04\x14\0\0\0\x08\0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec(),
            "a.mp4",
            "application/zip",
        ),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/secret\n".to_vec(), "list.mp4", "known kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>".to_vec(), "a.svg", ""),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec(), "a.png", ""),
        (vec![0; 4096], "zeros.mp3", "known kind"),
    ] {
        let error = world.asset(bytes, name).await.unwrap_err();
        let why = assert_unusable(&error);
        assert!(why.contains(said), "{name}: {why}");
    }
    assert_eq!(world.assets().await, (0, 0));
    world.stop().await;
}

#[tokio::test]
async fn a_cut_off_file_is_refused() {
    let mut world = World::new().await;
    let cut = |bytes: Vec<u8>, keep: usize| bytes[..bytes.len() * keep / 100].to_vec();
    for (bytes, name) in [
        (cut(jpeg(400, 300), 50), "half.jpg"),
        (cut(picture(300, 300, ImageFormat::Png), 60), "half.png"),
        (jpeg(400, 300)[..24].to_vec(), "head.jpg"),
        (cut(video(64, 64, 1.0, "a.mp4"), 60), "half.mp4"),
        (sound(0.5, "a.m4a")[..64].to_vec(), "head.m4a"),
    ] {
        let error = world.asset(bytes, name).await.unwrap_err();
        assert!(!assert_unusable(&error).is_empty(), "{name}");
    }
    assert_eq!(world.assets().await, (0, 0));
    world.stop().await;
}

#[tokio::test]
async fn an_empty_file_is_no_file() {
    let mut world = World::new().await;
    let campaign = world.campaign().await;
    let empty = world.stored(Vec::new()).await;
    for blob in [None, Some(empty)] {
        let request =
            pb::CreateAssetRequest { fields: Some(in_campaign(&campaign)), blob, ..Default::default() };
        let error = refused(world.client.create_asset(request).await);
        assert_violations(&error, &[("base", "either blob_data or source_url must be present")]);
    }
    world.stop().await;
}

#[tokio::test]
async fn bytes_that_are_not_in_the_store_are_refused() {
    let mut world = World::new().await;
    let campaign = world.campaign().await;
    for sha256 in ["0".repeat(64), "../../etc/passwd".into(), String::new()] {
        let request = pb::CreateAssetRequest {
            fields: Some(in_campaign(&campaign)),
            blob: Some(BlobRef { sha256, size: 9, content_type: "image/jpeg".into() }),
            ..Default::default()
        };
        let error = refused(world.client.create_asset(request).await);
        assert_eq!((error.code, error.reason.as_str()), (Code::Precondition, "blob_missing"));
    }
    assert_eq!(world.assets().await, (0, 0));
    world.stop().await;
}

/// A PNG header that promises more pixels than anybody may send, and no pixels.
#[tokio::test]
async fn an_image_of_too_many_pixels_is_refused_before_it_is_decoded() {
    let mut world = World::new().await;
    let mut bytes = picture(1, 1, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&20_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&5_001_u32.to_be_bytes());
    let error = world.asset(bytes, "huge.png").await.unwrap_err();
    let why = assert_unusable(&error);
    assert!(why.contains("100 megapixels"), "{why}");
    world.stop().await;
}

#[tokio::test]
async fn work_in_progress_is_cleaned_up() {
    let mut world = World::new().await;
    world.asset(jpeg(64, 64), "a.jpg").await.unwrap();
    world.asset(jpeg(64, 64)[..40].to_vec(), "b.jpg").await.unwrap_err();
    let left: Vec<_> = std::fs::read_dir(world.blobs.scratch_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| !name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    world.stop().await;
}
