//! What clients and campaigns have.

use kit::ServiceError;
use protos::{asset::v1 as asset, job::v1 as pb};
use serde_json::json;

use crate::{clients::a_client, world::World};

#[tokio::test]
async fn a_client_is_summed_up_over_the_jobs_that_were_made_for_it() {
    let world = World::start().await;
    world.asset.on("get_client", a_client());
    let campaign = |id: &str| asset::Campaign { id: id.into(), ..Default::default() };
    let campaigns = vec![campaign("c-1"), campaign("c-2")];
    #[allow(clippy::needless_update, reason = "replies grow")]
    let campaigns = asset::ListCampaignsReply { campaigns, total: 2, ..Default::default() };
    world.asset.on("list_campaigns", campaigns);
    world.job.on("get_spend", pb::Spend { jobs: 5, paid_jobs: 2, spent_micros: 3_604_999 });
    let body = world.get("/api/v3/clients/cl-1/stats").await.ok(200);
    assert_eq!(body, json!({"data": {"campaignCount": 2, "videoCount": 5, "totalSpend": 3.6}}));
    assert_eq!(
        world.asset.asked_once::<asset::ListCampaignsRequest>("list_campaigns").client_id.as_deref(),
        Some("cl-1")
    );
    let asked = world.job.asked_once::<pb::GetSpendRequest>("get_spend");
    assert_eq!((asked.client_id.as_deref(), asked.campaign_ids.len()), (Some("cl-1"), 0));
}

#[tokio::test]
async fn a_campaign_is_summed_up_and_its_average_is_over_jobs_that_cost_something() {
    let world = World::start().await;
    world.asset.on("get_campaign", asset::Campaign { id: "c-1".into(), ..Default::default() });
    world.job.on("get_spend", pb::Spend { jobs: 4, paid_jobs: 2, spent_micros: 4_000_000 });
    let body = world.get("/api/v3/campaigns/c-1/stats").await;
    let bytes = String::from_utf8_lossy(&body.bytes).into_owned();
    assert_eq!(body.ok(200), json!({"data": {"videoCount": 4, "totalSpend": 4.0, "avgCost": 2.0}}));
    assert!(bytes.contains("\"totalSpend\":4.0") && bytes.contains("\"avgCost\":2.0"), "floats: {bytes}");
    assert_eq!(world.job.asked_once::<pb::GetSpendRequest>("get_spend").campaign_ids, ["c-1"]);
}

#[tokio::test]
async fn nobody_is_summed_up_who_is_not_there() {
    let world = World::start().await;
    world.asset.refuse("get_client", || ServiceError::not_found("none"));
    world.asset.refuse("get_campaign", || ServiceError::not_found("none"));
    let body = world.get("/api/v3/clients/x/stats").await.problem(404, "client_not_found");
    assert_eq!(body["error"]["code"], "not_found");
    let body = world.get("/api/v3/campaigns/x/stats").await.problem(404, "campaign_not_found");
    assert_eq!(body["error"]["code"], "not_found");
    assert!(world.job.asked::<pb::GetSpendRequest>("get_spend").is_empty());
}
