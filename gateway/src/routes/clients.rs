//! Clients: whom videos are made for.

use axum::extract::State;
use http::StatusCode;
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{reply::Reply, text};
use crate::{
    app::App,
    auth::Caller,
    paging::{Bounds, Listed},
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{CLIENTS, Problem, ProblemSchema},
};

/// A client.
#[derive(Serialize, ToSchema)]
pub(crate) struct Client {
    /// UUID.
    id: String,
    name: String,
    #[schema(required)]
    description: Option<String>,
    #[schema(required)]
    homepage: Option<String>,
    /// Whatever the caller keeps with it; null when never set.
    #[schema(required, value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    #[schema(required)]
    brand_guidelines: Option<String>,
    /// RFC 3339, UTC.
    inserted_at: String,
    updated_at: String,
}

impl From<pb::Client> for Client {
    fn from(client: pb::Client) -> Self {
        Self {
            metadata: text::object(client.metadata_json.as_deref()),
            id: client.id,
            name: client.name,
            description: client.description,
            homepage: client.homepage,
            brand_guidelines: client.brand_guidelines,
            inserted_at: client.created_at,
            updated_at: client.updated_at,
        }
    }
}

/// One client.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientReply {
    data: Client,
}

/// Clients.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientList {
    data: Vec<Client>,
    meta: Total,
}

/// How many there are, whatever the page, and what gives the next page.
#[derive(Serialize, ToSchema)]
pub(crate) struct Total {
    pub(crate) total: u64,
    /// `cursor` of the next page; null on the last one.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A client to create; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewClient {
    /// 1 to 255 characters.
    name: String,
    description: Option<String>,
    homepage: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    brand_guidelines: Option<String>,
}

/// What to change of a client; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct ClientChanges {
    /// 1 to 255 characters; cannot be cleared.
    name: Option<String>,
    description: Option<String>,
    homepage: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    brand_guidelines: Option<String>,
}

/// Creates a client.
#[utoipa::path(
    post, path = "/api/v3/clients", tag = "Clients", operation_id = "create_client",
    request_body = NewClient,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 201, description = "Created", body = ClientReply),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ClientReply>, Problem> {
    let mut fields = Fields::of(&params);
    let request = pb::CreateClientRequest {
        command_id,
        name: fields.text("name", &[]),
        description: fields.text("description", &[]),
        homepage: fields.text("homepage", &[]),
        brand_guidelines: fields.text("brand_guidelines", &[]),
        metadata_json: fields.object("metadata").map(|object| Value::from(object.clone()).to_string()),
    };
    fields.finish(CLIENTS.family())?;
    let client =
        app.backends.asset().create_client(request).await.map_err(|status| CLIENTS.problem(status))?;
    Ok(Reply::created(ClientReply { data: client.into_inner().into() }))
}

/// Lists clients, oldest first.
#[utoipa::path(
    get, path = "/api/v3/clients", tag = "Clients", operation_id = "list_clients",
    params(
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The clients", body = ClientList),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    params: Params,
) -> Result<Reply<ClientList>, Problem> {
    let id = caller.client().map(str::to_owned);
    let listed = Listed::new("clients", &[("id", id.as_deref())]);
    let page = listed.page(&app.signer, &params, Bounds::WHOLE, CLIENTS.family())?;
    let request = pb::ListClientsRequest { limit: page.limit, offset: page.offset, after: page.after, id };
    let reply = app.backends.asset().list_clients(request).await.map_err(|status| CLIENTS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.clients.into_iter().map(Client::from).collect();
    let meta = Total { total: reply.total, next_cursor: listed.cursor(&app.signer, reply.next) };
    Ok(Reply::ok(ClientList { data, meta }))
}

/// Shows a client.
#[utoipa::path(
    get, path = "/api/v3/clients/{id}", tag = "Clients", operation_id = "get_client",
    params(("id" = String, Path, description = "Client id")),
    responses(
        (status = 200, description = "The client", body = ClientReply),
        (status = 404, description = "Client not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Reply<ClientReply>, Problem> {
    let request = pb::GetClientRequest { id };
    let client = app.backends.asset().get_client(request).await.map_err(|status| CLIENTS.problem(status))?;
    Ok(Reply::ok(ClientReply { data: client.into_inner().into() }))
}

/// Changes the fields that are sent; null clears one, and `metadata` is replaced whole.
#[utoipa::path(
    put, path = "/api/v3/clients/{id}", tag = "Clients", operation_id = "put_client",
    request_body = ClientChanges,
    params(
        ("id" = String, Path, description = "Client id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "The client as it is now", body = ClientReply),
        (status = 404, description = "Client not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn put(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ClientReply>, Problem> {
    update(&app, id, command_id, &params).await
}

/// Changes the fields that are sent; null clears one, and `metadata` is replaced whole.
#[utoipa::path(
    patch, path = "/api/v3/clients/{id}", tag = "Clients", operation_id = "patch_client",
    request_body = ClientChanges,
    params(
        ("id" = String, Path, description = "Client id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "The client as it is now", body = ClientReply),
        (status = 404, description = "Client not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn patch(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<ClientReply>, Problem> {
    update(&app, id, command_id, &params).await
}

async fn update(
    app: &App,
    id: String,
    command_id: String,
    params: &Params,
) -> Result<Reply<ClientReply>, Problem> {
    let mut fields = Fields::of(params);
    let request = pb::UpdateClientRequest {
        command_id,
        id,
        fields: fields.sent(&["name", "description", "homepage", "brand_guidelines", "metadata"]),
        name: fields.text("name", &[]),
        description: fields.text("description", &[]),
        homepage: fields.text("homepage", &[]),
        brand_guidelines: fields.text("brand_guidelines", &[]),
        metadata_json: fields.object("metadata").map(|object| Value::from(object.clone()).to_string()),
    };
    fields.finish(CLIENTS.family())?;
    let client =
        app.backends.asset().update_client(request).await.map_err(|status| CLIENTS.problem(status))?;
    Ok(Reply::ok(ClientReply { data: client.into_inner().into() }))
}

/// Deletes a client, its campaigns, and the assets of both. Jobs stay.
#[utoipa::path(
    delete, path = "/api/v3/clients/{id}", tag = "Clients", operation_id = "delete_client",
    params(
        ("id" = String, Path, description = "Client id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "Client not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
) -> Result<StatusCode, Problem> {
    let request = pb::DeleteClientRequest { command_id, id };
    app.backends.asset().delete_client(request).await.map_err(|status| CLIENTS.problem(status))?;
    Ok(StatusCode::NO_CONTENT)
}
