//! The campaigns of a client, in the shape that its page reads.

use axum::extract::State;
use protos::asset::v1 as pb;
use serde::Serialize;
use utoipa::ToSchema;

use super::reply::Reply;
use crate::{
    app::App,
    paging::{Bounds, Listed},
    params::{InPath, Params},
    problem::{CLIENTS, Problem, ProblemSchema},
};

/// A campaign as the list of its client shows it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientCampaign {
    /// UUID.
    id: String,
    name: String,
    /// The stored text, never decoded here.
    #[schema(required)]
    brief: Option<String>,
    client_id: String,
    /// RFC 3339, UTC.
    inserted_at: String,
    updated_at: String,
}

impl From<pb::Campaign> for ClientCampaign {
    fn from(campaign: pb::Campaign) -> Self {
        Self {
            id: campaign.id,
            name: campaign.name,
            brief: campaign.brief,
            client_id: campaign.client_id,
            inserted_at: campaign.created_at,
            updated_at: campaign.updated_at,
        }
    }
}

/// The campaigns of a client.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientCampaigns {
    data: Vec<ClientCampaign>,
    meta: ClientTotal,
}

/// Whose they are, and how many.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientTotal {
    client_id: String,
    total: u64,
    /// `cursor` of the next page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Lists the campaigns of a client, oldest first.
#[utoipa::path(
    get, path = "/api/v3/clients/{id}/campaigns", tag = "Clients", operation_id = "list_client_campaigns",
    params(
        ("id" = String, Path, description = "Client id"),
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The campaigns", body = ClientCampaigns),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Client not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    InPath(id): InPath<String>,
    params: Params,
) -> Result<Reply<ClientCampaigns>, Problem> {
    let listed = Listed::new("client campaigns", &[("client_id", Some(&id))]);
    let page = listed.page(&app.signer, &params, Bounds::WHOLE, CLIENTS.family())?;
    let mut service = app.backends.asset();
    let wanted = pb::GetClientRequest { id };
    let client_id =
        service.get_client(wanted).await.map_err(|status| CLIENTS.problem(status))?.into_inner().id;
    let request = pb::ListCampaignsRequest {
        client_id: Some(client_id.clone()),
        limit: page.limit,
        offset: page.offset,
        after: page.after,
        newest_first: false,
    };
    let reply = service.list_campaigns(request).await.map_err(|status| CLIENTS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.campaigns.into_iter().map(ClientCampaign::from).collect();
    let next_cursor = listed.cursor(&app.signer, reply.next);
    Ok(Reply::ok(ClientCampaigns { data, meta: ClientTotal { client_id, total: reply.total, next_cursor } }))
}
