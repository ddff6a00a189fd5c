//! Pictures at the widths and times that callers ask for.

use std::process::{Command, Stdio};

use image::{ImageFormat, RgbImage};
use kit::Code;
use protos::asset::v1 as pb;
use protos::common::v1::BlobRef;

use crate::files::{jpeg, made, picture, seen, sound, video};
use crate::world::{World, assert_violations, ok, refused};

fn of(source: &BlobRef, width: u32, at_ms: Option<u64>) -> pb::GetPictureRequest {
    pb::GetPictureRequest { source: Some(source.clone()), width, at_ms }
}

#[tokio::test]
async fn an_image_is_drawn_at_each_width_once_and_never_enlarged() {
    let mut world = World::new().await;
    let source = world.stored(jpeg(1000, 500)).await;
    for (width, expected) in [(160, (160, 80)), (640, (640, 320)), (1280, (1000, 500))] {
        let drawn = ok(world.client.get_picture(of(&source, width, None)).await).image.unwrap();
        assert_eq!(drawn.content_type, "image/jpeg");
        let (width, height, _) = seen(&world.blobs.path(&drawn.sha256).unwrap());
        assert_eq!((width, height), expected);
    }
    let sql = "SELECT count(*) AS drawn FROM picture";
    let again = ok(world.client.get_picture(of(&source, 160, None)).await);
    assert_eq!(ok(world.client.get_picture(of(&source, 160, None)).await), again);
    let rows = world.log.query(sql, eventlog::params![]).await.unwrap();
    assert_eq!(rows[0].get::<u32>("drawn").unwrap(), 3);
    world.stop().await;
}

#[tokio::test]
async fn only_published_widths_are_drawn() {
    let mut world = World::new().await;
    let source = world.stored(jpeg(8, 8)).await;
    for width in [0, 1, 161, 4096] {
        let error = refused(world.client.get_picture(of(&source, width, None)).await);
        assert_violations(&error, &[("width", "must be one of 160, 320, 480, 640, 960, 1280")]);
    }
    world.stop().await;
}

#[tokio::test]
async fn a_time_is_for_videos_and_lies_in_them() {
    let mut world = World::new().await;
    let still = world.stored(picture(8, 8, ImageFormat::Png)).await;
    let error = refused(world.client.get_picture(of(&still, 160, Some(0))).await);
    assert_violations(&error, &[("t", "is for videos; this is an image")]);
    let moving = world.stored(video(64, 64, 2.0, "a.mp4")).await;
    for at in [2000, 60_000] {
        let error = refused(world.client.get_picture(of(&moving, 160, Some(at))).await);
        assert_violations(&error, &[("t", "must be less than the video's 2 s")]);
    }
    world.stop().await;
}

#[tokio::test]
async fn q36_what_is_shorter_than_a_second_has_a_picture_and_nothing_is_left_behind() {
    let mut world = World::new().await;
    let source = world.stored(video(64, 64, 0.4, "a.mp4")).await;
    ok(world.client.get_picture(of(&source, 160, None)).await);
    let left: Vec<_> = std::fs::read_dir(world.blobs.scratch_dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| !name.to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    world.stop().await;
}

#[tokio::test]
async fn what_cannot_be_seen_has_no_picture() {
    let mut world = World::new().await;
    for bytes in [sound(0.2, "a.wav"), b"just a note, long enough to be looked at".to_vec()] {
        let source = world.stored(bytes).await;
        let error = refused(world.client.get_picture(of(&source, 160, None)).await);
        assert_eq!((error.code, error.reason.as_str()), (Code::Precondition, "no_picture"));
    }
    for sha256 in ["0".repeat(64), "../../etc/passwd".into(), String::new()] {
        let lost = BlobRef { sha256, size: 1, content_type: String::new() };
        let error = refused(world.client.get_picture(of(&lost, 160, None)).await);
        assert_eq!(error.code, Code::NotFound);
    }
    world.stop().await;
}

/// ffmpeg's own frame at a time, scaled as ours.
fn frame_of(path: &std::path::Path, at: f64, width: u32, height: u32) -> RgbImage {
    let scale = format!("scale={width}:{height}:flags=area");
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-ss", &at.to_string(), "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-vf", &scale, "-f", "image2pipe", "-c:v", "png", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    image::load_from_memory_with_format(&output.stdout, ImageFormat::Png).unwrap().to_rgb8()
}

fn psnr(one: &RgbImage, two: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), two.dimensions());
    let squares = one.iter().zip(two.iter()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    let mean = squares.sum::<f64>() / one.len() as f64;
    10.0 * (255.0_f64.powi(2) / mean.max(1e-9)).log10()
}

#[tokio::test]
async fn the_frame_at_a_time_is_ffmpegs_own() {
    let mut world = World::new().await;
    let source = made(
        &[
            "-f",
            "lavfi",
            "-i",
            "gradients=size=640x360:rate=24:duration=4:speed=0.05,format=yuv420p",
            "-g",
            "48",
        ],
        "moving.mp4",
    );
    let source = world.stored(source).await;
    let path = world.blobs.path(&source.sha256).unwrap();
    let mut pictures = Vec::new();
    for at_ms in [0, 700, 1900, 3100, 3900] {
        let drawn = ok(world.client.get_picture(of(&source, 320, Some(at_ms))).await).image.unwrap();
        let bytes = std::fs::read(world.blobs.path(&drawn.sha256).unwrap()).unwrap();
        let ours = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap().to_rgb8();
        let theirs = frame_of(&path, at_ms as f64 / 1000.0, 320, 180);
        let likeness = psnr(&ours, &theirs);
        assert!(likeness > 35.0, "at {at_ms} ms: {likeness:.1} dB");
        pictures.push(drawn.sha256);
    }
    pictures.dedup();
    assert_eq!(pictures.len(), 5, "each time shows another frame");
    world.stop().await;
}
