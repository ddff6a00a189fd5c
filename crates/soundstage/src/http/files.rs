//! Replicate's files API.

use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use sha2::Digest;
use tokio::io::AsyncWriteExt;

use super::{Base, Broken, answer, predictions};
use crate::clock::rfc3339;
use crate::faults::{Kind, arrive, depart};
use crate::ledger::FileRow;
use crate::server::Hangup;
use crate::stage::{Handle, Shared};
use crate::sweeper::FILE_SECONDS;

/// `POST /v1/files`: multipart with `content`, and `metadata` as JSON if wanted.
pub(super) async fn upload(
    State(stage): State<Handle>,
    Extension(hangup): Extension<Hangup>,
    base: Base,
    form: Multipart,
) -> Result<Response, Broken> {
    stage.ledger.count("files_upload")?;
    let script = stage.faults.script(Kind::Files, "");
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let Some(file) = receive(&stage, form).await? else {
        let detail = "- content is required\n";
        return Ok(answer::problem(StatusCode::UNPROCESSABLE_ENTITY, "Input validation failed", detail));
    };
    stage.ledger.add_file(&file)?;
    let body = Json(shown(&stage, base.or(&stage.base), &file));
    Ok(depart(stage.clock, &script, &hangup, (StatusCode::CREATED, body).into_response()).await)
}

async fn receive(stage: &Shared, mut form: Multipart) -> Result<Option<FileRow>, Broken> {
    let mut file = None;
    let mut metadata = json!({});
    while let Some(field) = form.next_field().await? {
        match field.name() {
            Some("content") => file = Some(keep(stage, field).await?),
            Some("metadata") => metadata = serde_json::from_slice(&field.bytes().await?).unwrap_or_default(),
            _ => {}
        }
    }
    Ok(file.map(|file| FileRow { metadata, ..file }))
}

/// Writes the content under its new id while it comes in.
async fn keep(stage: &Shared, mut field: Field<'_>) -> Result<FileRow, Broken> {
    let id = predictions::new_id();
    let name = field.file_name().unwrap_or("file").to_owned();
    let content_type = field.content_type().unwrap_or("application/octet-stream").to_owned();
    let scratch = stage.media.scratch("upload");
    let mut out = tokio::fs::File::create(&scratch).await?;
    let mut hash = sha2::Sha256::new();
    let mut size = 0i64;
    while let Some(part) = field.chunk().await? {
        hash.update(&part);
        size += i64::try_from(part.len())?;
        out.write_all(&part).await?;
    }
    out.flush().await?;
    tokio::fs::rename(&scratch, stage.media.upload(&id)).await?;
    let sha256 = hex::encode(hash.finalize());
    Ok(FileRow { id, name, content_type, size, sha256, metadata: json!({}), created_at: stage.clock.now() })
}

fn shown(stage: &Shared, base: &str, file: &FileRow) -> Value {
    json!({
        "id": file.id,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "etag": file.sha256,
        "checksums": {"sha256": file.sha256},
        "metadata": file.metadata,
        "created_at": rfc3339(file.created_at),
        "expires_at": rfc3339(file.created_at.saturating_add(stage.clock.micros(FILE_SECONDS))),
        "urls": {"get": format!("{base}/v1/files/{}", file.id)},
    })
}

/// `GET /v1/files/{id}`
pub(super) async fn get(
    State(stage): State<Handle>,
    Path(id): Path<String>,
    Extension(hangup): Extension<Hangup>,
    base: Base,
) -> Result<Response, Broken> {
    stage.ledger.count("files_get")?;
    let script = stage.faults.script(Kind::Files, "");
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let Some(file) = stage.ledger.file(&id)? else { return Ok(answer::not_found()) };
    let body = Json(shown(&stage, base.or(&stage.base), &file)).into_response();
    Ok(depart(stage.clock, &script, &hangup, body).await)
}

/// `GET /v1/files/{id}/download`
pub(super) async fn download(
    State(stage): State<Handle>,
    Path(id): Path<String>,
) -> Result<Response, Broken> {
    stage.ledger.count("files_download")?;
    let Some(file) = stage.ledger.file(&id)? else { return Ok(answer::not_found()) };
    let bytes = tokio::fs::read(stage.media.upload(&file.id)).await?;
    Ok(([(header::CONTENT_TYPE, file.content_type)], bytes).into_response())
}

/// `GET /v1/files`
pub(super) async fn list(State(stage): State<Handle>, base: Base) -> Result<Response, Broken> {
    stage.ledger.count("files_list")?;
    let files = stage.ledger.files()?;
    let results: Vec<Value> = files.iter().map(|file| shown(&stage, base.or(&stage.base), file)).collect();
    Ok(Json(json!({"previous": null, "next": null, "results": results})).into_response())
}

/// `DELETE /v1/files/{id}`
pub(super) async fn delete(
    State(stage): State<Handle>,
    Path(id): Path<String>,
    Extension(hangup): Extension<Hangup>,
) -> Result<Response, Broken> {
    stage.ledger.count("files_delete")?;
    let script = stage.faults.script(Kind::Files, "");
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    if !stage.ledger.remove_file(&id)? {
        return Ok(answer::not_found());
    }
    let _ = tokio::fs::remove_file(stage.media.upload(&id)).await;
    Ok(depart(stage.clock, &script, &hangup, StatusCode::NO_CONTENT.into_response()).await)
}
