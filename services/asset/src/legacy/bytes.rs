//! Bytes into the object store, and looking after them.

use blobs::{Batch, BlobError};
use futures::{Stream, StreamExt as _};
use kit::{Code, ServiceError};
use protos::asset::v1::{CheckBytesReply, Piece, StoreBytesReply};
use protos::common::v1::BlobRef;
use sha2::{Digest as _, Sha256};
use tonic::Status;

use super::{bad, failed, look};
use crate::app::App;

/// Bytes of the largest piece.
const PIECE: usize = 256 * 1024;
/// Bytes after which what came so far is made durable: a disk has that much to do at one time at most.
const MOST_BYTES: u64 = 128 * 1024 * 1024;
/// Bytes of the blob that goes beyond it, as a rule; a larger one takes more room when it comes.
const LAST: u64 = 32 * 1024 * 1024;
/// As many blobs wait at most.
const MOST_BLOBS: usize = 1000;

pub(super) async fn store(
    app: &App,
    pieces: impl Stream<Item = Result<Piece, Status>>,
) -> Result<StoreBytesReply, ServiceError> {
    let mut pieces = std::pin::pin!(pieces);
    let mut current = None;
    let mut blobs = Vec::new();
    while let Some(piece) = pieces.next().await {
        let Piece { data, last } = piece.map_err(ServiceError::from)?;
        if data.len() > PIECE {
            return Err(bad(format!("a piece of {} bytes is too large: {PIECE} is the most", data.len())));
        }
        let mut batch = match current.take() {
            Some(batch) => batch,
            None => begin(app).await?,
        };
        if !data.is_empty() {
            batch.write(data.into()).await.map_err(failed)?;
        }
        if last {
            batch.end(look::content_type).await.map_err(failed)?;
            if batch.size() >= MOST_BYTES || batch.len() >= MOST_BLOBS {
                blobs.extend(batch.commit().await.map_err(failed)?);
                continue;
            }
        }
        current = Some(batch);
    }
    let Some(batch) = current else { return Ok(StoreBytesReply { blobs }) };
    if batch.is_within_a_blob() {
        return Err(bad("the pieces end within a blob: its last one must say that it is the last"));
    }
    blobs.extend(batch.commit().await.map_err(failed)?);
    Ok(StoreBytesReply { blobs })
}

/// A batch, as soon as scratch has room for what it holds before it is committed.
async fn begin(app: &App) -> Result<Batch, ServiceError> {
    let budget = app.blobs.budget();
    let room = budget.reserve(budget.at_most(MOST_BYTES + LAST)).await;
    let room = room.map_err(|full| failed(BlobError::from(full)))?;
    Ok(app.blobs.batch_within(room))
}

pub(super) async fn check(app: &App, sha256: &str) -> Result<CheckBytesReply, ServiceError> {
    let mut reader = match app.blobs.open(sha256, None).await {
        Ok(reader) => reader,
        Err(BlobError::NotFound { .. }) => return Ok(CheckBytesReply::default()),
        Err(error @ BlobError::BadHash { .. }) => return Err(bad(error.to_string())),
        Err(error) => return Err(failed(error)),
    };
    let mut hasher = Sha256::new();
    let mut size = 0;
    while let Some(piece) = reader.next().await {
        let piece = piece.map_err(failed)?;
        hasher.update(&piece);
        size += piece.len() as u64;
    }
    Ok(CheckBytesReply { found: true, sha256: hex::encode(hasher.finalize()), size })
}

pub(super) async fn fetch(app: &App, url: &str) -> Result<BlobRef, ServiceError> {
    let blob = app.importer.fetch(url.trim()).await.map_err(|error| error.or_no_space("asset"))?;
    if blob.size == 0 {
        let refusal = ServiceError::new(Code::Invalid, "download_failed", "Failed to download from URL");
        return Err(refusal.fact("reason", "the answer is empty"));
    }
    let content_type = look::first(app, &blob.sha256).await?.map(|first| look::content_type(&first.bytes));
    Ok(BlobRef { content_type: content_type.unwrap_or(blob.content_type), ..blob })
}
