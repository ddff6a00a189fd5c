//! Keys that open the API: making, listing and revoking them.

use axum::extract::State;
use protos::asset::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{clients::Total, reply::Reply};
use crate::{
    app::App,
    paging::{Bounds, Listed},
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{KEYS, Problem, ProblemSchema},
};

/// A key, without the key itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKey {
    /// UUID.
    id: String,
    name: String,
    /// How the key begins.
    #[schema(example = "fsk_1a2b3c4d")]
    prefix: String,
    /// `read`, `write`, `admin`.
    scopes: Vec<String>,
    /// The only client whose things it reaches; null: everything.
    #[schema(required)]
    client_id: Option<String>,
    /// RFC 3339, UTC.
    created_at: String,
    #[schema(required)]
    expires_at: Option<String>,
    #[schema(required)]
    revoked_at: Option<String>,
}

impl From<pb::ApiKey> for ApiKey {
    fn from(key: pb::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            client_id: key.client_id,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedKey {
    data: ApiKey,
    /// What goes into `X-API-Key`. Shown this once; null when the answer repeats an earlier one.
    #[schema(required)]
    secret: Option<String>,
}

/// One key.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyReply {
    data: ApiKey,
}

/// Keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyList {
    data: Vec<ApiKey>,
    meta: Total,
}

/// A key to make; camelCase names are accepted too.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct NewKey {
    /// 1 to 255 characters, for people.
    name: String,
    /// One or more of `read`, `write`, `admin`.
    scopes: Vec<String>,
    /// An existing client; the key then reaches only its things, and cannot be for `admin`.
    client_id: Option<String>,
    /// RFC 3339; without it the key works until it is revoked.
    expires_at: Option<String>,
}

/// Makes a key. The answer shows it, this once.
#[utoipa::path(
    post, path = "/api/v3/keys", tag = "Keys", operation_id = "create_key",
    request_body = NewKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write; a repetition is answered without the secret")),
    responses(
        (status = 201, description = "Made", body = CreatedKey),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<CreatedKey>, Problem> {
    let mut fields = Fields::of(&params);
    let request = pb::CreateApiKeyRequest {
        command_id,
        name: fields.text("name", &[]),
        scopes: scopes(&mut fields),
        client_id: said(&mut fields, "client_id"),
        expires_at: said(&mut fields, "expires_at"),
    };
    fields.finish(KEYS.family())?;
    let made = app.backends.asset().create_api_key(request).await.map_err(|status| KEYS.problem(status))?;
    app.keys.forget();
    let pb::CreateApiKeyReply { key, secret } = made.into_inner();
    Ok(Reply::created(CreatedKey { data: key.unwrap_or_default().into(), secret }))
}

/// A text that says something when it is there: an empty one, as of a variable that was never set, must not make a key
/// for everything, or one without an end.
fn said(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let text = fields.text(name, &[])?;
    if text.trim().is_empty() { fields.reject(name, "can't be blank") } else { Some(text) }
}

/// A list of texts, or a text with commas.
fn scopes(fields: &mut Fields<'_>) -> Vec<String> {
    let read = match fields.value("scopes", &[]) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(text)) => Some(
            text.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect(),
        ),
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    };
    read.or_else(|| fields.reject("scopes", "must be an array of strings")).unwrap_or_default()
}

/// Lists keys, oldest first, also those that are revoked or over.
#[utoipa::path(
    get, path = "/api/v3/keys", tag = "Keys", operation_id = "list_keys",
    params(
        ("limit" = Option<u32>, Query, description = "Most to return; all when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "The keys", body = KeyList),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<KeyList>, Problem> {
    let listed = Listed::new("keys", &[]);
    let page = listed.page(&app.signer, &params, Bounds::WHOLE, KEYS.family())?;
    let request = pb::ListApiKeysRequest { limit: page.limit, offset: page.offset, after: page.after };
    let reply = app.backends.asset().list_api_keys(request).await.map_err(|status| KEYS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.keys.into_iter().map(ApiKey::from).collect();
    let meta = Total { total: reply.total, next_cursor: listed.cursor(&app.signer, reply.next) };
    Ok(Reply::ok(KeyList { data, meta }))
}

/// Revokes a key. It stops working at once here, and within ten seconds everywhere.
#[utoipa::path(
    delete, path = "/api/v3/keys/{id}", tag = "Keys", operation_id = "revoke_key",
    params(
        ("id" = String, Path, description = "Id of the key, not the key itself"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "Revoked, now or before", body = KeyReply),
        (status = 404, description = "Key not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
) -> Result<Reply<KeyReply>, Problem> {
    let request = pb::RevokeApiKeyRequest { command_id, id };
    let key = app.backends.asset().revoke_api_key(request).await.map_err(|status| KEYS.problem(status))?;
    app.keys.forget();
    Ok(Reply::ok(KeyReply { data: key.into_inner().into() }))
}
