//! Pictures of images and videos at the widths that callers may ask for, drawn once each.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use blobs::{BlobError, Need};
use kit::{Code, ServiceError};
use media::{Family, Fit, MediaError, sniff};
use parking_lot::Mutex;
use protos::asset::v1::{GetPictureReply, GetPictureRequest};
use protos::common::v1::BlobRef;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::error;
use crate::store::pictures::{self as store, Wanted};

/// Widths that may be asked for, pixels: few, so that a picture is drawn once for many callers.
pub const WIDTHS: [u32; 6] = [160, 320, 480, 640, 960, 1280];
/// The tallest picture, as a multiple of its width: strips are fitted into it.
const TALLEST: u32 = 4;

/// Bytes that a picture may have at most: one of the widest and tallest has half of it.
const PICTURE: u64 = 4 << 20;

type Turn = tokio::sync::Mutex<()>;

/// The pictures that are being drawn: who wants the same one waits for the first to finish.
#[derive(Debug)]
pub(crate) struct Pictures {
    turns: Mutex<HashMap<Wanted, Weak<Turn>>>,
    /// One is drawn at a time, so that uploads, which use the same tools, never wait behind many.
    place: Semaphore,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { turns: Mutex::default(), place: Semaphore::new(1) }
    }
}

impl Pictures {
    fn turn(&self, wanted: &Wanted) -> Arc<Turn> {
        let mut turns = self.turns.lock();
        turns.retain(|_, turn| turn.strong_count() > 0);
        let known = turns.entry(wanted.clone()).or_default();
        known.upgrade().unwrap_or_else(|| {
            let turn = Arc::<Turn>::default();
            *known = Arc::downgrade(&turn);
            turn
        })
    }
}

/// A picture of bytes in the store; of a video, the frame at a time.
pub(crate) async fn get(app: &App, request: GetPictureRequest) -> Result<GetPictureReply, ServiceError> {
    let GetPictureRequest { source, width, at_ms } = request;
    let source = source.unwrap_or_default().sha256;
    if !WIDTHS.contains(&width) {
        let widths = WIDTHS.map(|width| width.to_string()).join(", ");
        return Err(ServiceError::validation([("width", format!("must be one of {widths}"))]));
    }
    let wanted = Wanted { source, width, at_ms };
    let turn = app.pictures.turn(&wanted);
    let _mine = turn.lock().await;
    let known = store::find(&app.log, &wanted).await.map_err(error::log)?;
    if let Some(known) = known
        && app.blobs.size(&known.sha256).await.map_err(error::blobs)? == Some(known.size)
    {
        return Ok(GetPictureReply { image: Some(known) });
    }
    let image = draw(app, &wanted).await?;
    store::save(&app.log, &wanted, &image).await.map_err(error::log)?;
    Ok(GetPictureReply { image: Some(image) })
}

async fn draw(app: &App, wanted: &Wanted) -> Result<BlobRef, ServiceError> {
    let _place = app.pictures.place.acquire().await.map_err(ServiceError::internal)?;
    // Where it lies in the store it is read in place.
    let copies = app.blobs.size(&wanted.source).await.map_err(missing)?.unwrap_or(0);
    let work = app.blobs.work_dir_now(Need { copies, made: PICTURE }).map_err(error::blobs)?;
    let path = match app.blobs.path(&wanted.source) {
        Some(path) => path,
        None => {
            let path = work.join("source");
            app.blobs.fetch_to(&wanted.source, &path).await.map_err(missing)?;
            path
        }
    };
    let found = sniff(&path).await.map_err(ServiceError::internal)?;
    let out = work.join("picture.jpg");
    let fit = Fit { width: wanted.width, height: wanted.width * TALLEST, pad: false };
    match (found.map(|found| found.family), wanted.at_ms) {
        (Some(Family::Image), None) => {
            let info = app.media.image(&path).await.map_err(error::media)?;
            app.media.image_fitted(&path, &info, fit, &out).await.map_err(error::media)?;
        }
        (Some(Family::Image), Some(_)) => {
            return Err(ServiceError::validation([("t", "is for videos; this is an image")]));
        }
        (Some(Family::Video), at_ms) => frame(app, &path, at_ms, fit, &out).await?,
        _ => return Err(no_picture()),
    }
    app.blobs.put_file(&out, store::JPEG).await.map_err(error::blobs)
}

async fn frame(app: &App, path: &Path, at_ms: Option<u64>, fit: Fit, out: &Path) -> Result<(), ServiceError> {
    let probe = app.media.probe(path).await.map_err(error::media)?;
    if probe.video.is_none() {
        return Err(no_picture());
    }
    if at_ms.is_some_and(|at| at >= probe.duration_ms) {
        let seconds = Duration::from_millis(probe.duration_ms).as_secs_f64();
        return Err(ServiceError::validation([("t", format!("must be less than the video's {seconds} s"))]));
    }
    let at = at_ms.map(Duration::from_millis);
    app.media.frame(path, at, fit, out).await.map(|_| ()).map_err(|error| match error {
        // The container is fine and the pictures are not.
        MediaError::Failed { .. } => no_picture(),
        error => error::media(error),
    })
}

fn missing(error: BlobError) -> ServiceError {
    match error {
        BlobError::NotFound { .. } | BlobError::BadHash { .. } => {
            ServiceError::not_found("These bytes are not in the object store.").because(error)
        }
        error => error::blobs(error),
    }
}

/// There is nothing to be seen in it.
fn no_picture() -> ServiceError {
    ServiceError::new(Code::Precondition, "no_picture", "There is no picture in these bytes.")
}
