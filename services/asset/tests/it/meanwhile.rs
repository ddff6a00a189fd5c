//! A campaign that goes to another client between the look at the tables and the write.

use asset::{events::Event, store::MIGRATIONS};
use async_trait::async_trait;
use blobs::Blobs;
use eventlog::testing::{Around, Wrapped, scratch_log};
use eventlog::{Append, AppendError, Appended, Log};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use protos::asset::v1 as pb;
use tempfile::TempDir;

use crate::files::jpeg;
use crate::world::{World, in_campaign, ok, refused};

/// Does something just before the first write of an event of this kind.
struct Meanwhile {
    kind: &'static str,
    done: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind)
    }
}

#[async_trait]
impl Around for Meanwhile {
    async fn append(&self, log: &Log, append: Append) -> Result<Appended, AppendError> {
        let is_it = append.events.last().is_some_and(|event| event.kind == self.kind);
        let due = if is_it { self.done.lock().take() } else { None };
        if let Some(due) = due {
            due.await;
        }
        log.append(append).await
    }
}

/// A replica whose log is met by the other one's move of the campaign.
struct Met {
    world: World,
    other: World,
    asset: pb::Asset,
    /// The client that the campaign goes to.
    to: pb::Client,
    _directories: [TempDir; 2],
}

impl Met {
    async fn by_a_move_before(kind: &'static str) -> Self {
        let (log, database) = scratch_log(&MIGRATIONS).await;
        let store = tempfile::tempdir().unwrap();
        let blobs = Blobs::local(store.path()).unwrap();
        let mut other = World::over(log.clone(), blobs.clone(), |_| ()).await;
        let asset = other.asset(jpeg(8, 8), "a.jpg").await.unwrap();
        let to = other.client_named("Other").await;
        let mut service = other.client.clone();
        let moving = pb::UpdateCampaignRequest {
            id: asset.campaign_id.clone().unwrap(),
            fields: vec!["client_id".into()],
            client_id: Some(to.id.clone()),
            ..Default::default()
        };
        let done: BoxFuture<'static, ()> =
            Box::pin(async move { drop(ok(service.update_campaign(moving).await)) });
        let log = Wrapped::new(log, Meanwhile { kind, done: Mutex::new(Some(done)) });
        let world = World::over(log, blobs, |_| ()).await;
        Self { world, other, asset, to, _directories: [database, store] }
    }

    /// Stops both; what was stored since the move: kinds, with the client that each tells of.
    async fn told(self) -> Vec<(String, String)> {
        let stored = self.other.log.read_all(0, 100).await.unwrap();
        let moved = stored.iter().position(|stored| stored.kind == "CampaignUpdated").expect("it moved");
        let told = stored[moved + 1..].iter().map(|stored| {
            let event = Event::from_stored(stored).unwrap().unwrap();
            let data = event.data().unwrap();
            (event.kind().to_owned(), data["client_id"].as_str().unwrap_or_default().to_owned())
        });
        let told = told.collect();
        self.world.stop().await;
        self.other.stop().await;
        told
    }
}

fn told(kind: &str, client: &str) -> (String, String) {
    (kind.to_owned(), client.to_owned())
}

#[tokio::test]
async fn a_client_that_is_deleted_takes_nothing_that_is_anothers_by_then() {
    let mut met = Met::by_a_move_before("ClientDeleted").await;
    let from = met.asset.client_id.clone().unwrap();
    let request = pb::DeleteClientRequest { id: from.clone(), ..Default::default() };
    ok(met.world.client.delete_client(request).await);
    let id = met.asset.campaign_id.clone().unwrap();
    let campaign = ok(met.world.client.get_campaign(pb::GetCampaignRequest { id }).await);
    let id = met.asset.id.clone();
    let asset = ok(met.world.client.get_asset(pb::GetAssetRequest { id }).await);
    assert_eq!((campaign.client_id, asset.client_id), (met.to.id.clone(), Some(met.to.id.clone())));
    refused(met.world.client.get_client(pb::GetClientRequest { id: from.clone() }).await);
    assert_eq!(met.told().await, [told("ClientDeleted", &from)]);
}

#[tokio::test]
async fn a_campaign_is_deleted_as_the_one_of_its_new_client() {
    let mut met = Met::by_a_move_before("CampaignDeleted").await;
    let id = met.asset.campaign_id.clone().unwrap();
    ok(met.world.client.delete_campaign(pb::DeleteCampaignRequest { id, ..Default::default() }).await);
    let to = met.to.id.clone();
    assert_eq!(met.told().await, [told("AssetDeleted", &to), told("CampaignDeleted", &to)]);
}

#[tokio::test]
async fn an_asset_is_deleted_as_the_one_of_its_new_client() {
    let mut met = Met::by_a_move_before("AssetDeleted").await;
    let id = met.asset.id.clone();
    ok(met.world.client.delete_asset(pb::DeleteAssetRequest { id, ..Default::default() }).await);
    let to = met.to.id.clone();
    assert_eq!(met.told().await, [told("AssetDeleted", &to)]);
}

#[tokio::test]
async fn a_new_asset_of_a_campaign_is_its_new_clients() {
    let mut met = Met::by_a_move_before("AssetStored").await;
    let id = met.asset.campaign_id.clone().unwrap();
    let campaign = ok(met.other.client.get_campaign(pb::GetCampaignRequest { id }).await);
    let request = pb::CreateAssetRequest {
        fields: Some(in_campaign(&campaign)),
        blob: Some(met.world.stored(jpeg(9, 9)).await),
        ..Default::default()
    };
    let asset = ok(met.world.client.create_asset(request).await);
    assert_eq!((&asset.client_id, &asset.campaign_id), (&Some(met.to.id.clone()), &Some(campaign.id)));
    let to = met.to.id.clone();
    assert_eq!(met.told().await, [told("AssetStored", &to)]);
}

#[tokio::test]
async fn a_new_asset_of_a_client_and_its_campaign_is_refused_once_they_are_apart() {
    let mut met = Met::by_a_move_before("AssetStored").await;
    let fields = pb::AssetFields {
        client_id: met.asset.client_id.clone(),
        campaign_id: met.asset.campaign_id.clone(),
        ..Default::default()
    };
    let request = pb::CreateAssetRequest {
        fields: Some(fields),
        blob: Some(met.world.stored(jpeg(9, 9)).await),
        ..Default::default()
    };
    let error = refused(met.world.client.create_asset(request).await);
    assert_eq!(error.violations[0].0, "campaign_id", "{error}");
    assert!(met.told().await.is_empty());
}
