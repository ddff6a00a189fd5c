//! Cursors of the lists, and the lists inside a client and a campaign.

use kit::ServiceError;
use protos::{asset::v1 as pb, job::v1 as job};
use serde_json::json;

use crate::{
    assets::an_asset,
    campaigns::a_campaign,
    clients::a_client,
    world::{World, a_job, a_scene},
};

/// A world whose lists all have a next page.
async fn endless() -> World {
    let world = World::start().await;
    let next = Some(1207);
    world.asset.on("get_client", a_client());
    world.asset.on("get_campaign", a_campaign("{\"a\":1}"));
    world.asset.on("list_clients", pb::ListClientsReply { clients: vec![a_client()], total: 9, next });
    let campaigns = vec![a_campaign("{\"a\":1}")];
    world.asset.on("list_campaigns", pb::ListCampaignsReply { campaigns, total: 9, next });
    let assets = vec![an_asset(None)];
    world.asset.on("list_assets", pb::ListAssetsReply { assets, total: 9, next });
    let keys = vec![pb::ApiKey::default()];
    world.asset.on("list_api_keys", pb::ListApiKeysReply { keys, total: 9, next });
    world
}

/// Uses each cursor with each list.
async fn each_fits_its_own_list_only(world: &World, lists: &[&str], cursors: &[String]) {
    for (list, own) in lists.iter().zip(cursors) {
        for cursor in cursors {
            let answer = world.get(&format!("/api/v3/{list}&limit=3&cursor={cursor}")).await;
            if cursor == own {
                answer.ok(200);
            } else {
                let body = answer.problem(400, "bad_request");
                assert!(body["detail"].as_str().expect("text").contains("cursor"), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn q28_every_list_goes_on_where_its_cursor_says_and_refuses_those_of_others() {
    let world = endless().await;
    let lists = [
        "clients?a=1",
        "campaigns?client_id=cl-1",
        "clients/cl-1/campaigns?a=1",
        "campaigns/c-1/assets?a=1",
        "assets?client_id=cl-1",
        "assets?client_id=cl-2",
        "assets?client_id=cl-1&type=image",
        "keys?a=1",
    ];
    let mut cursors = Vec::new();
    for list in lists {
        let page = world.get(&format!("/api/v3/{list}&limit=1")).await.ok(200);
        assert_eq!(page["meta"]["total"], 9, "{list}");
        cursors.push(page["meta"]["next_cursor"].as_str().expect("a cursor").to_owned());
    }
    each_fits_its_own_list_only(&world, &lists, &cursors).await;
    let asked: Vec<pb::ListClientsRequest> = world.asset.asked("list_clients");
    assert_eq!((asked[1].limit, asked[1].after), (3, Some(1207)));
    let asked: Vec<pb::ListAssetsRequest> = world.asset.asked("list_assets");
    assert!(asked.iter().filter(|asked| asked.limit == 3).all(|asked| asked.after == Some(1207)));
}

#[tokio::test]
async fn q28_the_cursors_of_clips_and_scenes_fit_their_own_filters_and_their_own_job() {
    let world = World::start().await;
    let scene = job::ListedScene { job_id: 43, scene: Some(a_scene("s-1", 0)), video_model: "veo3".into() };
    world.job.on("list_scenes", job::ListScenesReply { scenes: vec![scene], total: 9, next: Some(1207) });
    world.job.on("get_job", a_job(None));
    let lists = [
        "ai-videos?a=1",
        "ai-videos?status=completed",
        "ai-videos?status=failed",
        "ai-videos?client_id=cl-1",
        "ai-videos?client_id=cl-1&status=completed",
        "jobs/43/scenes?a=1",
        "jobs/44/scenes?a=1",
    ];
    let mut cursors = Vec::new();
    for list in lists {
        let page = world.get(&format!("/api/v3/{list}&limit=1")).await.ok(200);
        let cursor = page["meta"]["next_cursor"].as_str().or(page["next_cursor"].as_str());
        cursors.push(cursor.expect("a cursor").to_owned());
    }
    each_fits_its_own_list_only(&world, &lists, &cursors).await;
    let asked: Vec<job::ListScenesRequest> = world.job.asked("list_scenes");
    let later: Vec<Option<i64>> =
        asked.iter().filter(|asked| asked.limit == 3).map(|asked| asked.after).collect();
    assert_eq!(later, [Some(1207); 5], "a cursor of others asks nobody");
}

#[tokio::test]
async fn q28_without_a_limit_lists_are_whole_and_the_last_page_has_no_cursor() {
    let world = World::start().await;
    world.asset.on("list_clients", pb::ListClientsReply { clients: vec![a_client()], total: 1, next: None });
    let page = world.get("/api/v3/clients").await.ok(200);
    assert_eq!(page["meta"], json!({"total": 1, "next_cursor": null}));
    let asked: pb::ListClientsRequest = world.asset.asked_once("list_clients");
    assert_eq!((asked.limit, asked.offset, asked.after), (0, 0, None));
}

#[tokio::test]
async fn the_campaigns_of_a_client_have_a_shape_of_their_own() {
    let world = endless().await;
    let page = world.get("/api/v3/clients/cl-1/campaigns").await.ok(200);
    let shown = json!({
        "id": "c-1", "name": "Spring", "brief": "{\"a\":1}", "client_id": "cl-1",
        "inserted_at": "2025-03-04T05:06:07Z", "updated_at": "2025-03-04T05:06:07Z",
    });
    assert_eq!(page["data"], json!([shown]), "the brief is never decoded here");
    assert_eq!((&page["meta"]["client_id"], &page["meta"]["total"]), (&json!("cl-1"), &json!(9)));
    let asked: pb::ListCampaignsRequest = world.asset.asked_once("list_campaigns");
    assert_eq!(asked.client_id.as_deref(), Some("cl-1"));
}

#[tokio::test]
async fn the_assets_of_a_campaign_have_a_shape_of_their_own() {
    let world = endless().await;
    world.asset.clear("list_assets");
    let asset = pb::Asset { blob: Some(Default::default()), ..an_asset(None) };
    let bare = pb::Asset { metadata_json: Some(r#"{"room_type":"kitchen"}"#.into()), ..asset.clone() };
    world.asset.on("list_assets", pb::ListAssetsReply { assets: vec![asset, bare], total: 2, next: None });
    let page = world.get("/api/v3/campaigns/c-1/assets").await.ok(200);
    let shown = |metadata: serde_json::Value| {
        json!({
            "id": "a-1", "type": "image", "campaign_id": "c-1", "source_url": null, "metadata": metadata,
            "has_blob_data": true, "inserted_at": "2025-03-04T05:06:07Z", "updated_at": "2025-03-04T05:06:07Z",
        })
    };
    assert_eq!(page["data"], json!([shown(json!({})), shown(json!({"room_type": "kitchen"}))]));
    assert_eq!(page["meta"], json!({"campaign_id": "c-1", "total": 2, "next_cursor": null}));
}

#[tokio::test]
async fn a_list_inside_something_unknown_is_404() {
    let world = World::start().await;
    world.asset.refuse("get_client", || ServiceError::not_found("Nothing is there"));
    world.asset.refuse("get_campaign", || ServiceError::not_found("Nothing is there"));
    world.get("/api/v3/clients/x/campaigns").await.problem(404, "client_not_found");
    world.get("/api/v3/campaigns/x/assets").await.problem(404, "campaign_not_found");
}
