//! Memory stays small however many bytes pass through.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use reqwest::Method;

use crate::world::World;

const FILES: usize = 4;
const SIZE: u64 = 512 * 1024 * 1024;
const LIMIT_KB: u64 = 150 * 1024;

/// A video of `SIZE` bytes: a real one, followed by one big `free` box, which players skip.
fn big_video(small: &[u8], number: usize, directory: &Path) -> PathBuf {
    let path = directory.join(format!("big-{number}.mp4"));
    let mut file = File::create(&path).unwrap();
    file.write_all(small).unwrap();
    let rest = u32::try_from(SIZE - small.len() as u64).unwrap();
    file.write_all(&rest.to_be_bytes()).unwrap();
    file.write_all(b"free").unwrap();
    file.write_all(&number.to_be_bytes()).unwrap();
    // The rest is a hole: bytes to hash and to send, but none to keep on the disk.
    file.seek(SeekFrom::Start(SIZE)).unwrap();
    file.set_len(SIZE).unwrap();
    path
}

async fn small_video(directory: &Path) -> Vec<u8> {
    let path = directory.join("small.mp4");
    let made = tokio::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1"])
        .args(["-pix_fmt", "yuv420p", "-movflags", "+faststart"])
        .arg(&path)
        .status()
        .await
        .unwrap();
    assert!(made.success());
    std::fs::read(&path).unwrap()
}

/// The most memory the process ever held, kB.
fn peak_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_four_gigabytes_of_uploads_and_downloads_pass_through_150_megabytes_of_memory() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Films", "").await.unwrap();
    let small = small_video(world.scratch.path()).await;
    let mut passed = 0;
    for number in 0..FILES {
        let file = big_video(&small, number, world.scratch.path());
        let asset = client.upload(&campaign, &file, "film").await.unwrap();
        assert_eq!((&asset["type"], &asset["size"]), (&"video".into(), &SIZE.into()));
        passed += SIZE;
        let url = asset["url"].as_str().unwrap();
        let mut response = client.request(Method::GET, url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        while let Some(chunk) = response.chunk().await.unwrap() {
            passed += chunk.len() as u64;
        }
        std::fs::remove_file(file).unwrap();
    }
    assert_eq!(passed, 4 * 1024 * 1024 * 1024);
    let peak = peak_kb(world.server.id());
    assert!(peak < LIMIT_KB, "{peak} kB at the peak, {LIMIT_KB} kB allowed");
}
