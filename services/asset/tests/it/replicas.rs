//! Several replicas over one PostgreSQL schema and one object store.

use asset::store::MIGRATIONS;
use blobs::Blobs;
use eventlog::{migrate, open_checked};
use protos::asset::v1 as pb;
use protos::common::v1::BlobRef;
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

/// PostgreSQL takes no text with a zero byte, not even to look for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_has_an_id_with_a_zero_byte() {
    let mut pair = Pair::start().await;
    let campaign = pair.first.campaign().await;
    let id = format!("{}\0", campaign.id);
    let service = &mut pair.first.client;
    let errors = [
        refused(service.get_client(pb::GetClientRequest { id: id.clone() }).await),
        refused(service.get_campaign(pb::GetCampaignRequest { id: id.clone() }).await),
        refused(service.get_asset(pb::GetAssetRequest { id: id.clone() }).await),
        refused(
            service.update_client(pb::UpdateClientRequest { id: id.clone(), ..Default::default() }).await,
        ),
        refused(
            service.update_campaign(pb::UpdateCampaignRequest { id: id.clone(), ..Default::default() }).await,
        ),
        refused(
            service.delete_client(pb::DeleteClientRequest { id: id.clone(), ..Default::default() }).await,
        ),
        refused(
            service.delete_campaign(pb::DeleteCampaignRequest { id: id.clone(), ..Default::default() }).await,
        ),
        refused(service.delete_asset(pb::DeleteAssetRequest { id: id.clone(), ..Default::default() }).await),
        refused(
            service.revoke_api_key(pb::RevokeApiKeyRequest { id: id.clone(), ..Default::default() }).await,
        ),
    ];
    for error in errors {
        assert_eq!(error.code, kit::Code::NotFound, "{error}");
    }
    let source = Some(BlobRef { sha256: id.clone(), ..Default::default() });
    let error = refused(service.get_picture(pb::GetPictureRequest { source, width: 160, at_ms: None }).await);
    assert_eq!(error.code, kit::Code::NotFound, "{error}");
    let wanted = pb::ListCampaignsRequest { client_id: Some(id.clone()), ..Default::default() };
    assert_eq!(ok(service.list_campaigns(wanted).await).total, 0);
    let wanted = pb::ListAssetsRequest { campaign_id: Some(id), ..Default::default() };
    assert_eq!(ok(service.list_assets(wanted).await).total, 0);
    pair.stop().await;
}

/// What one replica changes, keeps and deletes, on the database that replicas share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_keys_pictures_and_deletions_hold_for_every_replica() {
    let mut pair = Pair::start().await;
    let asset = pair.first.asset(jpeg(400, 200), "lobby.jpg").await.unwrap();
    let client_id = asset.client_id.unwrap();
    let update = pb::UpdateClientRequest {
        command_id: "key-1".into(),
        id: client_id.clone(),
        fields: vec!["name".into(), "description".into()],
        name: Some("Northwind Lodges".into()),
        ..Default::default()
    };
    let updated = ok(pair.first.client.update_client(update.clone()).await);
    assert_eq!(ok(pair.second.client.update_client(update).await), updated);
    let nothing =
        pb::UpdateClientRequest { command_id: "key-2".into(), id: client_id.clone(), ..Default::default() };
    assert_eq!(ok(pair.first.client.update_client(nothing.clone()).await), updated);
    assert_eq!(ok(pair.second.client.update_client(nothing).await), updated);
    let other = pair.second.client_named("Other").await;
    let moving = pb::UpdateCampaignRequest {
        id: asset.campaign_id.unwrap(),
        fields: vec!["client_id".into()],
        client_id: Some(other.id.clone()),
        ..Default::default()
    };
    ok(pair.second.client.update_campaign(moving).await);
    let key = pb::CreateApiKeyRequest {
        name: Some("site".into()),
        scopes: vec!["read".into()],
        client_id: Some(other.id.clone()),
        expires_at: Some("2030-01-01T00:00:00Z".into()),
        ..Default::default()
    };
    let key = ok(pair.first.client.create_api_key(key).await).key.unwrap();
    let ring = ok(pair.second.client.get_key_ring(pb::GetKeyRingRequest {}).await);
    assert_eq!((ring.keys[0].id.as_str(), ring.keys[0].digest.len()), (key.id.as_str(), 32));
    ok(pair.second.client.revoke_api_key(pb::RevokeApiKeyRequest { id: key.id, ..Default::default() }).await);
    assert!(ok(pair.first.client.get_key_ring(pb::GetKeyRingRequest {}).await).keys.is_empty());
    let picture = pb::GetPictureRequest { source: asset.blob, width: 160, at_ms: None };
    let drawn = ok(pair.first.client.get_picture(picture.clone()).await);
    assert_eq!(ok(pair.second.client.get_picture(picture).await), drawn);
    let page = pb::ListClientsRequest { limit: 1, ..Default::default() };
    let first = ok(pair.first.client.list_clients(page.clone()).await);
    let second =
        ok(pair.second.client.list_clients(pb::ListClientsRequest { after: first.next, ..page }).await);
    assert_eq!((first.clients[0].id.as_str(), second.clients[0].id.as_str()), (&*client_id, &*other.id));
    assert_eq!(second.next, None);
    ok(pair.first.client.delete_client(pb::DeleteClientRequest { id: other.id, ..Default::default() }).await);
    assert_eq!(pair.second.assets().await, (0, 1), "the asset went with the campaign's new client");
    let left = ok(pair.second.client.list_clients(pb::ListClientsRequest::default()).await);
    assert_eq!(left.clients, [updated]);
    pair.stop().await;
}
