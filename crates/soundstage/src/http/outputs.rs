//! Output files: ranges and HEAD, no key, gone after an hour.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::{Broken, answer};
use crate::faults::{Kind, OutputFault, WrongMedia, arrive, depart, output_fault};
use crate::server::Hangup;
use crate::stage::Handle;

/// `GET|HEAD /outputs/{id}/{name}`
pub(super) async fn serve(
    State(stage): State<Handle>,
    Path((id, _name)): Path<(String, String)>,
    Extension(hangup): Extension<Hangup>,
    request: Request,
) -> Result<Response, Broken> {
    stage.ledger.count("download")?;
    let Some(prediction) = stage.ledger.prediction(&id)? else { return Ok(answer::not_found()) };
    let script = stage.faults.script(Kind::Download, &prediction.prompt);
    if let Some(response) = arrive(stage.clock, &script).await {
        return Ok(response);
    }
    let output = prediction.output.as_ref().filter(|_| !answer::expired(&stage, &prediction));
    let Some(name) = output else { return Ok(answer::not_found()) };
    let path = stage.media.path(name);
    let fault = output_fault(&script).or(prediction.fate.output);
    let response = match fault {
        Some(OutputFault::Gone(code)) => {
            let code = StatusCode::from_u16(code).unwrap_or(StatusCode::NOT_FOUND);
            answer::problem(code, "Not found", "The requested file is not available any more.")
        }
        Some(OutputFault::Truncated) => truncated(tokio::fs::read(&path).await?, name),
        Some(OutputFault::Wrong(media)) => wrong(media, name)?,
        None => {
            let mime: mime::Mime = content_type(name).parse()?;
            let served = ServeFile::new_with_mime(&path, &mime).oneshot(request).await?;
            served.map(Body::new).into_response()
        }
    };
    Ok(depart(stage.clock, &script, &hangup, response).await)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("mp4") => "video/mp4",
        Some("mp3") => "audio/mpeg",
        Some("wav") => "audio/wav",
        _ => "application/octet-stream",
    }
}

/// Promises the whole length, sends half of it, breaks off.
fn truncated(bytes: Vec<u8>, name: &str) -> Response {
    let length = bytes.len();
    let half = Bytes::from(bytes).slice(..length / 2);
    let cut = async {
        // Once pending, what was sent so far is on its way.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("the connection was cut"))
    };
    let body = Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(cut)));
    let headers =
        [(header::CONTENT_TYPE, content_type(name).to_owned()), (header::CONTENT_LENGTH, length.to_string())];
    (headers, body).into_response()
}

/// Something else under the right name and type.
fn wrong(media: WrongMedia, name: &str) -> Result<Response, Broken> {
    let bytes = match media {
        WrongMedia::Text => b"This is not the medium you are looking for.\n".to_vec(),
        WrongMedia::Jpeg => {
            let mut bytes = std::io::Cursor::new(Vec::new());
            image::RgbImage::from_pixel(64, 36, image::Rgb([90, 120, 140]))
                .write_to(&mut bytes, image::ImageFormat::Jpeg)?;
            bytes.into_inner()
        }
    };
    Ok(([(header::CONTENT_TYPE, content_type(name))], bytes).into_response())
}
