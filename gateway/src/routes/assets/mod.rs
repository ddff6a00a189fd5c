//! Assets: photos, videos and sounds, their bytes and their thumbnails.

mod bulk;
mod bytes;
mod fields;
mod view;

use axum::extract::{Request, State};
use http::StatusCode;
use kit::{Code, ServiceError};
use protos::asset::v1 as pb;
use tonic::Status;

use super::{reply::Reply, text};
use crate::{
    app::App,
    auth::{self, Caller},
    paging::{Bounds, Listed},
    params::{CommandId, Fields, InPath, Params},
    problem::{ASSETS, Kind, Problem, ProblemSchema},
    upload,
};
pub(crate) use bulk::{__path_create_from_urls, create_from_urls};
pub(crate) use bytes::{__path_data, __path_data_alias, __path_thumbnail, data, data_alias, thumbnail};
use fields::{NewAsset, UploadForm};
use view::{Asset, AssetList, AssetReply, Page, UnifiedMeta, UnifiedReply};

/// Assets per page.
const PAGE: Bounds = Bounds { default: 25, most: 1000 };

/// Stores an asset from an uploaded file or a URL.
#[utoipa::path(
    post, path = "/api/v3/assets", tag = "Assets", operation_id = "create_asset",
    request_body(content((UploadForm = "multipart/form-data"), (NewAsset = "application/json"))),
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 201, description = "Stored", body = AssetReply),
        (status = 400, description = "No source, or one that cannot be read", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "The file is too large", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    command: CommandId,
    request: Request,
) -> Result<Reply<AssetReply>, Problem> {
    let asset =
        store(&app, &caller, command, request, "Either file upload or source_url must be provided").await?;
    Ok(Reply::created(AssetReply { data: asset.into() }))
}

/// Stores an asset from an uploaded file or a URL, and says whether it has a thumbnail.
#[utoipa::path(
    post, path = "/api/v3/assets/unified", tag = "Assets", operation_id = "create_asset_unified",
    request_body(content((UploadForm = "multipart/form-data"), (NewAsset = "application/json"))),
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 201, description = "Stored", body = UnifiedReply),
        (status = 400, description = "No source, or one that cannot be read", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "The file is too large", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_unified(
    State(app): State<App>,
    caller: Caller,
    command: CommandId,
    request: Request,
) -> Result<Reply<UnifiedReply>, Problem> {
    let asset =
        store(&app, &caller, command, request, "Either file upload or source_url must be provided").await?;
    let has_thumbnail = asset.thumbnail.is_some();
    Ok(Reply::created(UnifiedReply { data: asset.into(), meta: UnifiedMeta { has_thumbnail } }))
}

/// Stores an asset from a URL.
#[utoipa::path(
    post, path = "/api/v3/assets/from-url", tag = "Assets", operation_id = "create_asset_from_url",
    request_body(content((NewAsset = "application/json"), (UploadForm = "multipart/form-data"))),
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 201, description = "Stored", body = AssetReply),
        (status = 400, description = "No source, or one that cannot be read", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some fields are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create_from_url(
    State(app): State<App>,
    caller: Caller,
    command: CommandId,
    request: Request,
) -> Result<Reply<AssetReply>, Problem> {
    let asset = store(&app, &caller, command, request, "source_url is required").await?;
    Ok(Reply::created(AssetReply { data: asset.into() }))
}

/// A file wins over a URL; without either the answer is `nothing_given`.
async fn store(
    app: &App,
    caller: &Caller,
    CommandId(command_id): CommandId,
    request: Request,
    nothing_given: &str,
) -> Result<pb::Asset, Problem> {
    let (params, upload) = upload::read(app, request).await?;
    auth::check_fields(app, caller, &params).await?;
    let said = Some(fields::read(&params)?);
    let mut service = app.backends.patient_asset();
    let stored = match upload {
        Some(upload) => {
            let (blob, file_name) = (Some(upload.blob), upload.file_name);
            service.create_asset(pb::CreateAssetRequest { command_id, fields: said, blob, file_name }).await
        }
        None => {
            let source_url = fields::source_url(&params)?
                .ok_or_else(|| Problem::flat(Kind::SourceMissing, nothing_given))?;
            service.import_asset(pb::ImportAssetRequest { command_id, fields: said, source_url }).await
        }
    };
    Ok(stored.map_err(refused)?.into_inner())
}

/// The answers of the contract for what the asset service refuses.
fn refused(status: Status) -> Problem {
    let error = ServiceError::from(status);
    match error.code {
        Code::Invalid if error.reason == "download_failed" => {
            let reason = error.facts.get("reason").cloned().unwrap_or_else(|| error.message.clone());
            Problem::flat(Kind::DownloadFailed, "Failed to download from URL")
                .detail(format!("The URL could not be downloaded: {reason}."))
                .with("reason", reason)
        }
        Code::Invalid => {
            Problem::flat(Kind::UploadUnreadable, "Invalid file format").detail(error.to_string())
        }
        _ => ASSETS.refused(error),
    }
}

/// Lists assets, newest first.
#[utoipa::path(
    get, path = "/api/v3/assets", tag = "Assets", operation_id = "list_assets",
    params(
        ("campaign_id" = Option<String>, Query, description = "Only this campaign's"),
        ("client_id" = Option<String>, Query, description = "Only this client's"),
        ("asset_type" = Option<String>, Query, description = "image, video, audio or document; anything else is no filter"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 25 when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of assets", body = AssetList),
        (status = 400, description = "The cursor does not fit", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<AssetList>, Problem> {
    let mut fields = Fields::of(&params);
    let kind = fields.text("asset_type", &["type"]).map(|kind| kind.to_lowercase());
    let kind = kind.filter(|kind| matches!(kind.as_str(), "image" | "video" | "audio" | "document"));
    let client_id = text::filled(fields.text("client_id", &[]));
    let campaign_id = text::filled(fields.text("campaign_id", &[]));
    fields.finish(ASSETS.family())?;
    let filters = [
        ("client_id", client_id.as_deref()),
        ("campaign_id", campaign_id.as_deref()),
        ("type", kind.as_deref()),
    ];
    let listed = Listed::new("assets", &filters);
    let page = listed.page(&app.signer, &params, PAGE, ASSETS.family())?;
    let request = pb::ListAssetsRequest {
        client_id,
        campaign_id,
        r#type: kind,
        limit: page.limit,
        offset: page.offset,
        oldest_first: false,
        after: page.after,
    };
    let reply = app.backends.asset().list_assets(request).await.map_err(|status| ASSETS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.assets.into_iter().map(Asset::from).collect();
    let next_cursor = listed.cursor(&app.signer, reply.next);
    let meta = Page { total: reply.total, limit: page.limit, offset: page.offset, next_cursor };
    Ok(Reply::ok(AssetList { data, meta }))
}

/// Shows an asset.
#[utoipa::path(
    get, path = "/api/v3/assets/{id}", tag = "Assets", operation_id = "get_asset",
    params(("id" = String, Path, description = "Asset id")),
    responses(
        (status = 200, description = "The asset", body = AssetReply),
        (status = 404, description = "Asset not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get(
    State(app): State<App>,
    InPath(id): InPath<String>,
) -> Result<Reply<AssetReply>, Problem> {
    Ok(Reply::ok(AssetReply { data: find(&app, id).await?.into() }))
}

async fn find(app: &App, id: String) -> Result<pb::Asset, Problem> {
    let request = pb::GetAssetRequest { id };
    let asset = app.backends.asset().get_asset(request).await.map_err(|status| ASSETS.problem(status))?;
    Ok(asset.into_inner())
}

/// Deletes an asset. Its bytes stay for the jobs that use them.
#[utoipa::path(
    delete, path = "/api/v3/assets/{id}", tag = "Assets", operation_id = "delete_asset",
    params(
        ("id" = String, Path, description = "Asset id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "Asset not found", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn delete(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
) -> Result<StatusCode, Problem> {
    let request = pb::DeleteAssetRequest { command_id, id };
    app.backends.asset().delete_asset(request).await.map_err(|status| ASSETS.problem(status))?;
    Ok(StatusCode::NO_CONTENT)
}
