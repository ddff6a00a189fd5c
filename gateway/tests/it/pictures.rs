//! Pictures of a width and at a time, and URLs whose bytes never change.

use kit::{Code, ServiceError};
use protos::{asset::v1 as pb, job::v1 as job, stitch::v1 as stitch};
use serde_json::json;

use crate::{
    assets::an_asset,
    world::{World, a_job},
};

/// A world with an asset and a job that have bytes and pictures.
async fn world() -> World {
    let world = World::start().await;
    let bytes = world.blob(b"bytes", "video/mp4").await;
    let usual = world.blob(b"usual", "image/jpeg").await;
    let asset = pb::Asset { thumbnail: Some(usual.clone()), ..an_asset(Some(bytes.clone())) };
    world.asset.on("get_asset", asset);
    world.job.on(
        "get_job",
        job::Job { video: Some(bytes.clone()), poster: Some(usual.clone()), ..a_job(Some(bytes)) },
    );
    world.stitch.on("get_frame", stitch::GetFrameReply { image: Some(usual) });
    let drawn = world.blob(b"drawn", "image/jpeg").await;
    world.asset.on("get_picture", pb::GetPictureReply { image: Some(drawn) });
    world
}

const PICTURES: [(&str, u32); 3] = [
    ("/api/v3/assets/a-1/thumbnail", 320),
    ("/api/v3/videos/43/thumbnail", 640),
    ("/api/v3/videos/43/clips/s-1/thumbnail", 640),
];

#[tokio::test]
async fn a_width_or_a_time_is_drawn_and_without_them_the_usual_picture_is_shown() {
    let world = world().await;
    for (path, default) in PICTURES {
        assert_eq!(world.get(path).await.bytes, b"usual", "{path}");
        for (query, width, at_ms) in
            [("width=160", 160, None), ("t=2.5", default, Some(2500)), ("t=0&width=960", 960, Some(0))]
        {
            let answer = world.get(&format!("{path}?{query}")).await;
            assert_eq!(
                (answer.status.as_u16(), answer.bytes.as_slice()),
                (200, &b"drawn"[..]),
                "{path}?{query}"
            );
            let asked: Vec<pb::GetPictureRequest> = world.asset.asked("get_picture");
            let asked = asked.last().expect("a request");
            assert_eq!((asked.width, asked.at_ms), (width, at_ms), "{path}?{query}");
            let tag = answer.header("etag").to_owned();
            let again = world.get_with(&format!("{path}?{query}"), &[("if-none-match", &tag)]).await;
            assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
        }
        for query in ["width=wide", "t=-1", "t=x", "t=NaN"] {
            world.get(&format!("{path}?{query}")).await.problem(422, "validation_failed");
        }
    }
}

#[tokio::test]
async fn why_there_is_no_such_picture_is_told() {
    let world = world().await;
    world.asset.clear("get_picture");
    world.asset.refuse("get_picture", || ServiceError::validation([("width", "must be one of 160, 320")]));
    world.asset.refuse("get_picture", || ServiceError::new(Code::Precondition, "no_picture", "None in it"));
    world.asset.refuse("get_picture", || ServiceError::not_found("Gone"));
    world.asset.refuse("get_picture", || ServiceError::unavailable("busy"));
    world.asset.refuse("get_picture", || ServiceError::internal(std::io::Error::other("secret path")));
    for (status, code) in [
        (422, "validation_failed"),
        (404, "thumbnail_not_available"),
        (502, "blob_unavailable"),
        (503, "unavailable"),
        (500, "thumbnail_failed"),
    ] {
        let body = world.get("/api/v3/videos/43/thumbnail?width=161").await.problem(status, code);
        assert!(!body.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn an_old_version_of_a_video_stays_under_its_hash_after_a_regenerate() {
    let world = World::locked().await;
    let (old, new) = (world.blob(b"old cut", "video/mp4").await, world.blob(b"new cut", "video/mp4").await);
    world.job.on("get_job", job::Job { video: Some(old.clone()), ..a_job(None) });
    world.job.on("get_job", job::Job { video: Some(new), ..a_job(None) });
    let alias = "/api/v3/videos/43/combined";
    let key = ("x-api-key", crate::world::KEY);
    let before = world.get_with(alias, &[key]).await;
    assert_eq!((before.bytes.as_slice(), before.header("cache-control")), (&b"old cut"[..], "no-cache"));
    let version = before.header("content-location").to_owned();
    assert!(version.starts_with(&format!("/api/v3/media/{}?", old.sha256)), "{version}");
    let after = world.get_with(alias, &[key, ("if-none-match", before.header("etag"))]).await;
    assert_eq!((after.status.as_u16(), after.bytes.as_slice()), (200, &b"new cut"[..]));
    assert_ne!(
        (after.header("etag"), after.header("content-location")),
        (before.header("etag"), version.as_str())
    );
    let kept = world.get(&version).await;
    assert_eq!((kept.status.as_u16(), kept.bytes.as_slice()), (200, &b"old cut"[..]), "without a key");
    assert_eq!(kept.header("cache-control"), "private, max-age=31536000, immutable");
    assert_eq!(kept.header("etag"), before.header("etag"));
}

#[tokio::test]
async fn the_older_path_of_an_assets_bytes_still_leads_to_them() {
    let world = world().await;
    for path in ["/api/v3/assets/a-1/data", "/api/v2/assets/a-1/data"] {
        let answer = world.get_with(path, &[("range", "bytes=1-2")]).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (206, &b"yt"[..]), "{path}");
    }
    let world = World::start().await;
    world.asset.refuse("get_asset", || ServiceError::not_found("There is no asset."));
    let body = world.get("/api/v2/assets/nope/data").await.problem(404, "asset_not_found");
    assert_eq!(body["error"], json!("Asset not found"));
}
