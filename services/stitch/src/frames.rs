//! Frames of videos, drawn once per video and size.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use blobs::{Blobs, Need};
use eventlog::Log;
use media::{Fit, Media};
use parking_lot::Mutex;
use protos::common::v1::BlobRef;

use crate::error::StitchError;
use crate::requests::check_blob;
use crate::store;

/// The longest side of a frame that is drawn, in pixels.
const LONGEST_SIDE: u32 = 2048;
/// Bytes that a frame may have at most: one of the longest sides has half of it.
const LARGEST: u64 = 4 << 20;

type Size = (u32, u32);
type Turn = tokio::sync::Mutex<()>;
/// The frames that are being drawn.
type Turns = HashMap<(String, Size), Weak<Turn>>;

/// Draws frames.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    pub(crate) log: Log,
    pub(crate) blobs: Blobs,
    pub(crate) media: Media,
    /// Who draws the same frame waits for the first one to finish.
    pub(crate) turns: Arc<Mutex<Turns>>,
}

impl Frames {
    /// One frame of a video as JPEG, fitted and padded to a size.
    pub(crate) async fn frame(&self, video: &BlobRef, size: Size) -> Result<BlobRef, StitchError> {
        check(video, size)?;
        let turn = self.turn(&video.sha256, size);
        let _mine = turn.lock().await;
        if let Some(known) = store::frame(&self.log, &video.sha256, size).await?
            && self.blobs.size(&known.sha256).await? == Some(known.size)
        {
            return Ok(known);
        }
        let image = self.draw(&video.sha256, size).await?;
        store::save_frame(&self.log, &video.sha256, size, &image).await?;
        Ok(image)
    }

    async fn draw(&self, sha256: &str, (width, height): Size) -> Result<BlobRef, StitchError> {
        let Some(copies) = self.blobs.size(sha256).await? else {
            return Err(StitchError::NoVideo(sha256.to_owned()));
        };
        let work = self.blobs.work_dir_now(Need { copies, made: LARGEST })?;
        let video = match self.blobs.path(sha256) {
            Some(path) => path,
            None => {
                let copy = work.join("video");
                self.blobs.fetch_to(sha256, &copy).await?;
                copy
            }
        };
        let image = work.join("frame.jpg");
        self.media.frame(video, None, Fit { width, height, pad: true }, &image).await?;
        Ok(self.blobs.put_file(&image, store::JPEG).await?)
    }

    fn turn(&self, sha256: &str, size: Size) -> Arc<Turn> {
        let mut turns = self.turns.lock();
        turns.retain(|_, turn| turn.strong_count() > 0);
        let known = turns.entry((sha256.to_owned(), size)).or_default();
        known.upgrade().unwrap_or_else(|| {
            let turn = Arc::<Turn>::default();
            *known = Arc::downgrade(&turn);
            turn
        })
    }
}

fn check(video: &BlobRef, (width, height): Size) -> Result<(), StitchError> {
    let mut violations: Vec<_> = check_blob("video", video).into_iter().collect();
    for (field, side) in [("width", width), ("height", height)] {
        if side == 0 || side > LONGEST_SIDE {
            violations.push((field, format!("must be from 1 to {LONGEST_SIDE}")));
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(StitchError::Invalid(violations)) }
}
