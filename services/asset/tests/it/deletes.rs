//! Deleting clients, campaigns and assets, and what goes with them.

use kit::Code;
use protos::asset::v1 as pb;

use crate::files::jpeg;
use crate::world::{World, ok, refused};

fn client(id: &str) -> pb::DeleteClientRequest {
    pb::DeleteClientRequest { id: id.into(), ..Default::default() }
}

fn campaign(id: &str) -> pb::DeleteCampaignRequest {
    pb::DeleteCampaignRequest { id: id.into(), ..Default::default() }
}

fn asset(id: &str) -> pb::DeleteAssetRequest {
    pb::DeleteAssetRequest { id: id.into(), ..Default::default() }
}

/// What was stored after a position: kinds with the ids that they are about.
async fn told(world: &World, after: i64) -> Vec<(String, String)> {
    let stored = world.log.read_all(after, 100).await.unwrap();
    let events = stored.iter().map(|stored| {
        let event = asset::events::Event::from_stored(stored).unwrap().unwrap();
        (event.kind().to_owned(), event.entity().to_owned())
    });
    events.collect()
}

/// An asset of a client alone.
async fn of_client(world: &mut World, client_id: &str) -> pb::Asset {
    let request = pb::CreateAssetRequest {
        fields: Some(pb::AssetFields { client_id: Some(client_id.into()), ..Default::default() }),
        blob: Some(world.stored(jpeg(8, 8)).await),
        ..Default::default()
    };
    ok(world.client.create_asset(request).await)
}

#[tokio::test]
async fn a_client_takes_its_campaigns_and_the_assets_of_both_in_one_write() {
    let mut world = World::new().await;
    let in_campaign = world.asset(jpeg(8, 8), "a.jpg").await.unwrap();
    let (owner, its_campaign) =
        (in_campaign.client_id.clone().unwrap(), in_campaign.campaign_id.clone().unwrap());
    let alone = of_client(&mut world, &owner).await;
    let others = world.asset(jpeg(8, 8), "b.jpg").await.unwrap();
    let head = world.log.head().await.unwrap();
    ok(world.client.delete_client(client(&owner)).await);
    let expected = [
        ("AssetDeleted", in_campaign.id.as_str()),
        ("AssetDeleted", &alone.id),
        ("CampaignDeleted", &its_campaign),
        ("ClientDeleted", &owner),
    ];
    let expected: Vec<_> = expected.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned())).collect();
    assert_eq!(told(&world, head).await, expected);
    let stored = world.log.read_all(head, 10).await.unwrap();
    assert!(stored.iter().all(|event| event.stream == format!("client-{owner}")), "one write, one stream");
    let error = refused(world.client.get_client(pb::GetClientRequest { id: owner }).await);
    assert_eq!(error.code, Code::NotFound);
    let error = refused(world.client.get_campaign(pb::GetCampaignRequest { id: its_campaign }).await);
    assert_eq!(error.code, Code::NotFound);
    let left = ok(world.client.list_assets(pb::ListAssetsRequest::default()).await);
    assert_eq!((left.assets, left.total), (vec![others], 1));
    let bytes = in_campaign.blob.unwrap();
    assert!(world.blobs.size(&bytes.sha256).await.unwrap().is_some(), "a storyboard may use them");
    world.stop().await;
}

#[tokio::test]
async fn a_campaign_takes_its_assets_and_leaves_its_client() {
    let mut world = World::new().await;
    let gone = world.asset(jpeg(8, 8), "a.jpg").await.unwrap();
    let owner = gone.client_id.clone().unwrap();
    let stays = of_client(&mut world, &owner).await;
    ok(world.client.delete_campaign(campaign(gone.campaign_id.as_ref().unwrap())).await);
    let left = ok(world.client.list_assets(pb::ListAssetsRequest::default()).await);
    assert_eq!(left.assets, [stays]);
    ok(world.client.get_client(pb::GetClientRequest { id: owner }).await);
    world.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_deleted() {
    let mut world = World::new().await;
    let stored = world.asset(jpeg(8, 8), "a.jpg").await.unwrap();
    ok(world.client.delete_asset(asset(&stored.id)).await);
    for id in ["x", "", stored.id.as_str()] {
        let errors = [
            refused(world.client.delete_client(client(id)).await),
            refused(world.client.delete_campaign(campaign(id)).await),
            refused(world.client.delete_asset(asset(id)).await),
        ];
        for (error, what) in errors.iter().zip(["Client", "Campaign", "Asset"]) {
            assert_eq!((error.code, error.message.clone()), (Code::NotFound, format!("{what} not found")));
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn a_repeated_deletion_is_answered_again() {
    let mut world = World::new().await;
    let stored = world.asset(jpeg(8, 8), "a.jpg").await.unwrap();
    let (of_campaign, of_client) = (stored.campaign_id.clone().unwrap(), stored.client_id.clone().unwrap());
    for _ in 0..2 {
        let command_id = "key-1".to_owned();
        ok(world.client.delete_asset(pb::DeleteAssetRequest { command_id, ..asset(&stored.id) }).await);
        let command_id = "key-2".to_owned();
        ok(world
            .client
            .delete_campaign(pb::DeleteCampaignRequest { command_id, ..campaign(&of_campaign) })
            .await);
        let command_id = "key-3".to_owned();
        ok(world.client.delete_client(pb::DeleteClientRequest { command_id, ..client(&of_client) }).await);
    }
    let kinds: Vec<_> = told(&world, 3).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["AssetDeleted", "CampaignDeleted", "ClientDeleted"]);
    world.stop().await;
}

/// Whoever comes first: no campaign or asset is left without its owner, and nobody waits for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_its_owner_is_deleted_goes_too_or_is_refused() {
    let mut world = World::new().await;
    let owner = world.client_named("a").await;
    let mut creations = tokio::task::JoinSet::new();
    for index in 0..16 {
        let mut service = world.client.clone();
        let request = pb::CreateCampaignRequest {
            client_id: Some(owner.id.clone()),
            name: Some(format!("campaign {index}")),
            ..Default::default()
        };
        creations.spawn(async move { service.create_campaign(request).await.is_ok() });
    }
    let mut service = world.client.clone();
    let deleted = tokio::spawn(async move {
        while service
            .delete_client(client(&owner.id))
            .await
            .is_err_and(|status| status.code() == tonic::Code::Unavailable)
        {}
    });
    creations.join_all().await;
    deleted.await.unwrap();
    let left = ok(world.client.list_campaigns(pb::ListCampaignsRequest::default()).await);
    assert_eq!(left.total, 0);
    let events = told(&world, 0).await;
    let count = |wanted: &str| events.iter().filter(|(kind, _)| kind == wanted).count();
    assert_eq!(count("CampaignCreated"), count("CampaignDeleted"), "each is told of as gone");
    world.stop().await;
}
