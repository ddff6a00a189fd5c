//! Memory stays small however many bytes pass through.
//!
//! | variable | what it sets |
//! | --- | --- |
//! | `FILMSTRIP_MEDIA_LIMIT_MIB` | the largest upload that is allowed; one byte more is sent |
//! | `FILMSTRIP_MEDIA_ASSET_MIB` | the size of what many read at once |
//! | `FILMSTRIP_MEDIA_READERS` | how many they are |

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use filmstrip::client::{Client, answer};
use futures::{future::join_all, stream};
use reqwest::{Body, Method, header, multipart};
use serde_json::json;

use crate::world::{ServerOptions, Stage, World, note, photos, sized};

const FILES: usize = 4;
const SIZE: u64 = 512 * MIB;
const LIMIT_KB: u64 = 150 * 1024;
const MIB: u64 = 1024 * 1024;
/// What a process may take more, kB, however large the media are.
const GROWTH_KB: u64 = 64 * 1024;

/// A video of `size` bytes: a real one, followed by one big `free` box, which players skip.
fn big_video(small: &[u8], number: usize, size: u64, directory: &Path) -> PathBuf {
    let path = directory.join(format!("big-{number}.mp4"));
    let mut file = File::create(&path).unwrap();
    file.write_all(small).unwrap();
    let rest = u32::try_from(size - small.len() as u64).unwrap();
    file.write_all(&rest.to_be_bytes()).unwrap();
    file.write_all(b"free").unwrap();
    file.write_all(&number.to_be_bytes()).unwrap();
    // The rest is a hole: bytes to hash and to send, but none to keep on the disk.
    file.seek(SeekFrom::Start(size)).unwrap();
    file.set_len(size).unwrap();
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

/// The most memory the process held since it was [`watch`]ed, or ever, kB.
fn peak_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Has the kernel look for a new peak from here on; what the process holds now, kB.
fn watch(process: u32) -> u64 {
    fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    peak_kb(process)
}

/// The process has not taken much more than `before`.
fn has_not_grown(process: u32, before: u64, what: &str) {
    let grown = peak_kb(process).saturating_sub(before);
    note(&format!("{what}: {before} kB before, {grown} kB more at the peak"));
    assert!(grown < GROWTH_KB, "{what}: {grown} kB more at the peak, {GROWTH_KB} kB allowed");
}

/// So many zeros, made as they are sent.
fn zeros(size: u64) -> Body {
    static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
    let length = ZEROS.len() as u64;
    let last = usize::try_from(size % length).unwrap();
    let whole = (0..size / length).map(|_| Bytes::from_static(&ZEROS));
    let chunks = whole.chain([Bytes::from_static(&ZEROS[..last])]).map(Ok::<_, io::Error>);
    Body::wrap_stream(stream::iter(chunks))
}

/// Files that wait to become blobs.
fn spooled(data: &Path) -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), vec![data.join("blobs/spool"), data.join("scratch")]);
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.file_name().is_some_and(|name| name != ".lock") {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_a_body_over_the_limit_is_refused_without_being_held_and_nothing_of_it_is_kept() {
    let limit = sized("FILMSTRIP_MEDIA_LIMIT_MIB", 128) as u64 * MIB;
    let flags = vec!["--max-upload".to_owned(), limit.to_string()];
    let world = World::with(Stage::INSTANT, ServerOptions { flags, ..Default::default() }).await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Films", "").await.unwrap();
    client.upload(&campaign, &photos()[0], "pool").await.unwrap();
    let before = watch(world.server.id());

    let part = multipart::Part::stream_with_length(zeros(limit + 1), limit + 1).file_name("film.mp4");
    let form = multipart::Form::new().text("campaign_id", campaign.clone()).part("file", part);
    let sent = client.request(Method::POST, "/api/v3/assets").multipart(form).send().await.unwrap();
    let refused = answer(sent).await.unwrap();
    assert_eq!((refused.status.as_u16(), &refused.body["type"]), (413, &json!("/errors/too_large")));
    has_not_grown(world.server.id(), before, &format!("an upload of {} MiB and a byte", limit / MIB));
    assert_eq!(spooled(world.server.data_dir()), Vec::<PathBuf>::new());
    client.upload(&campaign, &photos()[1], "pool").await.unwrap();
    assert_eq!(client.get("/api/v3/assets").await.unwrap()["meta"]["total"], 2);
}

/// One of many readers: the even ones read all, the others half of it from a place of their own.
async fn read(client: Client, url: String, size: u64, number: u64) {
    let mut request = client.request(Method::GET, &url);
    let mut expected = (200, size);
    if !number.is_multiple_of(2) {
        let first = size / 128 * (number % 64);
        request = request.header(header::RANGE, format!("bytes={first}-{}", first + size / 2 - 1));
        expected = (206, size / 2);
    }
    let mut response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let mut received = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        received += chunk.len() as u64;
    }
    assert_eq!((status, received), expected, "reader {number}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_fifty_readers_of_one_large_asset_are_served_without_holding_it() {
    let size = sized("FILMSTRIP_MEDIA_ASSET_MIB", 16) as u64 * MIB;
    let readers = sized("FILMSTRIP_MEDIA_READERS", 50) as u64;
    let world = World::instant().await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Films", "").await.unwrap();
    let small = small_video(world.scratch.path()).await;
    let file = big_video(&small, 0, size, world.scratch.path());
    let asset = client.upload(&campaign, &file, "film").await.unwrap();
    fs::remove_file(file).unwrap();
    let url = asset["url"].as_str().unwrap();
    read(client.clone(), url.to_owned(), size, 0).await;
    let before = watch(world.server.id());
    let reading = (0..readers).map(|number| tokio::spawn(read(client.clone(), url.to_owned(), size, number)));
    join_all(reading.collect::<Vec<_>>()).await.into_iter().for_each(|read| read.unwrap());
    has_not_grown(world.server.id(), before, &format!("{readers} readers of {} MiB", size / MIB));
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_four_gigabytes_of_uploads_and_downloads_pass_through_150_megabytes_of_memory() {
    let world = World::instant().await;
    let client = world.client();
    let campaign = client.campaign("Northwind Stays", "Films", "").await.unwrap();
    let small = small_video(world.scratch.path()).await;
    let mut passed = 0;
    for number in 0..FILES {
        let file = big_video(&small, number, SIZE, world.scratch.path());
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
    note(&format!("4 GiB in and out: {peak} kB at the peak"));
    assert!(peak < LIMIT_KB, "{peak} kB at the peak, {LIMIT_KB} kB allowed");
}
