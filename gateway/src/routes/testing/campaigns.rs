//! Campaigns and their images, as the page for trying out shows them.

use axum::extract::State;
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{FAMILY, failed, images::shown, refused};
use crate::{
    app::App,
    paging::{Bounds, Listed, Page},
    params::{InPath, Params},
    problem::{Kind, Problem, ProblemSchema},
    routes::reply::Reply,
};

/// Campaigns per page.
const PAGE: Bounds = Bounds { default: 50, most: 1000 };

/// The newest campaigns.
#[derive(Serialize, ToSchema)]
pub(crate) struct Campaigns {
    success: bool,
    count: usize,
    campaigns: Vec<ListedCampaign>,
    /// `cursor` of the next page; null when no campaigns follow.
    #[schema(required)]
    next_cursor: Option<String>,
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
    /// `cursor` of the next page; null when no images follow.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists campaigns, newest first, with the number of their images.
#[utoipa::path(
    get, path = "/api/v3/testing/campaigns", tag = "Testing", operation_id = "list_testing_campaigns",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 1000, 50 when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "Campaigns, newest first", body = Campaigns),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<Campaigns>, Problem> {
    let listed = Listed::new("testing-campaigns", &[]);
    let Page { limit, offset, after } = listed.page(&app.signer, &params, PAGE, FAMILY)?;
    let request = pb::ListCampaignsRequest {
        limit,
        offset,
        after,
        newest_first: true,
        ..pb::ListCampaignsRequest::default()
    };
    let newest = app.backends.asset().list_campaigns(request).await.map_err(failed)?.into_inner();
    let mut campaigns = Vec::with_capacity(newest.campaigns.len());
    for campaign in newest.campaigns {
        let request = pb::ListAssetsRequest {
            campaign_id: Some(campaign.id.clone()),
            r#type: Some("image".to_owned()),
            limit: 1,
            ..pb::ListAssetsRequest::default()
        };
        let images = app.backends.asset().list_assets(request).await.map_err(failed)?.into_inner();
        campaigns.push(ListedCampaign {
            id: campaign.id,
            name: campaign.name,
            brief: campaign.brief,
            image_count: images.total,
            inserted_at: campaign.created_at,
        });
    }
    let next_cursor = listed.cursor(&app.signer, newest.next);
    Ok(Reply::ok(Campaigns { success: true, count: campaigns.len(), campaigns, next_cursor }))
}

/// Lists the images of a campaign.
#[utoipa::path(
    get, path = "/api/v3/testing/campaigns/{id}/assets", tag = "Testing", operation_id = "list_testing_assets",
    params(
        ("id" = String, Path, description = "Campaign id"),
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "Its images, oldest first", body = Assets),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn assets(
    State(app): State<App>,
    InPath(id): InPath<String>,
    params: Params,
) -> Result<Reply<Assets>, Problem> {
    let listed = Listed::new("testing-assets", &[("campaign_id", Some(id.as_str()))]);
    let Page { limit, offset, after } = listed.page(&app.signer, &params, Bounds::WHOLE, FAMILY)?;
    let found = app.backends.asset().get_campaign(pb::GetCampaignRequest { id: id.clone() }).await;
    let campaign =
        found.map_err(|status| refused(status, Kind::CampaignNotFound, "Campaign not found"))?.into_inner();
    let request = pb::ListAssetsRequest {
        campaign_id: Some(campaign.id.clone()),
        r#type: Some("image".to_owned()),
        oldest_first: true,
        limit,
        offset,
        after,
        ..pb::ListAssetsRequest::default()
    };
    let found = app.backends.asset().list_assets(request).await.map_err(failed)?.into_inner();
    Ok(Reply::ok(Assets {
        success: true,
        client_id: campaign.client_id,
        campaign_id: campaign.id,
        assets: found.assets.iter().map(described).collect(),
        next_cursor: listed.cursor(&app.signer, found.next),
    }))
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
