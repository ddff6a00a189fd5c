//! Multipart bodies: the file goes straight into the object store, the other parts become fields.

use std::io::ErrorKind;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Multipart, Request, multipart::Field},
};
use blobs::{BlobError, NoRoom, Room};
use futures::{Stream, StreamExt as _};
use http::{HeaderMap, header};
use http_body_util::Limited;
use protos::common::v1::BlobRef;
use tower_http::timeout::TimeoutBody;

use crate::{
    app::App,
    params::{BodyKind, BodyParams, DRAIN, DRAIN_TIME, MAX_BODY, Params, drain_meanwhile, too_large},
    problem::{Family, Kind, Problem},
};

/// What a part costs of the room for fields beside its contents, bytes: its name is kept too.
const PART: usize = 64;

/// A file that is in the object store now.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) blob: BlobRef,
    /// Its own name, or empty.
    pub(crate) file_name: String,
}

/// The fields of a request and its file, if it has one.
pub(crate) async fn read(app: &App, request: Request) -> Result<(Params, Option<Upload>), Problem> {
    if BodyKind::of(request.headers()) != BodyKind::Multipart {
        let BodyParams(params) = BodyParams::from_request(request, app).await?;
        return Ok((params, None));
    }
    let room = match take_room(app, request.headers()) {
        Ok(room) => room,
        Err(refusal) => {
            leave(request);
            return Err(refusal);
        }
    };
    let params = Params::of_query(request.uri().query());
    let whole = usize::try_from(app.settings.max_upload_bytes).unwrap_or(usize::MAX);
    let whole = whole.saturating_add(MAX_BODY + DRAIN);
    // Who stops sending holds room that others want.
    let patience = app.settings.upload_patience;
    let request = request.map(|body| Body::new(TimeoutBody::new(patience, Limited::new(body, whole))));
    let mut multipart = Multipart::from_request(request, app)
        .await
        .map_err(|error| Problem::framework(Kind::BadRequest).detail(format!("{}.", error.body_text())))?;
    let parts = Parts { app, params, upload: None, room: MAX_BODY, scratch: room };
    let read = parts.read(&mut multipart).await;
    if read.is_err() {
        // A client that stops sending must not keep its answer waiting.
        let _ = tokio::time::timeout(DRAIN_TIME, drain(&mut multipart)).await;
    }
    read
}

/// Room in scratch for a body of the announced length, at once or not at all: an upload that begins can end. A body that
/// does not say how long it is takes room as it comes.
fn take_room(app: &App, headers: &HeaderMap) -> Result<Room, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let bytes = announced.map_or(0, |length: u64| length.min(app.settings.max_upload_bytes));
    app.blobs.budget().try_reserve(bytes).map_err(no_room)
}

/// Lets a refused body come for a while, so that the refusal reaches who sends it; not from who asked first.
fn leave(request: Request) {
    if !request.headers().contains_key(header::EXPECT) {
        drain_meanwhile(request.into_body());
    }
}

struct Parts<'a> {
    app: &'a App,
    params: Params,
    upload: Option<Upload>,
    /// Bytes that the parts beside the file may still have.
    room: usize,
    /// For the file.
    scratch: Room,
}

impl Parts<'_> {
    /// Reads all parts, in whatever order they come.
    async fn read(mut self, multipart: &mut Multipart) -> Result<(Params, Option<Upload>), Problem> {
        while let Some(part) = multipart.next_field().await.map_err(|error| unreadable(&error))? {
            match part.name().unwrap_or_default().to_owned().as_str() {
                "file" => self.file(part).await?,
                name => self.field(name, part).await?,
            }
        }
        Ok((self.params, self.upload))
    }

    async fn file(&mut self, mut part: Field<'_>) -> Result<(), Problem> {
        if self.upload.is_some() {
            let violation = ("file".to_owned(), "must be given once".to_owned());
            return Err(Problem::validation(Family::Flat, vec![violation]));
        }
        let file_name = part.file_name().unwrap_or_default().replace('\0', "");
        self.take_room(PART + file_name.len())?;
        let content_type = part.content_type().unwrap_or("application/octet-stream").to_owned();
        let limit = self.app.settings.max_upload_bytes;
        let blobs = &self.app.blobs;
        let room = std::mem::replace(&mut self.scratch, blobs.budget().nothing());
        let stored = blobs.put_stream_within(room, chunks(&mut part), &content_type, Some(limit)).await;
        let blob = match stored {
            Ok(blob) => blob,
            Err(error) => return Err(refused(error)),
        };
        if blob.size == 0 && file_name.is_empty() {
            // A form whose file input was left unfilled.
            return Ok(());
        }
        self.upload = Some(Upload { blob, file_name });
        Ok(())
    }

    fn take_room(&mut self, bytes: usize) -> Result<(), Problem> {
        self.room = self.room.checked_sub(bytes).ok_or_else(|| too_large(MAX_BODY as u64))?;
        Ok(())
    }

    async fn field(&mut self, name: &str, mut part: Field<'_>) -> Result<(), Problem> {
        let mut bytes = Vec::new();
        self.take_room(PART + name.len())?;
        while let Some(chunk) = part.chunk().await.map_err(|error| unreadable(&error))? {
            self.take_room(chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.params.set(name, text.into()),
            Err(_) => {
                let violation = (name.to_owned(), "is invalid".to_owned());
                return Err(Problem::validation(Family::Flat, vec![violation]));
            }
        }
        Ok(())
    }
}

fn chunks<'a>(part: &'a mut Field<'_>) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'a {
    part.map(|chunk| chunk.map_err(|error| std::io::Error::new(ErrorKind::UnexpectedEof, error)))
}

fn unreadable(error: &axum::extract::multipart::MultipartError) -> Problem {
    Problem::framework(Kind::BadRequest)
        .detail(format!("The multipart body could not be read: {}.", error.body_text()))
}

fn no_room(full: NoRoom) -> Problem {
    if full.is_lasting() {
        return too_large(full.limit);
    }
    let NoRoom { needed, reserved, limit } = full;
    tracing::warn!(needed, reserved, limit, "an upload was refused: there is no room in scratch");
    Problem::flat(Kind::NoRoom, "No room for the file").detail(
        "Other uploads have all the room that there is; try again in a moment, with the same Idempotency-Key.",
    )
}

fn refused(error: BlobError) -> Problem {
    match error {
        BlobError::TooLarge { limit } => too_large(limit),
        BlobError::NoRoom(full) => no_room(full),
        BlobError::Source(source) => Problem::flat(Kind::UploadUnreadable, "Invalid file format")
            .detail(format!("The file ended before it was complete: {source}.")),
        other => {
            // The store says so when it cannot be reached.
            let away =
                matches!(&other, BlobError::Store(store) if store.kind() == ErrorKind::ConnectionAborted);
            tracing::error!(
                error = format!("{:#}", anyhow::Error::new(other)),
                "an upload could not be kept"
            );
            if away {
                return Problem::flat(Kind::Unavailable, "Storage unavailable").detail(
                    "The object store is away; try again in a moment, with the same Idempotency-Key.",
                );
            }
            Problem::internal()
        }
    }
}

/// Reads what is left of a refused body, bounded by the limit on the whole, and throws it away.
async fn drain(multipart: &mut Multipart) {
    // Asking for the next part skips the rest of this one.
    while let Ok(Some(_)) = multipart.next_field().await {}
}
