//! What answers a caller is refused when scratch is full; what is brought over waits.

use asset::store::MIGRATIONS;
use blobs::{Blobs, Budget, Room};
use eventlog::testing::scratch_log;
use futures::stream;
use kit::{Code, ServiceError};
use protos::asset::v1 as pb;
use wiremock::ResponseTemplate;

use crate::files::jpeg;
use crate::import::{import, serving};
use crate::world::{World, in_campaign, ok, refused};

const MIB: u64 = 1 << 20;

/// A world with room for a few files, and what has to live as long.
async fn world() -> (World, [tempfile::TempDir; 2]) {
    let (log, database) = scratch_log(&MIGRATIONS).await;
    let store = tempfile::tempdir().unwrap();
    let blobs = Blobs::local(store.path()).unwrap().with_budget(Budget::of(8 * MIB));
    (World::over(log, blobs, |_| ()).await, [database, store])
}

/// Everything that there is, for somebody else.
fn all(world: &World) -> Room {
    world.blobs.budget().try_reserve(8 * MIB).unwrap()
}

fn assert_no_room(error: &ServiceError) {
    assert_eq!((error.code, error.reason.as_str()), (Code::Unavailable, "no_room"), "{error}");
    assert!(error.message.contains("try again"), "{error}");
}

#[tokio::test]
async fn a_file_is_not_looked_at_without_room_and_is_once_there_is_some() {
    let (mut world, _directories) = world().await;
    let blob = world.stored(jpeg(40, 30)).await;
    let campaign = world.campaign().await;
    let request = pb::CreateAssetRequest {
        command_id: "c-1".into(),
        fields: Some(in_campaign(&campaign)),
        blob: Some(blob),
        ..Default::default()
    };
    let others = all(&world);
    assert_no_room(&refused(world.client.create_asset(request.clone()).await));
    assert_eq!(world.assets().await, (0, 0));
    drop(others);
    assert_eq!(ok(world.client.create_asset(request).await).width, Some(40));
    assert_eq!(world.blobs.budget().reserved(), 0);
    world.stop().await;
}

#[tokio::test]
async fn a_picture_is_not_drawn_without_room() {
    let (mut world, _directories) = world().await;
    let source = world.stored(jpeg(400, 300)).await;
    let request = pb::GetPictureRequest { source: Some(source), width: 160, at_ms: None };
    let others = all(&world);
    assert_no_room(&refused(world.client.get_picture(request.clone()).await));
    drop(others);
    assert!(ok(world.client.get_picture(request).await).image.is_some());
    world.stop().await;
}

#[tokio::test]
async fn a_url_is_not_fetched_without_room_for_what_it_announces() {
    let (mut world, _directories) = world().await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(40, 30))).await;
    let url = format!("{}/a.jpg", server.uri());
    let others = all(&world);
    assert_no_room(&import(&mut world, &url).await.unwrap_err());
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "it is not asked for again and again");
    drop(others);
    assert_eq!(import(&mut world, &url).await.unwrap().width, Some(40));
    world.stop().await;
}

#[tokio::test]
async fn bytes_that_are_brought_over_wait_for_room() {
    let (world, _directories) = world().await;
    let others = all(&world);
    let pieces = [pb::Piece { data: jpeg(40, 30), last: true }];
    let mut legacy = world.legacy.clone();
    let mut storing = Box::pin(legacy.store_bytes(stream::iter(pieces)));
    // Something else that goes the same way is answered meanwhile.
    let request = pb::CheckBytesRequest { sha256: "0".repeat(64) };
    let mut others_ask = world.legacy.clone();
    tokio::select! {
        biased;
        stored = &mut storing => panic!("it did not wait: {stored:?}"),
        found = others_ask.check_bytes(request) => assert!(!ok(found).found),
    }
    drop(others);
    assert_eq!(ok(storing.await).blobs.len(), 1);
    assert_eq!(world.blobs.budget().reserved(), 0);
    world.stop().await;
}
