//! Bytes into the object store, over gRPC and in the same process.

use asset::{Settings, store::MIGRATIONS};
use blobs::Blobs;
use eventlog::testing::scratch_log;
use futures::stream;
use kit::{Clock, Code};
use protos::asset::v1 as pb;
use protos::common::v1::ImportOutcome as Outcome;
use wiremock::ResponseTemplate;

use super::everything;
use crate::files::jpeg;
use crate::import::{reason, serving};
use crate::world::{NOW, World, ok, refused};

fn pieces(blobs: &[Vec<u8>]) -> Vec<pb::Piece> {
    let mut pieces = Vec::new();
    for blob in blobs {
        let parts = blob.chunks(100_000).map(|part| pb::Piece { data: part.to_vec(), last: false });
        pieces.extend(parts);
        pieces.push(pb::Piece { data: Vec::new(), last: true });
    }
    pieces
}

fn check(sha256: &str) -> pb::CheckBytesRequest {
    pb::CheckBytesRequest { sha256: sha256.into() }
}

#[tokio::test]
async fn many_blobs_come_in_one_stream_and_are_what_they_say() {
    let mut world = World::new().await;
    let blobs = [jpeg(40, 30), Vec::new(), vec![7; 300_000], b"%PDF-1.7\n".to_vec()];
    let stored = ok(world.legacy.store_bytes(stream::iter(pieces(&blobs))).await).blobs;
    let types: Vec<_> = stored.iter().map(|blob| blob.content_type.as_str()).collect();
    let unknown = "application/octet-stream";
    assert_eq!(types, ["image/jpeg", unknown, unknown, "application/pdf"]);
    for (blob, bytes) in stored.iter().zip(&blobs) {
        let path = world.blobs.path(&blob.sha256).unwrap();
        assert!(std::fs::read(path).unwrap() == *bytes);
        let found = ok(world.legacy.check_bytes(check(&blob.sha256)).await);
        let whole =
            pb::CheckBytesReply { found: true, sha256: blob.sha256.clone(), size: bytes.len() as u64 };
        assert_eq!(found, whole);
    }
    assert_eq!(ok(world.legacy.store_bytes(stream::iter(pieces(&blobs))).await).blobs, stored);
    world.stop().await;
}

#[tokio::test]
async fn pieces_that_are_none_are_refused_and_leave_nothing() {
    let mut world = World::new().await;
    let piece = |size: usize, last: bool| pb::Piece { data: vec![1; size], last };
    let open = [piece(10, true), piece(10, false)];
    let error = refused(world.legacy.store_bytes(stream::iter(open)).await);
    assert_eq!(error.message, "the pieces end within a blob: its last one must say that it is the last");
    let large = [piece(256 * 1024, false), piece(256 * 1024 + 1, true)];
    let error = refused(world.legacy.store_bytes(stream::iter(large)).await);
    assert!(error.message.contains("262144 is the most"), "{error}");
    let none: [pb::Piece; 0] = [];
    assert!(ok(world.legacy.store_bytes(stream::iter(none)).await).blobs.is_empty());
    world.stop().await;
}

#[tokio::test]
async fn bytes_that_were_damaged_or_lost_are_told() {
    let mut world = World::new().await;
    let blob = world.stored(jpeg(40, 30)).await;
    std::fs::write(world.blobs.path(&blob.sha256).unwrap(), b"other").unwrap();
    let found = ok(world.legacy.check_bytes(check(&blob.sha256)).await);
    assert!(found.found && found.size == 5 && found.sha256 != blob.sha256);
    let lost = ok(world.legacy.check_bytes(check(&"0".repeat(64))).await);
    assert_eq!(lost, pb::CheckBytesReply::default());
    let error = refused(world.legacy.check_bytes(check("../../etc/passwd")).await);
    assert_eq!(error.code, Code::Invalid);
    world.stop().await;
}

#[tokio::test]
async fn bytes_are_fetched_under_the_guards_of_every_import() {
    let mut world = World::with(|import| import.max_bytes = 100_000).await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(40, 30))).await;
    let url = format!("{}/a.jpg", server.uri());
    let fetched = ok(world.legacy.fetch_bytes(pb::FetchBytesRequest { url }).await);
    assert_eq!((fetched.content_type.as_str(), fetched.size), ("image/jpeg", jpeg(40, 30).len() as u64));
    let url = format!("{}/b.jpg", server.uri());
    let error = refused(world.legacy.fetch_bytes(pb::FetchBytesRequest { url }).await);
    assert_eq!(reason(&error), "HTTP 404");
    let url = "http://10.0.0.1/a.jpg".to_owned();
    let error = refused(world.legacy.fetch_bytes(pb::FetchBytesRequest { url }).await);
    assert_eq!(reason(&error), "the host's address is not a public one");
    let server = serving("/empty", ResponseTemplate::new(200)).await;
    let url = format!("{}/empty", server.uri());
    let error = refused(world.legacy.fetch_bytes(pb::FetchBytesRequest { url }).await);
    assert_eq!(reason(&error), "the answer is empty");
    world.stop().await;
}

/// No listener, no bus: the service that is started later finds everything.
#[tokio::test]
async fn the_same_works_without_a_service() {
    let (log, _database) = scratch_log(&MIGRATIONS).await;
    let store = tempfile::tempdir().unwrap();
    let blobs = Blobs::local(store.path()).unwrap();
    let legacy =
        asset::legacy::open(Settings::default(), log.clone(), blobs.clone(), Clock::manual(NOW)).unwrap();
    let sent = pieces(&[jpeg(40, 30)]).into_iter().map(Ok);
    let stored = legacy.store_bytes(stream::iter(sent)).await.unwrap().blobs;
    let things = everything(stored.first().cloned());
    let reply = legacy.clone().import(pb::ImportRequest { things: things.clone() }).await.unwrap();
    assert!(reply.results.iter().all(|result| result.outcome() == Outcome::Imported));
    drop(legacy);
    let world = World::over(log, blobs, |_| ()).await;
    assert_eq!(world.found(super::ASSET).await.width, Some(40));
    assert_eq!(world.outcomes(things).await, [Outcome::Already; 4]);
    world.stop().await;
}
