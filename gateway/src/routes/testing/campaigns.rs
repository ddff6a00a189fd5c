//! Campaigns and their images, as the page for trying out shows them.

use axum::extract::State;
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    images::{of_campaign, shown},
    refused,
};
use crate::{
    app::App,
    params::InPath,
    problem::{Kind, Problem, ProblemSchema},
    routes::reply::Reply,
};

/// How many campaigns are shown.
const MOST: usize = 50;

/// The newest campaigns.
#[derive(Serialize, ToSchema)]
pub(crate) struct Campaigns {
    success: bool,
    count: usize,
    campaigns: Vec<ListedCampaign>,
}

/// A campaign in short.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedCampaign {
    id: String,
    name: String,
    /// The text as it is stored.
    #[schema(required)]
    brief: Option<String>,
    image_count: u64,
    /// RFC 3339, UTC.
    inserted_at: String,
}

/// The images of a campaign.
#[derive(Serialize, ToSchema)]
pub(crate) struct Assets {
    success: bool,
    client_id: String,
    campaign_id: String,
    /// Oldest first: `id`, `type`, `name`, `tags`, `width`, `height`, `asset_url` and more.
    #[schema(value_type = Vec<Object>)]
    assets: Vec<Map<String, Value>>,
}

/// Lists the 50 newest campaigns with the number of their images.
#[utoipa::path(
    get, path = "/api/v3/testing/campaigns", tag = "Testing", operation_id = "list_testing_campaigns",
    responses((status = 200, description = "Campaigns, newest first", body = Campaigns))
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Reply<Campaigns>, Problem> {
    let listed = app.backends.asset().list_campaigns(pb::ListCampaignsRequest::default()).await;
    let mut newest = listed.map_err(super::failed)?.into_inner().campaigns;
    newest.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| b.id.cmp(&a.id)));
    newest.truncate(MOST);
    let mut campaigns = Vec::with_capacity(newest.len());
    for campaign in newest {
        let request = pb::ListAssetsRequest {
            campaign_id: Some(campaign.id.clone()),
            r#type: Some("image".to_owned()),
            limit: 1,
            ..pb::ListAssetsRequest::default()
        };
        let images = app.backends.asset().list_assets(request).await.map_err(super::failed)?.into_inner();
        campaigns.push(ListedCampaign {
            id: campaign.id,
            name: campaign.name,
            brief: campaign.brief,
            image_count: images.total,
            inserted_at: campaign.created_at,
        });
    }
    Ok(Reply::ok(Campaigns { success: true, count: campaigns.len(), campaigns }))
}

/// Lists the images of a campaign.
#[utoipa::path(
    get, path = "/api/v3/testing/campaigns/{id}/assets", tag = "Testing", operation_id = "list_testing_assets",
    params(("id" = String, Path, description = "Campaign id")),
    responses(
        (status = 200, description = "Its images, oldest first", body = Assets),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn assets(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Reply<Assets>, Problem> {
    let found = app.backends.asset().get_campaign(pb::GetCampaignRequest { id: id.clone() }).await;
    let campaign =
        found.map_err(|status| refused(status, Kind::CampaignNotFound, "Campaign not found"))?.into_inner();
    let assets = of_campaign(&app, &campaign.id).await?.iter().map(described).collect();
    Ok(Reply::ok(Assets { success: true, client_id: campaign.client_id, campaign_id: campaign.id, assets }))
}

fn described(asset: &pb::Asset) -> Map<String, Value> {
    let mut described = shown(asset);
    let members = json!({
        "type": asset.r#type,
        "campaign_id": asset.campaign_id,
        "client_id": asset.client_id,
        "name": asset.name,
        "description": asset.description,
        "tags": asset.tags,
        "width": asset.width,
        "height": asset.height,
        "source_url": asset.source_url,
        "has_blob": asset.blob.is_some(),
        "blob_size": asset.blob.as_ref().map(|blob| blob.size),
    });
    if let Value::Object(members) = members {
        described.extend(members);
    }
    described
}
