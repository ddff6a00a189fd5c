//! Changing and deleting clients and campaigns, and deleting assets.

use http::Method;
use kit::ServiceError;
use protos::asset::v1 as pb;
use serde_json::{Value, json};

use crate::{
    campaigns::a_campaign,
    clients::a_client,
    world::{Answer, World, answer},
};

async fn send(world: &World, method: &Method, path: &str, body: Value) -> Answer {
    answer(world.request(method.clone(), path).json(&body)).await
}

#[tokio::test]
async fn put_and_patch_both_change_only_the_fields_that_are_sent() {
    for method in [Method::PUT, Method::PATCH] {
        let world = World::start().await;
        world.asset.on("update_client", a_client());
        let body = json!({"brandGuidelines": null, "metadata": {"tier": "gold"}, "email": "ignored"});
        send(&world, &method, "/api/v3/clients/cl-1", body).await.ok(200);
        let asked: pb::UpdateClientRequest = world.asset.asked_once("update_client");
        let expected = pb::UpdateClientRequest {
            command_id: asked.command_id.clone(),
            id: "cl-1".into(),
            fields: vec!["brand_guidelines".into(), "metadata".into()],
            metadata_json: Some(r#"{"tier":"gold"}"#.into()),
            ..Default::default()
        };
        assert_eq!(asked, expected);
        world.asset.on("update_campaign", a_campaign("Sunny lodge"));
        let body = json!({"clientId": "cl-2", "product_url": null, "name": "Summer"});
        send(&world, &method, "/api/v3/campaigns/c-1", body).await.ok(200);
        let asked: pb::UpdateCampaignRequest = world.asset.asked_once("update_campaign");
        assert_eq!(asked.fields, ["client_id", "name", "product_url"]);
        assert_eq!((asked.client_id.as_deref(), asked.name.as_deref()), (Some("cl-2"), Some("Summer")));
    }
}

#[tokio::test]
async fn an_empty_body_changes_nothing() {
    let world = World::start().await;
    world.asset.on("update_client", a_client());
    answer(world.request(Method::PATCH, "/api/v3/clients/cl-1")).await.ok(200);
    let asked: pb::UpdateClientRequest = world.asset.asked_once("update_client");
    assert!(asked.fields.is_empty());
}

#[tokio::test]
async fn wrong_types_are_told_together_and_unknown_ids_are_404() {
    let world = World::start().await;
    let body = json!({"name": 7, "metadata": []});
    let answer = send(&world, &Method::PUT, "/api/v3/clients/cl-1", body).await;
    let error = &answer.problem(422, "validation_failed")["error"];
    assert_eq!(error["details"], json!({"name": ["is invalid"], "metadata": ["is invalid"]}));
    for (call, path, code) in [
        ("update_client", "/api/v3/clients/x", "client_not_found"),
        ("update_campaign", "/api/v3/campaigns/x", "campaign_not_found"),
    ] {
        world.asset.refuse(call, || ServiceError::not_found("Nothing is there"));
        let answer = send(&world, &Method::PATCH, path, json!({})).await;
        assert_eq!(answer.problem(404, code)["error"]["code"], "not_found");
    }
}

#[tokio::test]
async fn a_deletion_is_204_without_a_body_or_404() {
    let world = World::start().await;
    for (call, path, code) in [
        ("delete_client", "/api/v3/clients/x", "client_not_found"),
        ("delete_campaign", "/api/v3/campaigns/x", "campaign_not_found"),
        ("delete_asset", "/api/v3/assets/x", "asset_not_found"),
    ] {
        world.asset.on(call, pb::Deleted {});
        world.asset.refuse(call, || ServiceError::not_found("Nothing is there"));
        let gone = answer(world.request(Method::DELETE, path)).await;
        assert_eq!((gone.status.as_u16(), gone.bytes.len()), (204, 0), "{path}");
        answer(world.request(Method::DELETE, path)).await.problem(404, code);
    }
}

#[tokio::test]
async fn every_change_carries_its_idempotency_key() {
    let world = World::start().await;
    world.asset.on("update_client", a_client());
    world.asset.on("delete_asset", pb::Deleted {});
    for (method, path) in [(Method::PATCH, "/api/v3/clients/cl-1"), (Method::DELETE, "/api/v3/assets/a-1")] {
        answer(world.request(method, path).header("idempotency-key", "key-1")).await;
    }
    let asked: pb::UpdateClientRequest = world.asset.asked_once("update_client");
    assert_eq!(asked.command_id, "PATCH /api/v3/clients/cl-1 key-1");
    let asked: pb::DeleteAssetRequest = world.asset.asked_once("delete_asset");
    assert_eq!(asked.command_id, "DELETE /api/v3/assets/a-1 key-1");
}
