//! What is stored and what is published: the golden files are every shape ever written.

use std::path::PathBuf;

use asset::{events::Event, publish::translate};
use bus::{Message, subjects};
use eventlog::{Log, Meta, StoredEvent, testing::scratch_log};
use jiff::Timestamp;
use protos::asset::v1 as pb;
use rstest::rstest;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::files::jpeg;
use crate::world::{NOW, World, ok};

fn golden(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn stored(kind: &str) -> StoredEvent {
    StoredEvent {
        id: Uuid::nil(),
        stream: "any".into(),
        version: 1,
        position: 1,
        kind: kind.into(),
        schema_version: 1,
        data: golden(&format!("{kind}.v1.json")).into(),
        meta: Meta::default(),
        recorded_at: Timestamp::UNIX_EPOCH,
    }
}

#[rstest]
#[case("ClientCreated", "client_created", "7c0f6a52-6d0e-4b39-9f0d-0d2a4c1f9e11")]
#[case("CampaignCreated", "campaign_created", "b0c5b7a4-52e4-4d76-8a9f-5a3f6b6f0c22")]
#[case("ClientUpdated", "client_updated", "7c0f6a52-6d0e-4b39-9f0d-0d2a4c1f9e11")]
#[case("ClientDeleted", "client_deleted", "7c0f6a52-6d0e-4b39-9f0d-0d2a4c1f9e11")]
#[case("CampaignUpdated", "campaign_updated", "b0c5b7a4-52e4-4d76-8a9f-5a3f6b6f0c22")]
#[case("CampaignDeleted", "campaign_deleted", "b0c5b7a4-52e4-4d76-8a9f-5a3f6b6f0c22")]
#[case("AssetStored", "asset_stored", "11de0b1c-0f55-4a0e-9a55-7b1f5e0f1d33")]
#[case("AssetDeleted", "asset_deleted", "11de0b1c-0f55-4a0e-9a55-7b1f5e0f1d33")]
#[case("ClientImported", "client_imported", "7c0f6a52-6d0e-4b39-9f0d-0d2a4c1f9e11")]
#[case("CampaignImported", "campaign_imported", "b0c5b7a4-52e4-4d76-8a9f-5a3f6b6f0c22")]
#[case("AssetImported", "asset_imported", "11de0b1c-0f55-4a0e-9a55-7b1f5e0f1d33")]
#[case("AssetBytesAdded", "asset_bytes_added", "11de0b1c-0f55-4a0e-9a55-7b1f5e0f1d33")]
fn every_shape_ever_stored_is_read_and_published(
    #[case] kind: &str,
    #[case] name: &str,
    #[case] entity: &str,
) {
    let stored = stored(kind);
    let event = Event::from_stored(&stored).unwrap().unwrap();
    assert_eq!(event.kind(), kind);
    assert_eq!(event.data().unwrap(), stored.data, "and would be written the same");
    let published = translate(&stored).unwrap().unwrap();
    assert_eq!((published.entity.as_str(), published.name.as_str()), (entity, name));
    assert_eq!(published.data, golden(&format!("published/{name}.v1.json")));
}

#[rstest]
#[case("ApiKeyCreated")]
#[case("ApiKeyRevoked")]
#[case("KeyImported")]
fn what_is_stored_of_keys_is_read_and_told_to_nobody(#[case] kind: &str) {
    let stored = stored(kind);
    let event = Event::from_stored(&stored).unwrap().unwrap();
    assert_eq!((event.kind(), event.entity()), (kind, "5a3f6b6f-52e4-4d76-8a9f-b0c5b7a40c22"));
    assert_eq!(event.data().unwrap(), stored.data, "and would be written the same");
    assert!(translate(&stored).unwrap().is_none());
}

#[test]
fn a_kind_that_this_build_does_not_know_is_not_skipped() {
    let unknown = StoredEvent { kind: "AssetMelted".into(), ..stored("AssetStored") };
    assert!(translate(&unknown).unwrap_err().to_string().contains("AssetMelted"));
    let broken = StoredEvent { data: Value::Null.into(), ..stored("AssetStored") };
    translate(&broken).unwrap_err();
}

#[tokio::test]
async fn what_is_created_is_published_in_order() {
    let mut world = World::new().await;
    let asset = world.asset(jpeg(30, 20), "a.jpg").await.unwrap();
    let (consumer, _directory) = scratch_log(&eventlog::testing::NO_TABLES).await;
    let (sender, mut arrived) = mpsc::unbounded_channel::<Message>();
    let cancel = CancellationToken::new();
    let subscription = world.bus.subscribe(subjects::source::ASSET, subjects::durable::JOB_ASSET, consumer);
    let running = tokio::spawn(subscription.run(cancel.clone(), move |message| {
        let sender = sender.clone();
        async move { Ok(sender.send(message)?) }
    }));
    let mut messages = Vec::new();
    for _ in 0..3 {
        let message = tokio::time::timeout(std::time::Duration::from_secs(60), arrived.recv()).await;
        messages.push(message.unwrap().unwrap());
    }
    let names: Vec<_> = messages.iter().map(|message| message.name.as_str()).collect();
    assert_eq!(names, ["client_created", "campaign_created", "asset_stored"]);
    assert_eq!(messages[2].subject, format!("filmstrip.asset.v1.{}.asset_stored", asset.id));
    let told: pb::AssetStored = serde_json::from_value(messages[2].data.clone()).unwrap();
    assert_eq!((told.asset_id, told.blob, told.width), (asset.id, asset.blob, Some(30)));
    assert!(messages.iter().all(|message| message.recorded_at == NOW && message.traceparent.is_some()));
    cancel.cancel();
    running.await.unwrap();
    world.stop().await;
}

async fn tables(log: &Log) -> Vec<eventlog::Row> {
    let mut rows = Vec::new();
    for table in ["client", "campaign", "asset", "api_key"] {
        let sql = format!("SELECT * FROM {table} ORDER BY position");
        rows.extend(log.query(&sql, eventlog::params![]).await.unwrap());
    }
    rows
}

/// The log alone says everything that the tables say.
#[tokio::test]
async fn the_tables_can_be_made_again_from_the_log() {
    let mut world = World::new().await;
    let kept = world.asset(jpeg(16, 16), "a.jpg").await.unwrap();
    let gone = world.asset(jpeg(16, 16), "b.jpg").await.unwrap();
    let other = world.client_named("Other").await;
    let request = pb::UpdateCampaignRequest {
        id: kept.campaign_id.unwrap(),
        fields: vec!["client_id".into(), "goal".into()],
        client_id: Some(other.id.clone()),
        goal: Some("bookings".into()),
        ..Default::default()
    };
    ok(world.client.update_campaign(request).await);
    let request = pb::UpdateClientRequest {
        id: other.id,
        fields: vec!["name".into()],
        name: Some("Another".into()),
        ..Default::default()
    };
    ok(world.client.update_client(request).await);
    let request = pb::DeleteClientRequest { id: gone.client_id.unwrap(), ..Default::default() };
    ok(world.client.delete_client(request).await);
    let request = pb::CreateApiKeyRequest {
        name: Some("site".into()),
        scopes: vec!["read".into()],
        ..Default::default()
    };
    let key = ok(world.client.create_api_key(request).await).key.unwrap();
    ok(world.client.revoke_api_key(pb::RevokeApiKeyRequest { id: key.id, ..Default::default() }).await);
    let (again, _directory) = scratch_log(&asset::store::MIGRATIONS).await;
    for stored in world.log.read_all(0, 100).await.unwrap() {
        let append = asset::events::replay(&stored).unwrap();
        again.append(append).await.unwrap();
    }
    let rows = tables(&world.log).await;
    assert_eq!(rows.len(), 5, "two clients, a campaign, an asset, a key");
    assert_eq!(tables(&again).await, rows);
    world.stop().await;
}
