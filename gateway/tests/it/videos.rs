//! Videos, clips and pictures: conditions, names, and what is not there.

use http::Method;
use kit::{Code, ServiceError};
use protos::{job::v1 as pb, stitch::v1 as stitch};

use crate::world::{World, a_job, answer};

const VIDEO: &[u8] = b"0123456789";

/// A completed job with a video, a poster, and one clip.
async fn filmed() -> World {
    let world = World::start().await;
    let video = world.blob(VIDEO, "video/mp4").await;
    let poster = world.blob(b"poster", "image/jpeg").await;
    let job = pb::Job { video: Some(video.clone()), poster: Some(poster), ..a_job(Some(video)) };
    world.job.on("get_job", job);
    world
}

#[tokio::test]
async fn a_video_is_served_whole_with_a_strong_tag() {
    let world = filmed().await;
    let answer = world.get("/api/v3/videos/43/combined").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, VIDEO));
    let tag = answer.header("etag").to_owned();
    assert_eq!((tag.len(), tag.starts_with('"')), (66, true));
    for (name, value) in [
        ("content-type", "video/mp4"),
        ("accept-ranges", "bytes"),
        ("cache-control", "no-cache"),
        ("content-length", "10"),
        ("content-disposition", "inline; filename=\"combined_43.mp4\""),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_head_request_has_the_headers_and_no_body() {
    let world = filmed().await;
    for path in ["/api/v3/videos/43/combined", "/api/v3/videos/43/thumbnail", "/api/v3/jobs/43"] {
        let whole = world.get(path).await;
        let head = answer(world.request(Method::HEAD, path)).await;
        assert_eq!((head.status, head.bytes.len()), (whole.status, 0), "{path}");
        for name in ["content-type", "etag", "content-length", "cache-control"] {
            assert_eq!(head.header(name), whole.header(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn a_caller_that_has_the_bytes_gets_304() {
    let world = filmed().await;
    let tag = world.get("/api/v3/videos/43/combined").await.header("etag").to_owned();
    for given in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let answer = world
            .get_with("/api/v3/videos/43/combined", &[("if-none-match", &given), ("range", "bytes=0-1")])
            .await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (304, 0), "{given}");
        assert_eq!((answer.header("etag"), answer.header("cache-control")), (tag.as_str(), "no-cache"));
    }
    let answer = world.get_with("/api/v3/videos/43/combined", &[("if-none-match", "\"x\"")]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_range_holds_only_while_the_bytes_are_the_same() {
    let world = filmed().await;
    let tag = world.get("/api/v3/videos/43/combined").await.header("etag").to_owned();
    for (if_range, status) in
        [(tag.as_str(), 206), ("\"older\"", 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)]
    {
        let headers = [("range", "bytes=2-4"), ("if-range", if_range)];
        assert_eq!(world.get_with("/api/v3/videos/43/combined", &headers).await.status, status, "{if_range}");
    }
}

#[tokio::test]
async fn a_start_past_the_end_is_416_and_several_ranges_are_answered_whole() {
    let world = filmed().await;
    let answer = world.get_with("/api/v3/videos/43/combined", &[("range", "bytes=10-12")]).await;
    assert_eq!(answer.problem(416, "range_not_satisfiable")["errors"]["detail"], "Range Not Satisfiable");
    assert_eq!((answer.header("content-range"), answer.header("etag")), ("bytes */10", ""));
    assert!(answer.header("cache-control").contains("must-revalidate"));
    let answer = world.get_with("/api/v3/videos/43/combined", &[("range", "bytes=0-1,4-5")]).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, VIDEO));
}

#[tokio::test]
async fn an_accept_header_for_media_is_fine() {
    let world = filmed().await;
    assert_eq!(world.get_with("/api/v3/videos/43/combined", &[("accept", "video/mp4")]).await.status, 200);
}

#[tokio::test]
async fn a_clip_is_found_by_all_its_names() {
    let world = filmed().await;
    for name in ["s-1", "s-1.mp4", "clip_s-1", "clip_s-1.mp4"] {
        let answer =
            world.get_with(&format!("/api/v3/videos/43/clips/{name}"), &[("range", "bytes=-3")]).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (206, b"789".as_slice()), "{name}");
        assert_eq!(answer.header("content-disposition"), "inline; filename=\"clip_s-1.mp4\"");
        assert_eq!(answer.header("content-range"), "bytes 7-9/10");
    }
}

#[tokio::test]
async fn pictures_come_from_the_poster_and_from_the_stitch_service() {
    let world = filmed().await;
    let answer = world.get("/api/v3/videos/43/thumbnail").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, b"poster".as_slice()));
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("image/jpeg", "no-cache"));
    let frame = world.blob(b"frame", "image/jpeg").await;
    world.stitch.on("get_frame", stitch::GetFrameReply { image: Some(frame) });
    let answer = world.get("/api/v3/videos/43/clips/s-1.mp4/thumbnail").await;
    assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, b"frame".as_slice()));
    let asked: stitch::GetFrameRequest = world.stitch.asked_once("get_frame");
    assert_eq!((asked.width, asked.height), (640, 360));
}

#[tokio::test]
async fn a_picture_that_cannot_be_made_is_a_500_and_one_that_can_wait_a_503() {
    let world = filmed().await;
    world.stitch.refuse("get_frame", || ServiceError::new(Code::Invalid, "bad_video", "no frame in it"));
    let path = "/api/v3/videos/43/clips/s-1/thumbnail";
    let body = world.get(path).await.problem(500, "thumbnail_failed");
    assert_eq!(body["error"], "Thumbnail generation failed");
    let world = filmed().await;
    world.stitch.refuse("get_frame", || ServiceError::unavailable("busy"));
    world.get(path).await.problem(503, "unavailable");
}

#[tokio::test]
async fn what_is_not_ready_or_not_there_says_which() {
    let world = World::start().await;
    world.job.on("get_job", a_job(None));
    for (path, code, text) in [
        ("43/combined", "video_not_ready", "Video not ready - job processing incomplete"),
        ("43/thumbnail", "video_not_ready", "Video not ready"),
        ("43/clips/s-1.mp4", "clip_not_ready", "Clip video not ready"),
        ("43/clips/s-1.mp4/thumbnail", "clip_not_ready", "Clip video not ready"),
        ("43/clips/s-9.mp4", "clip_not_found", "Clip not found"),
        ("abc/clips/s-1.mp4", "clip_not_found", "Clip not found"),
        ("abc/clips/s-1.mp4/thumbnail", "clip_not_found", "Clip not found"),
        ("abc/combined", "job_not_found", "Job not found"),
        ("abc/thumbnail", "job_not_found", "Job not found"),
    ] {
        let body = world.get(&format!("/api/v3/videos/{path}")).await.problem(404, code);
        assert_eq!(body["error"], text, "{path}");
    }
}

#[tokio::test]
async fn bytes_that_the_store_lost_are_a_502() {
    let world = World::start().await;
    let lost =
        protos::common::v1::BlobRef { sha256: "ab".repeat(32), size: 10, content_type: "video/mp4".into() };
    world.job.on("get_job", pb::Job { video: Some(lost), ..a_job(None) });
    world.get("/api/v3/videos/43/combined").await.problem(502, "blob_unavailable");
}
