//! Campaigns: what videos are made of.

use axum::extract::State;
use http::StatusCode;
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{clients::Total, reply::Reply, text};
use crate::{
    app::App,
    paging::{Bounds, Listed},
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

/// What to change of a campaign; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct CampaignChanges {
    /// 1 to 255 characters; cannot be cleared.
    name: Option<String>,
    /// An existing client; cannot be cleared.
    client_id: Option<String>,
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
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The campaigns", body = CampaignList),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<CampaignList>, Problem> {
    let mut fields = Fields::of(&params);
    let client_id = fields.text("client_id", &[]);
    fields.finish(CAMPAIGNS.family())?;
    let listed = Listed::new("campaigns", &[("client_id", client_id.as_deref())]);
    let page = listed.page(&app.signer, &params, Bounds::WHOLE, CAMPAIGNS.family())?;
    let request = pb::ListCampaignsRequest {
        client_id,
        limit: page.limit,
        offset: page.offset,
        after: page.after,
        newest_first: false,
    };
    let reply =
        app.backends.asset().list_campaigns(request).await.map_err(|status| CAMPAIGNS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.campaigns.into_iter().map(Campaign::from).collect();
    let meta = Total { total: reply.total, next_cursor: listed.cursor(&app.signer, reply.next) };
    Ok(Reply::ok(CampaignList { data, meta }))
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

/// Changes the fields that are sent; null clears one, and `metadata` is replaced whole. With another client its assets
/// go there too.
#[utoipa::path(
    put, path = "/api/v3/campaigns/{id}", tag = "Campaigns", operation_id = "put_campaign",
    request_body = CampaignChanges,
    params(
        ("id" = String, Path, description = "Campaign id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "The campaign as it is now", body = CampaignReply),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<CampaignReply>, Problem> {
    update(&app, id, command_id, &params).await
}

/// Changes the fields that are sent; null clears one, and `metadata` is replaced whole. With another client its assets
/// go there too.
#[utoipa::path(
    patch, path = "/api/v3/campaigns/{id}", tag = "Campaigns", operation_id = "patch_campaign",
    request_body = CampaignChanges,
    params(
        ("id" = String, Path, description = "Campaign id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "The campaign as it is now", body = CampaignReply),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn patch(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<CampaignReply>, Problem> {
    update(&app, id, command_id, &params).await
}

async fn update(
    app: &App,
    id: String,
    command_id: String,
    params: &Params,
) -> Result<Reply<CampaignReply>, Problem> {
    let mut fields = Fields::of(params);
    let request = pb::UpdateCampaignRequest {
        command_id,
        id,
        fields: fields.sent(&["client_id", "name", "goal", "status", "product_url", "brief", "metadata"]),
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
        app.backends.asset().update_campaign(request).await.map_err(|status| CAMPAIGNS.problem(status))?;
    Ok(Reply::ok(CampaignReply { data: campaign.into_inner().into() }))
}

/// Deletes a campaign and its assets. Jobs stay.
#[utoipa::path(
    delete, path = "/api/v3/campaigns/{id}", tag = "Campaigns", operation_id = "delete_campaign",
    params(
        ("id" = String, Path, description = "Campaign id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "Campaign not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
) -> Result<StatusCode, Problem> {
    let request = pb::DeleteCampaignRequest { command_id, id };
    app.backends.asset().delete_campaign(request).await.map_err(|status| CAMPAIGNS.problem(status))?;
    Ok(StatusCode::NO_CONTENT)
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
