//! The assets of a campaign, in the shape that its page reads.

use axum::extract::State;
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{reply::Reply, text};
use crate::{
    app::App,
    paging::{Bounds, Listed},
    params::{InPath, Params},
    problem::{CAMPAIGNS, Problem, ProblemSchema},
};

/// An asset as the list of its campaign shows it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignAsset {
    /// UUID.
    id: String,
    /// `image`, `video` or `audio`; `document` for what was brought over from an older database.
    r#type: String,
    #[schema(required)]
    campaign_id: Option<String>,
    #[schema(required)]
    source_url: Option<String>,
    /// Empty when none was given.
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    /// Whether its bytes are kept; not so only for what was brought over without them.
    has_blob_data: bool,
    /// RFC 3339, UTC.
    inserted_at: String,
    updated_at: String,
}

impl From<pb::Asset> for CampaignAsset {
    fn from(asset: pb::Asset) -> Self {
        Self {
            metadata: text::object(asset.metadata_json.as_deref()).unwrap_or_default(),
            id: asset.id,
            r#type: asset.r#type,
            campaign_id: asset.campaign_id,
            source_url: asset.source_url,
            has_blob_data: asset.blob.is_some(),
            inserted_at: asset.created_at,
            updated_at: asset.updated_at,
        }
    }
}

/// The assets of a campaign.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignAssets {
    data: Vec<CampaignAsset>,
    meta: CampaignTotal,
}

/// What they are for, and how many.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignTotal {
    campaign_id: String,
    total: u64,
    /// `cursor` of the next page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists the assets of a campaign, oldest first.
#[utoipa::path(
    get, path = "/api/v3/campaigns/{id}/assets", tag = "Campaigns", operation_id = "list_campaign_assets",
    params(
        ("id" = String, Path, description = "Campaign id"),
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The assets", body = CampaignAssets),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    InPath(id): InPath<String>,
    params: Params,
) -> Result<Reply<CampaignAssets>, Problem> {
    let listed = Listed::new("campaign assets", &[("campaign_id", Some(&id))]);
    let page = listed.page(&app.signer, &params, Bounds::WHOLE, CAMPAIGNS.family())?;
    let mut service = app.backends.asset();
    let wanted = pb::GetCampaignRequest { id };
    let campaign_id =
        service.get_campaign(wanted).await.map_err(|status| CAMPAIGNS.problem(status))?.into_inner().id;
    let request = pb::ListAssetsRequest {
        campaign_id: Some(campaign_id.clone()),
        limit: page.limit,
        offset: page.offset,
        after: page.after,
        oldest_first: true,
        ..pb::ListAssetsRequest::default()
    };
    let reply = service.list_assets(request).await.map_err(|status| CAMPAIGNS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.assets.into_iter().map(CampaignAsset::from).collect();
    let next_cursor = listed.cursor(&app.signer, reply.next);
    Ok(Reply::ok(CampaignAssets {
        data,
        meta: CampaignTotal { campaign_id, total: reply.total, next_cursor },
    }))
}
