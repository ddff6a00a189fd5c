//! Frames of videos.

use kit::{Code, ServiceError};
use protos::common::v1::BlobRef;
use protos::stitch::v1 as pb;

use crate::stage::Stage;

async fn frame(stage: &Stage, video: &BlobRef, width: u32, height: u32) -> Result<BlobRef, ServiceError> {
    let request = pb::GetFrameRequest { video: Some(video.clone()), width, height };
    let reply = stage.client.clone().get_frame(request).await?;
    Ok(reply.into_inner().image.unwrap())
}

#[tokio::test]
async fn a_frame_is_a_jpeg_of_the_size_and_is_drawn_once() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let video = stage.clip(6, 0).await;
    let (a, b, c) = tokio::join!(
        frame(&stage, &video, 640, 360),
        frame(&stage, &video, 640, 360),
        frame(&stage, &video, 320, 240)
    );
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    assert_eq!((&a, a.content_type.as_str()), (&b, "image/jpeg"));
    assert_ne!(a, c);
    // Drawn once: it is known although the video is gone.
    std::fs::remove_file(stage.blobs.path(&video.sha256).unwrap()).unwrap();
    assert_eq!(frame(&stage, &video, 640, 360).await.unwrap(), a);
    assert_eq!(frame(&stage, &video, 641, 360).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_lost_frame_is_drawn_again() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let video = stage.clip(6, 0).await;
    let first = frame(&stage, &video, 64, 64).await.unwrap();
    std::fs::remove_file(stage.blobs.path(&first.sha256).unwrap()).unwrap();
    let second = frame(&stage, &video, 64, 64).await.unwrap();
    assert_eq!(stage.blobs.size(&second.sha256).await.unwrap(), Some(second.size));
}

#[tokio::test]
async fn what_cannot_be_drawn_is_refused_with_the_field() {
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::open(dir.path(), |_| {}).await;
    let video = stage.clip(6, 0).await;
    let text = stage.blobs.put_bytes("no video", "video/mp4").await.unwrap();
    for (video, width, height, field) in [
        (&video, 0, 360, "width"),
        (&video, 640, 9999, "height"),
        (&BlobRef::default(), 640, 360, "video"),
        (&text, 640, 360, "video"),
    ] {
        let refused = frame(&stage, video, width, height).await.unwrap_err();
        assert_eq!((refused.code, refused.violations[0].0.as_str()), (Code::Validation, field));
    }
}
