//! Which images a storyboard would show.

use std::collections::HashMap;

use axum::extract::State;
use protos::{
    asset::v1::{Asset, ListAssetsRequest},
    job::v1 as pb,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{FAMILY, refused, required_text};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields},
    problem::{Kind, Problem, ProblemSchema},
    routes::{reply::Reply, text},
};

/// A campaign, and how many scenes.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewSelection {
    campaign_id: String,
    /// 7 unless the pipeline settings say otherwise.
    scene_count: Option<i32>,
    /// What the video is to say; the campaign's own when there is none.
    brief: Option<String>,
}

/// The storyboard that a job would get, with its images.
#[derive(Serialize, ToSchema)]
pub(crate) struct Selection {
    success: bool,
    campaign_id: String,
    campaign_name: String,
    /// Images of the campaign.
    total_assets: u32,
    scene_count: usize,
    /// Scenes of a storyboard, each with `selected_assets`.
    #[schema(value_type = Vec<Object>)]
    scenes: Vec<Value>,
    /// Who chose: `xai` or `template`.
    planner: String,
}

/// Chooses images of a campaign for the scenes of a video. Nothing is stored.
#[utoipa::path(
    post, path = "/api/v3/testing/image-selection", tag = "Testing", operation_id = "select_images",
    request_body = NewSelection,
    params(("Idempotency-Key" = Option<String>, Header, description = "Checked like that of every write; nothing is stored here, so a repeat is answered anew")),
    responses(
        (status = 200, description = "Scenes with their images", body = Selection),
        (status = 400, description = "No campaign named, or no images in it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 503, description = "The planner failed; try again", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn select(
    State(app): State<App>,
    _: CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Selection>, Problem> {
    let campaign_id = match Fields::of(&params).present("campaign_id", &[]) {
        // The bundled page of old sent a number.
        Some(Value::Number(number)) => number.to_string(),
        _ => required_text(&params, "campaign_id")?,
    };
    let mut fields = Fields::of(&params);
    let scene_count = fields.integer("scene_count", &[]).map(|count| match i32::try_from(count) {
        Ok(count) => count,
        Err(_) => fields.reject("scene_count", "is invalid").unwrap_or_default(),
    });
    let brief = fields.text("brief", &[]).unwrap_or_default();
    fields.finish(FAMILY)?;
    let request = pb::PreviewStoryboardRequest { campaign_id: campaign_id.clone(), scene_count, brief };
    let drawn = app.backends.pipeline().preview_storyboard(request).await;
    let drawn =
        drawn.map_err(|status| refused(status, Kind::CampaignNotFound, "Campaign not found"))?.into_inner();
    let assets = of_campaign(&app, &campaign_id).await?;
    let assets: HashMap<&str, &Asset> = assets.iter().map(|asset| (asset.id.as_str(), asset)).collect();
    let scenes = match text::json(&drawn.scenes_json) {
        Some(Value::Array(scenes)) => scenes,
        _ => Vec::new(),
    };
    let scenes: Vec<Value> = scenes
        .into_iter()
        .map(|scene| {
            with_assets(scene, "selected_assets", &assets, |asset| {
                let mut shown = shown(asset);
                shown.insert("source_url".to_owned(), json!(asset.source_url));
                shown
            })
        })
        .collect();
    Ok(Reply::ok(Selection {
        success: true,
        campaign_id: drawn.campaign_id,
        campaign_name: drawn.campaign_name,
        total_assets: drawn.total_assets,
        scene_count: scenes.len(),
        scenes,
        planner: drawn.planner,
    }))
}

/// The images of a campaign, oldest first.
pub(super) async fn of_campaign(app: &App, campaign_id: &str) -> Result<Vec<Asset>, Problem> {
    let request = ListAssetsRequest {
        campaign_id: Some(campaign_id.to_owned()),
        r#type: Some("image".to_owned()),
        oldest_first: true,
        ..ListAssetsRequest::default()
    };
    let listed = app.backends.asset().list_assets(request).await;
    Ok(listed.map_err(super::failed)?.into_inner().assets)
}

/// A scene with the assets that its `asset_ids` name, as far as they are still there.
pub(super) fn with_assets(
    mut scene: Value,
    member: &str,
    assets: &HashMap<&str, &Asset>,
    show: impl Fn(&Asset) -> Map<String, Value>,
) -> Value {
    let ids = scene.get("asset_ids").and_then(Value::as_array).into_iter().flatten();
    let found: Vec<Value> = ids
        .filter_map(Value::as_str)
        .filter_map(|id| assets.get(id))
        .map(|asset| Value::Object(show(asset)))
        .collect();
    if let Some(object) = scene.as_object_mut() {
        object.insert(member.to_owned(), Value::Array(found));
    }
    scene
}

/// What every list shows of an asset.
pub(super) fn shown(asset: &Asset) -> Map<String, Value> {
    let metadata = text::object(asset.metadata_json.as_deref());
    Map::from_iter([
        ("id".to_owned(), json!(asset.id)),
        ("metadata".to_owned(), json!(metadata)),
        ("asset_url".to_owned(), json!(format!("/api/v3/assets/{}/data", asset.id))),
    ])
}
