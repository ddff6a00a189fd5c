//! Campaigns: what videos are made of.

use axum::extract::State;
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    clients::{Total, page},
    reply::Reply,
    text,
};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{CAMPAIGNS, Problem, ProblemSchema},
};

/// A campaign. It is read in camelCase, as the older API spelled it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Campaign {
    /// UUID.
    id: String,
    client_id: String,
    name: String,
    #[schema(required)]
    goal: Option<String>,
    #[schema(required)]
    status: Option<String>,
    #[schema(required)]
    product_url: Option<String>,
    /// The stored text; an object or array when that is what the text holds.
    #[schema(required)]
    brief: Option<Value>,
    #[schema(required, value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// RFC 3339, UTC.
    created_at: String,
    updated_at: String,
}

impl From<pb::Campaign> for Campaign {
    fn from(campaign: pb::Campaign) -> Self {
        Self {
            brief: campaign.brief.map(decoded),
            metadata: text::object(campaign.metadata_json.as_deref()),
            id: campaign.id,
            client_id: campaign.client_id,
            name: campaign.name,
            goal: campaign.goal,
            status: campaign.status,
            product_url: campaign.product_url,
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
        }
    }
}

/// Objects and arrays are decoded; a text that only looks like a number stays the text it is.
fn decoded(brief: String) -> Value {
    match text::json(&brief) {
        Some(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => Value::String(brief),
    }
}

/// One campaign.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignReply {
    data: Campaign,
}

/// Campaigns.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignList {
    data: Vec<Campaign>,
    meta: Total,
}

/// A campaign to create; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewCampaign {
    /// 1 to 255 characters.
    name: String,
    /// An existing client.
    client_id: String,
    brief: Option<String>,
    goal: Option<String>,
    status: Option<String>,
    product_url: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// Creates a campaign.
#[utoipa::path(
    post, path = "/api/v3/campaigns", tag = "Campaigns", operation_id = "create_campaign",
    request_body = NewCampaign,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 201, description = "Created", body = CampaignReply),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<CampaignReply>, Problem> {
    let mut fields = Fields::of(&params);
    let request = pb::CreateCampaignRequest {
        command_id,
        client_id: fields.text("client_id", &[]),
        name: fields.text("name", &[]),
        goal: fields.text("goal", &[]),
        status: fields.text("status", &[]),
        product_url: fields.text("product_url", &[]),
        brief: fields.text("brief", &[]),
        metadata_json: fields.object("metadata").map(|object| Value::from(object.clone()).to_string()),
    };
    fields.finish(CAMPAIGNS.family())?;
    let campaign =
        app.backends.asset().create_campaign(request).await.map_err(|status| CAMPAIGNS.problem(status))?;
    Ok(Reply::created(CampaignReply { data: campaign.into_inner().into() }))
}

/// Lists campaigns, oldest first.
#[utoipa::path(
    get, path = "/api/v3/campaigns", tag = "Campaigns", operation_id = "list_campaigns",
    params(
        ("client_id" = Option<String>, Query, description = "Only this client's; empty matches nothing"),
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
    ),
    responses((status = 200, description = "The campaigns", body = CampaignList))
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<CampaignList>, Problem> {
    let (limit, offset) = page(&params, CAMPAIGNS.family())?;
    let mut fields = Fields::of(&params);
    let client_id = fields.text("client_id", &[]);
    fields.finish(CAMPAIGNS.family())?;
    let request = pb::ListCampaignsRequest { client_id, limit, offset };
    let reply =
        app.backends.asset().list_campaigns(request).await.map_err(|status| CAMPAIGNS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.campaigns.into_iter().map(Campaign::from).collect();
    Ok(Reply::ok(CampaignList { data, meta: Total { total: reply.total } }))
}

/// Shows a campaign.
#[utoipa::path(
    get, path = "/api/v3/campaigns/{id}", tag = "Campaigns", operation_id = "get_campaign",
    params(("id" = String, Path, description = "Campaign id")),
    responses(
        (status = 200, description = "The campaign", body = CampaignReply),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Reply<CampaignReply>, Problem> {
    let request = pb::GetCampaignRequest { id };
    let campaign =
        app.backends.asset().get_campaign(request).await.map_err(|status| CAMPAIGNS.problem(status))?;
    Ok(Reply::ok(CampaignReply { data: campaign.into_inner().into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_and_arrays_in_a_brief_are_decoded() {
        assert_eq!(decoded("{\"a\":1}".into()), serde_json::json!({"a": 1}));
        assert_eq!(decoded("[1]".into()), serde_json::json!([1]));
        for text in ["123", "null", "true", "\"quoted\"", "Sunny lodge", ""] {
            assert_eq!(decoded(text.into()), Value::from(text));
        }
    }
}
