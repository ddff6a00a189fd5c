//! Campaigns.

use kit::ServiceError;
use protos::asset::v1 as pb;
use serde_json::{Value, json};

use crate::world::World;

pub(crate) fn a_campaign(brief: &str) -> pb::Campaign {
    pb::Campaign {
        id: "c-1".into(),
        client_id: "cl-1".into(),
        name: "Spring".into(),
        status: Some("draft".into()),
        brief: Some(brief.into()),
        created_at: "2025-03-04T05:06:07Z".into(),
        updated_at: "2025-03-04T05:06:07Z".into(),
        ..Default::default()
    }
}

fn shown(brief: Value) -> Value {
    json!({
        "id": "c-1", "clientId": "cl-1", "name": "Spring", "goal": null, "status": "draft", "productUrl": null,
        "brief": brief, "metadata": null, "createdAt": "2025-03-04T05:06:07Z", "updatedAt": "2025-03-04T05:06:07Z",
    })
}

#[tokio::test]
async fn a_campaign_is_created_from_either_spelling_and_read_in_camel_case() {
    let world = World::start().await;
    world.asset.on("create_campaign", a_campaign("Sunny lodge"));
    for body in [
        json!({"name": "Spring", "client_id": "cl-1", "product_url": "https://x.example"}),
        json!({"name": "Spring", "clientId": "cl-1", "productUrl": "https://x.example"}),
    ] {
        let reply = world.post("/api/v3/campaigns", body).await.ok(201);
        assert_eq!(reply, json!({"data": shown(json!("Sunny lodge"))}));
    }
    for asked in world.asset.asked::<pb::CreateCampaignRequest>("create_campaign") {
        assert_eq!(asked.client_id.as_deref(), Some("cl-1"));
        assert_eq!(asked.product_url.as_deref(), Some("https://x.example"));
    }
}

#[tokio::test]
async fn campaigns_are_listed_by_client_and_an_empty_client_is_passed_on() {
    let world = World::start().await;
    world.asset.on(
        "list_campaigns",
        pb::ListCampaignsReply { campaigns: vec![a_campaign("{\"a\":1}")], total: 1, next: None },
    );
    let list = world.get("/api/v3/campaigns?client_id=").await.ok(200);
    assert_eq!(list, json!({"data": [shown(json!({"a": 1}))], "meta": {"total": 1, "next_cursor": null}}));
    world.get("/api/v3/campaigns").await.ok(200);
    let asked: Vec<pb::ListCampaignsRequest> = world.asset.asked("list_campaigns");
    assert_eq!(asked.iter().map(|asked| asked.client_id.as_deref()).collect::<Vec<_>>(), [Some(""), None]);
    assert!(asked.iter().all(|asked| asked.limit == 0));
}

#[tokio::test]
async fn a_campaign_is_shown_or_not_found() {
    let world = World::start().await;
    world.asset.on("get_campaign", a_campaign("123"));
    world.asset.refuse("get_campaign", || ServiceError::not_found("There is no campaign."));
    assert_eq!(world.get("/api/v3/campaigns/c-1").await.ok(200), json!({"data": shown(json!("123"))}));
    let body = world.get("/api/v3/campaigns/nope").await.problem(404, "campaign_not_found");
    assert_eq!(body["error"], json!({"message": "Campaign not found", "code": "not_found"}));
}

#[tokio::test]
async fn an_unknown_client_is_a_rejected_field() {
    let world = World::start().await;
    world.asset.refuse("create_campaign", || ServiceError::validation([("client_id", "does not exist")]));
    let body = json!({"name": "Spring", "client_id": "nope"});
    let body = world.post("/api/v3/campaigns", body).await.problem(422, "validation_failed");
    assert_eq!(body["error"]["details"], json!({"client_id": ["does not exist"]}));
}

#[tokio::test]
async fn a_brief_that_is_no_text_is_rejected() {
    let world = World::start().await;
    let body = json!({"name": "Spring", "client_id": "cl-1", "brief": {"a": 1}});
    let body = world.post("/api/v3/campaigns", body).await.problem(422, "validation_failed");
    assert_eq!(body["error"]["details"], json!({"brief": ["is invalid"]}));
}
