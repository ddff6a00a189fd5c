//! The bytes of assets, and pictures of them.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use http::{HeaderMap, Uri};
use protos::asset::v1::Asset;

use super::find;
use crate::{
    app::App,
    auth,
    held::may_be_held,
    media::{A_DAY, Media, MediaRequest, PictureWish, picture},
    params::{InPath, Params},
    problem::{Kind, Problem, ProblemSchema},
};

/// Width of a picture of which only the time is named, pixels.
const WIDTH: u32 = 320;

/// The bytes of an asset: whole, or one range.
#[utoipa::path(
    get, path = "/api/v3/assets/{id}/data", tag = "Assets", operation_id = "get_asset_data",
    params(("id" = String, Path, description = "Asset id"), ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (status = 200, description = "The bytes", content_type = "*/*"),
        (status = 206, description = "A range of them", content_type = "*/*"),
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
    serve(&app, id, &request).await
}

/// The bytes of an asset under the path of an older API.
#[utoipa::path(
    get, path = "/api/v2/assets/{id}/data", tag = "Assets", operation_id = "get_asset_data_alias",
    params(("id" = String, Path, description = "Asset id"), ("Range" = Option<String>, Header, description = "One range of bytes")),
    responses(
        (status = 200, description = "The bytes", content_type = "*/*"),
        (status = 206, description = "A range of them", content_type = "*/*"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has them"),
        (status = 404, description = "Asset not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 416, description = "The range starts past the end", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn data_alias(
    State(app): State<App>,
    InPath(id): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    serve(&app, id, &request).await
}

async fn serve(app: &App, id: String, request: &MediaRequest) -> Result<Response, Problem> {
    let asset = held(app, id, request.headers()).await?;
    let blob =
        asset.blob.clone().ok_or_else(|| Problem::flat(Kind::BlobUnavailable, "Asset blob unavailable"))?;
    let name = file_name(&asset);
    let media = match asset.r#type.as_str() {
        // A document may be a page or a drawing with scripts in it: a browser saves it and does not show it.
        "document" => Media::attachment(blob, &name),
        _ => Media::inline(blob, &name),
    };
    request.answer(app, Media { missing: "Asset blob unavailable", ..media }).await
}

/// What was brought over from an older database may have an id or a format that is no part of a file's name.
fn file_name(asset: &Asset) -> String {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+".contains(&byte));
    let id = if plain(&asset.id) { asset.id.as_str() } else { "asset" };
    match asset.format.as_str() {
        "jpeg" => format!("{id}.jpg"),
        format if format.is_empty() || !plain(format) => id.to_owned(),
        format => format!("{id}.{format}"),
    }
}

/// The asset that a path names, perhaps as it was a moment ago.
async fn held(app: &App, id: String, headers: &HeaderMap) -> Result<Arc<Asset>, Problem> {
    app.assets.get(&id, !may_be_held(headers), find(app, id.clone())).await
}

/// A JPEG of an asset: its thumbnail, or one of the width and, for videos, at the second that is asked for.
#[utoipa::path(
    get, path = "/api/v3/assets/{id}/thumbnail", tag = "Assets", operation_id = "get_asset_thumbnail",
    params(
        ("id" = String, Path, description = "Asset id"),
        ("width" = Option<u32>, Query, description = "Pixels at most: 160, 320, 480, 640, 960 or 1280"),
        ("t" = Option<f64>, Query, description = "Videos: second of the frame, in tenths"),
    ),
    responses(
        (status = 200, description = "The picture", content_type = "image/jpeg"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 304, description = "The caller has it"),
        (status = 401, description = "A frame at a time needs a key", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "Asset not found, or no thumbnail", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "No such width, or a time past the end", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn thumbnail(
    State(app): State<App>,
    InPath(id): InPath<String>,
    params: Params,
    uri: Uri,
    headers: HeaderMap,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let wish = PictureWish::read(&params)?;
    // A video has thousands of frames, and each is drawn and kept: not for everyone.
    if wish.is_some_and(|wish| wish.is_at_a_time()) && !auth::is_known(&app, &headers, &uri).await? {
        return Err(Problem::flat(Kind::Unauthorized, "missing or invalid x-api-key header")
            .detail("The thumbnail is for everyone; a frame at a time (`t`) needs a key in exactly one X-API-Key header."));
    }
    let asset = find(&app, id).await?;
    let not_available = || Problem::flat(Kind::ThumbnailNotAvailable, "Thumbnail not available");
    let has_picture = matches!(asset.r#type.as_str(), "image" | "video");
    let shown = match (wish, asset.thumbnail, asset.blob) {
        (None, Some(thumbnail), _) | (Some(_), Some(thumbnail), None) => thumbnail,
        (Some(wish), Some(_), Some(source)) => picture(&app, source, wish, WIDTH).await?,
        // Brought over from an older database without one: drawn now, and kept.
        (wish, None, Some(source)) if has_picture => {
            let drawn = picture(&app, source, wish.unwrap_or_default(), WIDTH).await;
            let is_ours = |problem: &Problem| wish.is_some() || !problem.is(Kind::ValidationFailed);
            drawn.map_err(|problem| if is_ours(&problem) { problem } else { not_available() })?
        }
        _ => return Err(not_available()),
    };
    request.answer(&app, Media::picture(shown, A_DAY)).await
}
