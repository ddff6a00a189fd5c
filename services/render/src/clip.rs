//! The service as the orders' engine sees it: what is stored with each fact, which form photos have for the
//! provider, and whether a delivered file is the clip that was ordered.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use async_trait::async_trait;
use blobs::{BlobError, Blobs, Need, WorkDir};
use eventlog::Log;
use jiff::Timestamp;
use media::Media;
use predictions::{Also, Buyer, Fact, MediaInput, Order, OrderState, Rejected, Usable};
use protos::common::v1::BlobRef;
use serde::Deserialize as _;
use tokio::sync::Mutex;

use crate::{
    events::{Event, Found},
    model,
    request::Take,
    store,
};

/// How far a clip's length may be from the ordered one, milliseconds.
const TOLERANCE_MS: u64 = 500;

/// Bytes that a photo prepared as a frame may have at most: one of the longest sides has a quarter of it.
const FRAME: u64 = 16 << 20;

/// Photos in, clips out.
#[derive(Clone, Debug)]
pub struct Clips {
    /// Looks at photos and clips.
    pub media: Media,
    /// Where they are.
    pub blobs: Blobs,
    /// Remembers prepared photos.
    pub log: Log,
    /// One photo at a time: scenes share photos, and each is drawn once.
    pub drawing: Arc<Mutex<()>>,
}

#[async_trait]
impl Buyer for Clips {
    fn name(&self) -> &'static str {
        "render"
    }

    fn stream(&self, key: &str) -> String {
        format!("render-{key}")
    }

    fn model_key(&self, order: &Order) -> String {
        model::key(&order.model).to_owned()
    }

    fn also(&self, state: &OrderState, fact: &Fact, at: Timestamp) -> anyhow::Result<Also> {
        // Without an order it is a tombstone: nobody waits for news of it.
        let Some(order) = &state.order else { return Ok(Also::default()) };
        let take = Take::deserialize(&order.context).context("the take of an order")?;
        let event = Event::of(&order.key, &take, state, fact);
        let statements = store::render_statement(&order.key, &take, fact, event.as_ref());
        let events = event.map(|event| event.to_stored(at)).transpose()?;
        Ok(Also { events: events.into_iter().collect(), statements: statements.into_iter().collect() })
    }

    async fn prepare(&self, _order: &Order, media: &MediaInput) -> anyhow::Result<Result<BlobRef, Rejected>> {
        let photo = &media.blob.sha256;
        let _turn = self.drawing.lock().await;
        if let Some(frame) = store::frame(&self.log, photo).await?
            && self.blobs.size(&frame.sha256).await?.is_some()
        {
            return Ok(Ok(frame));
        }
        let frame = match self.draw(&media.blob).await? {
            Ok(frame) => frame,
            Err(rejected) => return Ok(Err(rejected)),
        };
        store::remember_frame(&self.log, photo, &frame).await?;
        Ok(Ok(frame))
    }

    async fn check(&self, order: &Order, file: &Path) -> anyhow::Result<Result<Usable, Rejected>> {
        let take = Take::deserialize(&order.context).context("the take of an order")?;
        let probe = match self.media.probe(file).await {
            Ok(probe) => probe,
            Err(error) if error.is_about_the_input() => return Ok(Err(Rejected(error.to_string()))),
            Err(error) => return Err(error.into()),
        };
        if let Err(error) = probe.require_video() {
            return Ok(Err(Rejected(error.to_string())));
        }
        let ordered_ms = u64::from(take.seconds) * 1000;
        if probe.duration_ms.abs_diff(ordered_ms) > TOLERANCE_MS {
            let found = std::time::Duration::from_millis(probe.duration_ms).as_secs_f64();
            return Ok(Err(Rejected(format!("the clip lasts {found:.2} s instead of {} s", take.seconds))));
        }
        let content_type = media::sniff(file).await?.map_or("video/mp4", |found| found.content_type);
        let found = serde_json::to_value(Found { duration_ms: probe.duration_ms })?;
        Ok(Ok(Usable { content_type: content_type.to_owned(), found }))
    }
}

impl Clips {
    /// A photo as an upright JPEG of a useful size.
    async fn draw(&self, photo: &BlobRef) -> anyhow::Result<Result<BlobRef, Rejected>> {
        let dir = self.blobs.work_dir(Need { copies: photo.size, made: FRAME }).await?;
        let source = match self.photo(&photo.sha256, &dir).await {
            Ok(source) => source,
            Err(BlobError::NotFound { .. }) => {
                return Ok(Err(Rejected(
                    "A photo of this scene is not in the object store any more".to_owned(),
                )));
            }
            Err(error) => return Err(error.into()),
        };
        let out = dir.join("frame.jpg");
        match self.media.frame_image(&source, &out).await {
            Ok(_) => Ok(Ok(self.blobs.put_file(&out, "image/jpeg").await?)),
            Err(error) if error.is_about_the_input() => {
                Ok(Err(Rejected(format!("A photo of this scene cannot be a frame of a clip: {error}"))))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn photo(&self, sha256: &str, dir: &WorkDir) -> Result<PathBuf, BlobError> {
        if let Some(path) = self.blobs.path(sha256) {
            return Ok(path);
        }
        let copy = dir.join("photo");
        self.blobs.fetch_to(sha256, &copy).await?;
        Ok(copy)
    }
}
