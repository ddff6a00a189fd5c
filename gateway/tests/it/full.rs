//! Uploads when scratch has no room for all of them.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use blobs::{Blobs, Budget, NoRoom};
use bytes::Bytes;
use futures::{StreamExt as _, future::join_all, stream};
use http::Method;
use kit::ServiceError;
use protos::asset::v1::CreateAssetRequest;
use reqwest::multipart::{Form, Part};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};

use crate::{
    assets::an_asset,
    world::{PATIENCE, World, answer},
};

const ASSETS: &str = "/api/v3/assets";
const MIB: u64 = 1 << 20;

/// A world with so much room in scratch, in which uploads may pause for so long.
async fn world(room: u64, patience: Duration) -> World {
    let store = |dir: &Path| Blobs::local(dir).expect("a store").with_budget(Budget::of(room));
    World::over(store, |settings| {
        settings.max_upload_bytes = room;
        settings.upload_patience = patience;
    })
    .await
}

fn form(file: Part) -> Form {
    Form::new().part("file", file.file_name("a.jpg"))
}

/// The head of an upload of so many bytes, and the beginning of its body.
fn beginning(bytes: u64, more: &str, body: &str) -> String {
    format!(
        "POST {ASSETS} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n\
         Content-Length: {bytes}\r\n{more}\r\n{body}"
    )
}

/// Sends that and reads what comes back until it has this in it; nothing more is sent meanwhile.
async fn told(world: &World, text: &str, until: &str) -> String {
    let mut socket = TcpStream::connect(world.address).await.expect("a connection");
    socket.write_all(text.as_bytes()).await.expect("a write");
    let mut heard = String::new();
    let hearing = async {
        while !heard.contains(until) {
            let mut bytes = [0; 4096];
            let read = socket.read(&mut bytes).await.expect("a read");
            assert!(read > 0, "it ends with {heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    };
    tokio::time::timeout(PATIENCE, hearing).await.expect("in time");
    heard
}

#[tokio::test]
async fn an_upload_that_finds_no_room_is_refused_before_it_is_read() {
    let world = world(4 * MIB, PATIENCE).await;
    world.asset.on("create_asset", an_asset(None));
    let others = world.blobs.budget().try_reserve(3 * MIB).expect("room");
    let upload = |bytes: usize| {
        answer(world.request(Method::POST, ASSETS).multipart(form(Part::bytes(vec![7; bytes]))))
    };
    let refused = upload(2_000_000).await;
    let body = refused.problem(503, "no_room");
    assert_eq!((refused.header("retry-after"), &body["retryable"]), ("5", &true.into()));
    assert_eq!(world.stored_files(), 0);
    assert!(world.asset.asked::<CreateAssetRequest>("create_asset").is_empty());
    // Nothing of the body was sent when this is answered.
    let head = beginning(2_000_000, "", "");
    assert!(told(&world, &head, "no_room").await.starts_with("HTTP/1.1 503"));
    // Who asks whether to send it is told not to.
    let asking = beginning(2_000_000, "Expect: 100-continue\r\n", "");
    assert!(told(&world, &asking, "no_room").await.starts_with("HTTP/1.1 503"));
    // What fits goes past.
    upload(500_000).await.ok(201);
    drop(others);
    upload(2_000_000).await.ok(201);
    assert_eq!(world.blobs.budget().reserved(), 0);
}

#[tokio::test]
async fn an_upload_of_unknown_length_is_refused_where_room_ends_and_leaves_nothing() {
    let world = world(4 * MIB, PATIENCE).await;
    world.asset.on("create_asset", an_asset(None));
    let others = world.blobs.budget().try_reserve(2 * MIB).expect("room");
    let piece = Bytes::from(vec![3_u8; 500_000]);
    let upload = || {
        let piece = piece.clone();
        let pieces = stream::iter(0..6).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
        let file = Part::stream(reqwest::Body::wrap_stream(pieces));
        answer(world.request(Method::POST, ASSETS).multipart(form(file)))
    };
    upload().await.problem(503, "no_room");
    assert_eq!((world.stored_files(), world.blobs.budget().reserved()), (0, 2 * MIB));
    drop(others);
    upload().await.ok(201);
}

#[tokio::test]
async fn an_upload_that_does_not_go_on_gives_its_room_to_others() {
    let world = world(4 * MIB, Duration::from_millis(200)).await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nonly the beginn";
    let answer = told(&world, &beginning(2_000_000, "", part), "upload_unreadable").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!((world.stored_files(), world.blobs.budget().reserved()), (0, 0));
}

#[tokio::test]
async fn that_the_asset_service_has_no_room_to_look_at_it_is_told_alike() {
    let world = world(4 * MIB, PATIENCE).await;
    let full = NoRoom { needed: 5, reserved: 4, limit: 8 };
    world.asset.refuse("create_asset", move || ServiceError::no_room(full));
    let file = form(Part::bytes(vec![7; 500]));
    let refused = answer(world.request(Method::POST, ASSETS).multipart(file)).await;
    refused.problem(503, "no_room");
    assert_eq!(refused.header("retry-after"), "5");
}

/// Bytes of all files below a directory.
fn lying(dir: &Path) -> u64 {
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => lying(&entry.path()),
        Ok(found) => found.len(),
        // Gone meanwhile.
        Err(_) => 0,
    };
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(size).sum()
}

/// Everything runs on one thread, so nobody takes room while the directory is looked at.
#[tokio::test]
async fn many_uploads_at_once_never_fill_scratch_and_each_comes_through_in_the_end() {
    const SIZE: usize = 1_000_000;
    let room = 4 * MIB;
    let world = world(room, PATIENCE).await;
    world.asset.on("create_asset", an_asset(None));
    let (refusals, most) = (AtomicUsize::new(0), AtomicU64::new(0));
    // Who was let in sends the rest once all others were refused: so many are there at one time.
    let (refused, seen) = watch::channel(0);
    let upload = async |number: u8| loop {
        let mut seen = seen.clone();
        let rest = async move {
            seen.wait_for(|refused| *refused >= 8).await.expect("the others are refused");
            Ok::<_, std::io::Error>(Bytes::from(vec![number; SIZE / 2]))
        };
        let pieces = stream::iter([Ok(Bytes::from(vec![number; SIZE / 2]))]).chain(stream::once(rest));
        let file = Part::stream_with_length(reqwest::Body::wrap_stream(pieces), SIZE as u64);
        let sent = answer(world.request(Method::POST, ASSETS).multipart(form(file))).await;
        if sent.status == 201 {
            return;
        }
        sent.problem(503, "no_room");
        refusals.fetch_add(1, Ordering::Relaxed);
        refused.send_modify(|refused| *refused += 1);
    };
    let looking = async {
        loop {
            most.fetch_max(lying(&world.blobs.scratch_dir()), Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { _ = join_all((0..12).map(upload)) => {}, () = looking => {} }
    assert!(refusals.into_inner() >= 8, "four have room at one time");
    let most = most.into_inner();
    assert!(most >= SIZE as u64 && most <= room, "{most} bytes lay there");
    assert_eq!(world.blobs.budget().reserved(), 0);
    assert_eq!(world.stored_files(), 12, "each is another file");
}
