//! A command that comes again under its key.

use kit::Code;
use protos::asset::v1 as pb;
use tokio::task::JoinSet;

use crate::files::jpeg;
use crate::world::{World, in_campaign, ok, refused};

fn named(command_id: &str, name: &str) -> pb::CreateClientRequest {
    pb::CreateClientRequest { command_id: command_id.into(), name: Some(name.into()), ..Default::default() }
}

#[tokio::test]
async fn a_repeated_command_gets_its_first_reply() {
    let mut world = World::new().await;
    let campaign = world.campaign().await;
    let request = pb::CreateAssetRequest {
        command_id: "key-1".into(),
        fields: Some(in_campaign(&campaign)),
        blob: Some(world.stored(jpeg(16, 16)).await),
        file_name: "a.jpg".into(),
    };
    let first = ok(world.client.create_asset(request.clone()).await);
    let second = ok(world.client.create_asset(request).await);
    assert_eq!(first, second);
    assert_eq!(world.assets().await, (1, 1));
    let client = ok(world.client.create_client(named("key-2", "a")).await);
    assert_eq!(ok(world.client.create_client(named("key-2", "a")).await), client);
    world.stop().await;
}

#[tokio::test]
async fn a_key_stands_for_one_command() {
    let mut world = World::new().await;
    let client = ok(world.client.create_client(named("key-1", "a")).await);
    let error = refused(world.client.create_client(named("key-1", "b")).await);
    assert_eq!((error.code, error.reason.as_str()), (Code::Conflict, "idempotency_key_reused"));
    let request = pb::CreateCampaignRequest {
        command_id: "key-1".into(),
        client_id: Some(client.id),
        name: Some("a".into()),
        ..Default::default()
    };
    let error = refused(world.client.create_campaign(request).await);
    assert_eq!(error.code, Code::Conflict, "whatever it asks for");
    world.stop().await;
}

#[tokio::test]
async fn a_refused_command_may_be_sent_again_corrected() {
    let mut world = World::new().await;
    refused(world.client.create_client(named("key-1", "")).await);
    assert_eq!(ok(world.client.create_client(named("key-1", "a")).await).name, "a");
    world.stop().await;
}

#[tokio::test]
async fn a_command_sent_many_times_at_once_is_carried_out_once() {
    let world = World::new().await;
    let mut sent = JoinSet::new();
    for _ in 0..8 {
        let mut client = world.client.clone();
        sent.spawn(async move { ok(client.create_client(named("key-1", "a")).await) });
    }
    let replies = sent.join_all().await;
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(world.log.head().await.unwrap(), 1);
    world.stop().await;
}

#[tokio::test]
async fn commands_without_a_key_are_all_carried_out() {
    let mut world = World::new().await;
    let first = ok(world.client.create_client(named("", "a")).await);
    let second = ok(world.client.create_client(named("", "a")).await);
    assert_ne!(first.id, second.id);
    world.stop().await;
}
