//! What the bytes are. Names, headers and declared types are not asked.

use std::path::{Path, PathBuf};

use blobs::{BlobError, Need, WorkDir};
use kit::{Code, ServiceError};
use media::{Family, FileType, Fit, MediaError, sniff};
use protos::common::v1::BlobRef;

use crate::app::App;
use crate::error;

/// Bytes that a thumbnail may have at most: one of 320 pixels a row has a tenth of it.
const THUMBNAIL: u64 = 1 << 20;

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Inspected {
    /// `image`, `video` or `audio`.
    pub(super) kind: &'static str,
    pub(super) format: String,
    /// The bytes, with the type and the size that they really have.
    pub(super) blob: BlobRef,
    pub(super) thumbnail: Option<BlobRef>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) duration_ms: Option<u64>,
}

/// Reads the bytes, decodes what an image shows, draws the thumbnail and puts it into the store.
pub(super) async fn inspect(app: &App, blob: &BlobRef) -> Result<Inspected, ServiceError> {
    let size = app.blobs.size(&blob.sha256).await.map_err(reference)?;
    let size = size.ok_or_else(|| reference(BlobError::NotFound { sha256: blob.sha256.clone() }))?;
    let work = app.blobs.work_dir_now(Need { copies: size, made: THUMBNAIL }).map_err(error::blobs)?;
    let path = local(app, blob, &work).await?;
    let found = sniff(&path).await.map_err(ServiceError::internal)?;
    let found = found.ok_or_else(|| error::unusable_file("is no image, video or sound of a known kind"))?;
    let blob = BlobRef { size, content_type: found.content_type.to_owned(), ..blob.clone() };
    match found.family {
        Family::Image => image(app, blob, found, &path, &work).await,
        Family::Video | Family::Audio => moving(app, blob, found, &path, &work).await,
        Family::Document | Family::Other => {
            let why = format!("is no image, video or sound but {}", found.content_type);
            Err(error::unusable_file(&why))
        }
    }
}

/// A reference that leads nowhere is the caller's: it names what it stored.
fn reference(error: BlobError) -> ServiceError {
    match error {
        BlobError::NotFound { .. } | BlobError::BadHash { .. } => ServiceError::new(
            Code::Precondition,
            "blob_missing",
            "The bytes of this asset are not in the object store; upload them again.",
        )
        .because(error),
        error => error::blobs(error),
    }
}

async fn local(app: &App, blob: &BlobRef, work: &WorkDir) -> Result<PathBuf, ServiceError> {
    if let Some(path) = app.blobs.path(&blob.sha256) {
        return Ok(path);
    }
    let path = work.join("asset");
    app.blobs.fetch_to(&blob.sha256, &path).await.map_err(reference)?;
    Ok(path)
}

async fn image(
    app: &App,
    blob: BlobRef,
    found: FileType,
    path: &Path,
    work: &WorkDir,
) -> Result<Inspected, ServiceError> {
    let info = app.media.image(path).await.map_err(error::media)?;
    let drawn = work.join("thumbnail.jpg");
    app.media.image_thumbnail_of(path, &info, &drawn).await.map_err(error::media)?;
    Ok(Inspected {
        kind: "image",
        format: format_of(found),
        blob,
        thumbnail: Some(keep(app, &drawn).await?),
        width: Some(info.width),
        height: Some(info.height),
        duration_ms: None,
    })
}

/// A container for video may hold sound only, and then is sound.
async fn moving(
    app: &App,
    blob: BlobRef,
    found: FileType,
    path: &Path,
    work: &WorkDir,
) -> Result<Inspected, ServiceError> {
    let probe = app.media.probe(path).await.map_err(error::media)?;
    let Some(video) = &probe.video else {
        let content_type = blob.content_type.replace("video/", "audio/");
        return Ok(Inspected {
            kind: "audio",
            format: format_of(found),
            blob: BlobRef { content_type, ..blob },
            thumbnail: None,
            width: None,
            height: None,
            duration_ms: Some(probe.duration_ms),
        });
    };
    let drawn = work.join("thumbnail.jpg");
    app.media.frame(path, None, Fit::ASSET_THUMBNAIL, &drawn).await.map_err(|error| match error {
        // The container is fine and the pictures are not: that is the file, not us.
        MediaError::Failed { stderr, .. } => error::unusable_file(&format!("cannot be decoded: {stderr}")),
        error => error::media(error),
    })?;
    let (width, height) = video.shown_size();
    Ok(Inspected {
        kind: "video",
        format: format_of(found),
        blob,
        thumbnail: Some(keep(app, &drawn).await?),
        width: Some(width),
        height: Some(height),
        duration_ms: Some(probe.duration_ms),
    })
}

async fn keep(app: &App, drawn: &Path) -> Result<BlobRef, ServiceError> {
    app.blobs.put_file(drawn, "image/jpeg").await.map_err(error::blobs)
}

/// The contract's word: that of the type for pictures, that of the file's ending for the rest.
pub(crate) fn format_of(found: FileType) -> String {
    if found.extension == "jpg" { "jpeg".to_owned() } else { found.extension.to_owned() }
}
