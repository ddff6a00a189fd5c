//! Assets: photos, videos and sounds, their bytes and their thumbnails.

mod fields;
mod view;

use axum::{
    extract::{Request, State},
    response::Response,
};
use kit::{Code, ServiceError};
use protos::asset::v1 as pb;
use tonic::Status;

use super::{reply::Reply, text};
use crate::{
    app::App,
    media::{A_DAY, Media, MediaRequest},
    params::{CommandId, Fields, InPath, Params},
    problem::{ASSETS, Kind, Problem, ProblemSchema},
    upload,
};
use fields::{NewAsset, UploadForm};
use view::{Asset, AssetList, AssetReply, Page, UnifiedMeta, UnifiedReply};

/// Assets per page: default and most.
const PAGE: (i64, i64) = (25, 1000);

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
    command: CommandId,
    request: Request,
) -> Result<Reply<AssetReply>, Problem> {
    let asset = store(&app, command, request, "Either file upload or source_url must be provided").await?;
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
    command: CommandId,
    request: Request,
) -> Result<Reply<UnifiedReply>, Problem> {
    let asset = store(&app, command, request, "Either file upload or source_url must be provided").await?;
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
    command: CommandId,
    request: Request,
) -> Result<Reply<AssetReply>, Problem> {
    let asset = store(&app, command, request, "source_url is required").await?;
    Ok(Reply::created(AssetReply { data: asset.into() }))
}

/// A file wins over a URL; without either the answer is `nothing_given`.
async fn store(
    app: &App,
    CommandId(command_id): CommandId,
    request: Request,
    nothing_given: &str,
) -> Result<pb::Asset, Problem> {
    let (params, upload) = upload::read(app, request).await?;
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
        ("asset_type" = Option<String>, Query, description = "image, video or audio; anything else is no filter"),
        ("limit" = Option<u32>, Query, description = "1 to 1000, 25 when absent"),
        ("offset" = Option<u32>, Query, description = "How many to skip"),
    ),
    responses((status = 200, description = "A page of assets", body = AssetList))
)]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Reply<AssetList>, Problem> {
    let mut fields = Fields::of(&params);
    let kind = fields.text("asset_type", &["type"]).map(|kind| kind.to_lowercase());
    let (limit, offset) = bounded_page(&mut fields, PAGE);
    let request = pb::ListAssetsRequest {
        client_id: text::filled(fields.text("client_id", &[])),
        campaign_id: text::filled(fields.text("campaign_id", &[])),
        r#type: kind.filter(|kind| matches!(kind.as_str(), "image" | "video" | "audio")),
        limit,
        offset,
        oldest_first: false,
    };
    fields.finish(ASSETS.family())?;
    let reply = app.backends.asset().list_assets(request).await.map_err(|status| ASSETS.problem(status))?;
    let reply = reply.into_inner();
    let data = reply.assets.into_iter().map(Asset::from).collect();
    Ok(Reply::ok(AssetList { data, meta: Page { total: reply.total, limit, offset } }))
}

/// A limit within its bounds and an offset of at least nothing.
pub(crate) fn bounded_page(fields: &mut Fields<'_>, (default, most): (i64, i64)) -> (u32, u32) {
    let limit = fields.integer("limit", &[]).unwrap_or(default).clamp(1, most);
    let offset = fields.integer("offset", &[]).unwrap_or(0).max(0);
    (u32::try_from(limit).unwrap_or(u32::MAX), u32::try_from(offset).unwrap_or(u32::MAX))
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

/// The bytes of an asset: whole, or one range.
#[utoipa::path(
    get, path = "/api/v3/assets/{id}/data", tag = "Assets", operation_id = "get_asset_data",
    params(("id" = String, Path, description = "Asset id"), ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream"),
        (status = 206, description = "A range of them", content_type = "application/octet-stream"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has them"),
        (status = 404, description = "Asset not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "The range starts past the end", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn data(
    State(app): State<App>,
    InPath(id): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let asset = find(&app, id).await?;
    let name = match asset.format.as_str() {
        "" => asset.id.clone(),
        "jpeg" => format!("{}.jpg", asset.id),
        format => format!("{}.{format}", asset.id),
    };
    let blob = asset.blob.ok_or_else(|| Problem::flat(Kind::BlobUnavailable, "Asset blob unavailable"))?;
    let media = Media { missing: "Asset blob unavailable", ..Media::inline(blob, &name) };
    request.answer(&app, media).await
}

/// A small JPEG of an asset.
#[utoipa::path(
    get, path = "/api/v3/assets/{id}/thumbnail", tag = "Assets", operation_id = "get_asset_thumbnail",
    params(("id" = String, Path, description = "Asset id")),
    responses(
        (status = 200, description = "The picture", content_type = "image/jpeg"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "Asset not found, or no thumbnail", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn thumbnail(
    State(app): State<App>,
    InPath(id): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let asset = find(&app, id).await?;
    let picture = asset
        .thumbnail
        .ok_or_else(|| Problem::flat(Kind::ThumbnailNotAvailable, "Thumbnail not available"))?;
    request.answer(&app, Media::picture(picture, A_DAY)).await
}
