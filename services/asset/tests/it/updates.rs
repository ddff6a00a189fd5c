//! Changing clients and campaigns.

use kit::Code;
use protos::asset::v1 as pb;

use crate::files::jpeg;
use crate::world::{NOW_TEXT, World, assert_violations, ok, refused};

const LATER: std::time::Duration = std::time::Duration::from_secs(5);
const LATER_TEXT: &str = "2025-03-04T05:06:12Z";

fn of_client(id: &str, fields: &[&str]) -> pb::UpdateClientRequest {
    pb::UpdateClientRequest {
        id: id.into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        ..Default::default()
    }
}

fn of_campaign(id: &str, fields: &[&str]) -> pb::UpdateCampaignRequest {
    pb::UpdateCampaignRequest {
        id: id.into(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        ..Default::default()
    }
}

/// A client with all its fields.
async fn full_client(world: &mut World) -> pb::Client {
    let request = pb::CreateClientRequest {
        name: Some("Northwind".into()),
        description: Some("Stays".into()),
        homepage: Some("https://northwind.example".into()),
        brand_guidelines: Some("Navy".into()),
        metadata_json: Some(r#"{"tier":"gold","a":1}"#.into()),
        ..Default::default()
    };
    ok(world.client.create_client(request).await)
}

#[tokio::test]
async fn only_what_is_sent_changes_and_what_is_sent_as_nothing_is_cleared() {
    let mut world = World::new().await;
    let old = full_client(&mut world).await;
    world.clock.advance(LATER);
    let request = pb::UpdateClientRequest {
        name: Some("Northwind Lodges".into()),
        homepage: Some("not sent, so not looked at".into()),
        metadata_json: Some(r#"{"b":2}"#.into()),
        ..of_client(&old.id, &["name", "description", "metadata"])
    };
    let new = ok(world.client.update_client(request).await);
    let expected = pb::Client {
        name: "Northwind Lodges".into(),
        description: None,
        metadata_json: Some(r#"{"b":2}"#.into()),
        updated_at: LATER_TEXT.into(),
        ..old.clone()
    };
    assert_eq!((&new, new.created_at.as_str()), (&expected, NOW_TEXT));
    assert_eq!(ok(world.client.get_client(pb::GetClientRequest { id: old.id }).await), expected);
    let stored = world.log.read_all(1, 10).await.unwrap();
    let data: serde_json::Value = stored[0].data.read().unwrap();
    assert_eq!(data["changed"], serde_json::json!(["name", "description", "metadata"]));
    world.stop().await;
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_no_event_and_leaves_the_time() {
    let mut world = World::new().await;
    let old = full_client(&mut world).await;
    world.clock.advance(LATER);
    let same = pb::UpdateClientRequest {
        name: Some(old.name.clone()),
        metadata_json: Some(r#"{ "a": 1, "tier": "gold" }"#.into()),
        ..of_client(&old.id, &["name", "metadata"])
    };
    for request in [of_client(&old.id, &[]), same] {
        assert_eq!(ok(world.client.update_client(request).await), old);
    }
    assert_eq!(world.log.head().await.unwrap(), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_name_cannot_be_cleared() {
    let mut world = World::new().await;
    let client = full_client(&mut world).await;
    for name in [None, Some(" ".to_owned())] {
        let request = pb::UpdateClientRequest { name, ..of_client(&client.id, &["name"]) };
        let error = refused(world.client.update_client(request).await);
        assert_violations(&error, &[("name", "can't be blank")]);
    }
    let campaign = world.campaign().await;
    let request = of_campaign(&campaign.id, &["name", "client_id"]);
    let error = refused(world.client.update_campaign(request).await);
    assert_violations(&error, &[("client_id", "can't be blank"), ("name", "can't be blank")]);
    world.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_changed() {
    let mut world = World::new().await;
    let error = refused(world.client.update_client(of_client("x", &["name"])).await);
    assert_eq!((error.code, error.message.as_str()), (Code::NotFound, "Client not found"));
    let error = refused(world.client.update_campaign(of_campaign("x", &["name"])).await);
    assert_eq!((error.code, error.message.as_str()), (Code::NotFound, "Campaign not found"));
    world.stop().await;
}

#[tokio::test]
async fn q16_a_campaign_goes_to_a_client_that_exists_and_takes_its_assets_along() {
    let mut world = World::new().await;
    let asset = world.asset(jpeg(8, 8), "a.jpg").await.unwrap();
    let campaign = asset.campaign_id.clone().unwrap();
    let nobody =
        pb::UpdateCampaignRequest { client_id: Some("x".into()), ..of_campaign(&campaign, &["client_id"]) };
    let error = refused(world.client.update_campaign(nobody).await);
    assert_violations(&error, &[("client_id", "does not exist")]);
    let other = world.client_named("Other").await;
    let move_it = pb::UpdateCampaignRequest {
        client_id: Some(other.id.clone()),
        ..of_campaign(&campaign, &["client_id"])
    };
    let moved = ok(world.client.update_campaign(move_it).await);
    assert_eq!(moved.client_id, other.id);
    let asset = ok(world.client.get_asset(pb::GetAssetRequest { id: asset.id }).await);
    assert_eq!(asset.client_id, Some(other.id), "an asset of a campaign is its client's");
    world.stop().await;
}

#[tokio::test]
async fn all_fields_of_a_campaign_can_be_changed() {
    let mut world = World::new().await;
    let old = world.campaign().await;
    let request = pb::UpdateCampaignRequest {
        name: Some("Summer".into()),
        goal: Some("bookings".into()),
        status: Some("active".into()),
        product_url: Some("https://northwind.example".into()),
        brief: Some("123".into()),
        metadata_json: Some(r#"{"a":1}"#.into()),
        ..of_campaign(&old.id, &["name", "goal", "status", "product_url", "brief", "metadata"])
    };
    let new = ok(world.client.update_campaign(request).await);
    let expected = pb::Campaign {
        name: "Summer".into(),
        goal: Some("bookings".into()),
        status: Some("active".into()),
        product_url: Some("https://northwind.example".into()),
        brief: Some("123".into()),
        metadata_json: Some(r#"{"a":1}"#.into()),
        ..old
    };
    assert_eq!(new, expected);
    assert_eq!(ok(world.client.get_campaign(pb::GetCampaignRequest { id: new.id.clone() }).await), new);
    world.stop().await;
}

#[tokio::test]
async fn a_repeated_change_does_not_undo_what_others_did_since() {
    let mut world = World::new().await;
    let client = world.client_named("a").await;
    let named = |command: &str, name: &str| pb::UpdateClientRequest {
        command_id: command.into(),
        name: Some(name.into()),
        ..of_client(&client.id, &["name"])
    };
    // The first of them changes nothing, and is remembered all the same.
    for (command, name) in [("key-1", "a"), ("key-2", "b")] {
        let first = ok(world.client.update_client(named(command, name)).await);
        ok(world.client.update_client(named("", "c")).await);
        assert_eq!(ok(world.client.update_client(named(command, name)).await), first);
        let now = ok(world.client.get_client(pb::GetClientRequest { id: client.id.clone() }).await);
        assert_eq!(now.name, "c");
        let error = refused(world.client.update_client(named(command, "d")).await);
        assert_eq!((error.code, error.reason.as_str()), (Code::Conflict, "idempotency_key_reused"));
    }
    world.stop().await;
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    let mut world = World::new().await;
    let client = world.client_named("a").await;
    let fields = ["description", "homepage", "brand_guidelines"];
    let mut changes = tokio::task::JoinSet::new();
    for field in fields {
        let mut service = world.client.clone();
        let value = Some(field.to_owned());
        let request = pb::UpdateClientRequest {
            description: value.clone(),
            homepage: value.clone(),
            brand_guidelines: value,
            ..of_client(&client.id, &[field])
        };
        changes.spawn(async move { ok(service.update_client(request).await) });
    }
    changes.join_all().await;
    let now = ok(world.client.get_client(pb::GetClientRequest { id: client.id }).await);
    assert_eq!(
        [now.description.as_deref(), now.homepage.as_deref(), now.brand_guidelines.as_deref()],
        fields.map(Some)
    );
    world.stop().await;
}
