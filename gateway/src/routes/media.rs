//! Bytes by their hash, for the providers' downloaders and for whoever wants one version of a video: only with a signed
//! link.

use axum::{extract::State, response::Response};
use blobs::{BlobError, Blobs};
use futures::StreamExt as _;
use protos::common::v1::BlobRef;

use crate::{
    app::App,
    media::{FOR_EVER, Media, MediaRequest},
    params::InPath,
    problem::{Kind, Problem, ProblemSchema},
};

/// Bytes that tell what something is.
const HEAD: u64 = 8192;

/// Bytes by their SHA-256; the link must be signed for this path and not have expired.
#[utoipa::path(
    get, path = "/api/v3/media/{sha256}", tag = "Media", operation_id = "fetch_media",
    params(
        ("sha256" = String, Path, description = "Lower-case hexadecimal SHA-256 of the bytes"),
        ("expires" = i64, Query, description = "Seconds since 1970 until which the link works"),
        ("signature" = String, Query, description = "Made by us for this path"),
    ),
    responses(
        (status = 200, description = "The bytes", content_type = "*/*"),
        (status = 206, description = "A range of them", content_type = "*/*"),
        (status = 307, description = "Where they are, when the bytes come straight from the object store"),
        (status = 403, description = "The link is not signed, not for this path, or expired", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "No such bytes", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn fetch(
    State(app): State<App>,
    InPath(sha256): InPath<String>,
    request: MediaRequest,
) -> Result<Response, Problem> {
    let blob = described(&app.blobs, sha256).await?;
    request.answer(&app, Media::picture(blob, FOR_EVER)).await
}

/// The store keeps no types: what it is, is read from its first bytes.
pub(super) async fn described(blobs: &Blobs, sha256: String) -> Result<BlobRef, Problem> {
    let mut reader = match blobs.open(&sha256, Some(0..HEAD)).await {
        Ok(reader) => reader,
        Err(BlobError::NotFound { .. } | BlobError::BadHash { .. } | BlobError::BadRange { .. }) => {
            return Err(Problem::framework(Kind::NotFound).detail("There are no bytes under this hash."));
        }
        Err(error) => {
            tracing::error!(
                error = format!("{:#}", anyhow::Error::new(error)),
                "the object store cannot be read"
            );
            return Err(Problem::internal());
        }
    };
    let size = reader.size();
    let head = match reader.next().await {
        Some(Ok(bytes)) => bytes,
        _ => bytes::Bytes::new(),
    };
    let content_type = infer::get(&head).map_or("application/octet-stream", |kind| kind.mime_type());
    Ok(BlobRef { sha256, size, content_type: content_type.to_owned() })
}
