//! Campaigns.

use kit::Code;
use protos::asset::v1 as pb;

use crate::world::{NOW_TEXT, World, assert_violations, ok, refused};

#[tokio::test]
async fn a_campaign_comes_back_as_it_was_created() {
    let mut world = World::new().await;
    let client = world.client_named("Northwind").await;
    let request = pb::CreateCampaignRequest {
        command_id: String::new(),
        client_id: Some(client.id.clone()),
        name: Some("Spring".into()),
        goal: Some("bookings".into()),
        status: Some("draft".into()),
        product_url: Some("https://northwind.example/lodge".into()),
        brief: Some("{\"looks\":\"like JSON\"}".into()),
        metadata_json: Some("null".into()),
    };
    let created = ok(world.client.create_campaign(request).await);
    assert_eq!((&created.client_id, created.name.as_str()), (&client.id, "Spring"));
    assert_eq!(created.brief.as_deref(), Some("{\"looks\":\"like JSON\"}"));
    assert_eq!(created.metadata_json, None);
    assert_eq!(created.created_at, NOW_TEXT);
    let found = ok(world.client.get_campaign(pb::GetCampaignRequest { id: created.id.clone() }).await);
    assert_eq!(found, created);
    world.stop().await;
}

#[tokio::test]
async fn a_campaign_needs_a_name_and_a_client_that_exists() {
    let mut world = World::new().await;
    let error = refused(world.client.create_campaign(pb::CreateCampaignRequest::default()).await);
    assert_violations(&error, &[("client_id", "can't be blank"), ("name", "can't be blank")]);
    let request = pb::CreateCampaignRequest {
        client_id: Some("7c0f6a52-6d0e-4b39-9f0d-0d2a4c1f9e11".into()),
        name: Some("Spring".into()),
        ..Default::default()
    };
    let error = refused(world.client.create_campaign(request).await);
    assert_violations(&error, &[("client_id", "does not exist")]);
    assert_eq!(world.log.head().await.unwrap(), 0);
    world.stop().await;
}

#[tokio::test]
async fn an_unknown_campaign_is_not_found() {
    let mut world = World::new().await;
    let error = refused(world.client.get_campaign(pb::GetCampaignRequest { id: "x".into() }).await);
    assert_eq!((error.code, error.message.as_str()), (Code::NotFound, "Campaign not found"));
    world.stop().await;
}

#[tokio::test]
async fn campaigns_are_listed_by_client() {
    let mut world = World::new().await;
    let (first, second) = (world.campaign().await, world.campaign().await);
    let list = |client_id: Option<&str>| pb::ListCampaignsRequest {
        client_id: client_id.map(str::to_owned),
        ..Default::default()
    };
    let all = ok(world.client.list_campaigns(list(None)).await);
    assert_eq!((all.campaigns, all.total), (vec![first.clone(), second.clone()], 2));
    let own = ok(world.client.list_campaigns(list(Some(&second.client_id))).await);
    assert_eq!((own.campaigns, own.total), (vec![second], 1));
    let none = ok(world.client.list_campaigns(list(Some(""))).await);
    assert_eq!((none.campaigns, none.total), (vec![], 0));
    world.stop().await;
}
