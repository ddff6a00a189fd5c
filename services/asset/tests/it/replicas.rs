//! Several replicas over one PostgreSQL schema and one object store.

use asset::store::MIGRATIONS;
use blobs::Blobs;
use eventlog::{migrate, open_checked};
use protos::asset::v1 as pb;
use tempfile::TempDir;
use testservers::PostgresServer;
use tokio::task::JoinSet;
use wiremock::ResponseTemplate;

use crate::files::jpeg;
use crate::import::serving;
use crate::world::{World, in_campaign, ok, refused};

/// Two replicas; each has its own connections and its own handle of the store.
struct Pair {
    first: World,
    second: World,
    _database: PostgresServer,
    _store: TempDir,
}

impl Pair {
    async fn start() -> Self {
        let database = PostgresServer::start().await.unwrap();
        let urls = database.role_and_schema("asset").await.unwrap();
        migrate(&urls.owner, &MIGRATIONS).await.unwrap();
        let store = tempfile::tempdir().unwrap();
        let replica = async || {
            let log = open_checked(&urls.service, &MIGRATIONS).await.unwrap();
            World::over(log, Blobs::local(store.path()).unwrap(), |import| import.allow_loopback = true).await
        };
        Self { first: replica().await, second: replica().await, _database: database, _store: store }
    }

    async fn stop(self) {
        self.first.stop().await;
        self.second.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_stored_every_replica_shows() {
    let mut pair = Pair::start().await;
    let asset = pair.first.asset(jpeg(16, 16), "lobby.jpg").await.unwrap();
    let request = pb::GetAssetRequest { id: asset.id.clone() };
    assert_eq!(ok(pair.second.client.get_asset(request).await), asset);
    let thumbnail = asset.thumbnail.unwrap().sha256;
    assert!(pair.second.blobs.size(&thumbnail).await.unwrap().is_some(), "drawn by the first replica");
    let request = pb::GetCampaignRequest { id: asset.campaign_id.unwrap() };
    ok(pair.second.client.get_campaign(request).await);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_sent_to_all_replicas_at_once_is_carried_out_once() {
    let mut pair = Pair::start().await;
    let campaign = pair.first.campaign().await;
    let request = pb::CreateAssetRequest {
        command_id: "key-1".into(),
        fields: Some(in_campaign(&campaign)),
        blob: Some(pair.first.stored(jpeg(16, 16)).await),
        file_name: "a.jpg".into(),
    };
    let mut sent = JoinSet::new();
    for world in [&pair.first, &pair.second].repeat(3) {
        let (mut client, request) = (world.client.clone(), request.clone());
        sent.spawn(async move { ok(client.create_asset(request).await) });
    }
    let replies = sent.join_all().await;
    assert!(replies.iter().all(|reply| *reply == replies[0]), "every caller is told of the same asset");
    assert_eq!(pair.second.assets().await, (1, 1));

    let other = pb::CreateAssetRequest { file_name: "b.jpg".into(), ..request };
    let error = refused(pair.second.client.create_asset(other).await);
    assert_eq!(error.reason, "idempotency_key_reused", "a key stands for one command on all replicas");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_repeated_at_another_replica_gives_one_asset() {
    let mut pair = Pair::start().await;
    let server = serving("/a.jpg", ResponseTemplate::new(200).set_body_bytes(jpeg(8, 8))).await;
    let campaign = pair.first.campaign().await;
    let request = pb::ImportAssetRequest {
        command_id: "key-1".into(),
        fields: Some(in_campaign(&campaign)),
        source_url: format!("{}/a.jpg", server.uri()),
    };
    let (mut first, mut second) = (pair.first.client.clone(), pair.second.client.clone());
    let (one, two) = tokio::join!(first.import_asset(request.clone()), second.import_asset(request.clone()));
    let one = ok(one);
    assert_eq!(ok(two), one, "both may have fetched, one was recorded");
    let fetched = server.received_requests().await.unwrap().len();
    assert_eq!(ok(pair.second.client.import_asset(request).await), one);
    assert_eq!(server.received_requests().await.unwrap().len(), fetched, "known: not fetched again");
    assert_eq!(pair.first.assets().await, (1, 1));
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_was_lost_with_its_replica_is_given_by_another() {
    let mut pair = Pair::start().await;
    let request = pb::CreateClientRequest {
        command_id: "key-1".into(),
        name: Some("Northwind".into()),
        ..Default::default()
    };
    let stored = ok(pair.first.client.create_client(request.clone()).await);
    pair.first.stop().await;
    assert_eq!(ok(pair.second.client.create_client(request).await), stored);
    pair.second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listings_do_not_depend_on_the_replica() {
    let mut pair = Pair::start().await;
    for index in 0..6 {
        let world = if index % 2 == 0 { &mut pair.first } else { &mut pair.second };
        world.client_named(&format!("client {index}")).await;
    }
    let request = pb::ListClientsRequest { limit: 4, offset: 1, ..Default::default() };
    let first = ok(pair.first.client.list_clients(request.clone()).await);
    assert_eq!((first.total, first.clients.len()), (6, 4));
    assert_eq!(ok(pair.second.client.list_clients(request).await), first);
    pair.stop().await;
}
