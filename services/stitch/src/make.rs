//! Making a product: bytes from the object store, ffmpeg, bytes into the object store.

use std::path::{Path, PathBuf};

use blobs::{BlobError, Blobs, WorkDir};
use media::{Media, MediaError, Probe, Source};
use protos::common::v1::BlobRef;

use crate::facts::Facts;
use crate::overlay::Overlay;
use crate::product::{Input, Made};
use crate::room;
use crate::store::JPEG;

const MP4: &str = "video/mp4";

/// Why a product was not made.
#[derive(Debug)]
pub(crate) struct NotMade {
    /// For a person: what was wrong and what to do.
    pub(crate) reason: String,
    /// Trying again with the same input cannot help.
    pub(crate) lasting: bool,
}

/// Makes products.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    pub(crate) media: Media,
    pub(crate) blobs: Blobs,
    pub(crate) facts: Facts,
}

impl Maker {
    /// Makes one. Whatever was made before this returns is gone when the future is dropped.
    pub(crate) async fn make(&self, input: &Input) -> Result<Made, NotMade> {
        let work = self.blobs.work_dir(room::needed(input)).await.map_err(|error| store_trouble(&error))?;
        let (video, poster) = (work.join("video.mp4"), work.join("poster.jpg"));
        let probe = match input {
            Input::Clips(clips) => self.cut(clips, &work, &video, &poster).await?,
            Input::ClipsUnder { clips, overlay } => {
                let cut = work.join("cut.mp4");
                let probe = self.cut(clips, &work, &cut, &poster).await?;
                let cut = Source { path: cut, probe: Some(probe) };
                self.overlaid(&cut, overlay, &video, &poster).await?
            }
            Input::VideoUnder { video: under, overlay } => {
                let path = local(&self.blobs, under, "the video", &work.join("under")).await?;
                let under = self.facts.source(&self.media, under, path).await;
                self.overlaid(&under, overlay, &video, &poster).await?
            }
            Input::CutAndSoundtrack { cut, soundtrack, shape } => {
                let blobs = &self.blobs;
                let path = local(blobs, cut, "the cut", &work.join("cut")).await?;
                let soundtrack = local(blobs, soundtrack, "the soundtrack", &work.join("soundtrack")).await?;
                let cut = self.facts.source(&self.media, cut, path).await;
                let shape = shape.unwrap_or_default().to_media();
                let mixed = self.media.mix_shaped(&cut, soundtrack, shape, &video, Some(&poster)).await;
                mixed.map_err(|error| trouble("mixing the cut and its soundtrack", &error))?
            }
        };
        let duration_ms =
            probe.video.as_ref().map_or(probe.duration_ms, |video| (video.duration_us + 500) / 1000);
        let video = keep(&self.blobs, &video, MP4).await?;
        self.facts.remember(&video, &probe);
        Ok(Made { video, duration_ms, poster: keep(&self.blobs, &poster, JPEG).await? })
    }

    async fn overlaid(
        &self,
        under: &Source,
        overlay: &Overlay,
        out: &Path,
        poster: &Path,
    ) -> Result<Probe, NotMade> {
        // What is there is the poster of the video below.
        let _ = tokio::fs::remove_file(poster).await;
        let laid = self.media.overlay(under, &overlay.to_media(), out, Some(poster)).await;
        laid.map_err(|error| trouble("laying the text over the video", &error))
    }

    async fn cut(
        &self,
        clips: &[BlobRef],
        work: &WorkDir,
        out: &Path,
        poster: &Path,
    ) -> Result<Probe, NotMade> {
        let mut sources = Vec::with_capacity(clips.len());
        for (index, clip) in clips.iter().enumerate() {
            let what = format!("clip {} of {}", index + 1, clips.len());
            let path = local(&self.blobs, clip, &what, &work.join(format!("clip-{index}"))).await?;
            sources.push(self.facts.source(&self.media, clip, path).await);
        }
        let joined = self.media.concat(&sources, out, Some(poster)).await;
        joined.map_err(|error| trouble("joining the clips", &error))
    }
}

/// Where the bytes can be read: in place if the store is local, else in a copy.
async fn local(blobs: &Blobs, blob: &BlobRef, what: &str, copy: &Path) -> Result<PathBuf, NotMade> {
    let sha256 = &blob.sha256;
    let lost = |how: String| NotMade {
        reason: format!("{what} {how}; render the scene again or bring the file back ({sha256})"),
        lasting: true,
    };
    match blobs.size(sha256).await {
        Ok(None) => return Err(lost("is not in the object store".to_owned())),
        Ok(Some(size)) if size != blob.size => {
            return Err(lost(format!("is damaged in the object store: {size} of {} bytes", blob.size)));
        }
        Ok(Some(_)) => {}
        Err(error) => return Err(store_trouble(&error)),
    }
    if let Some(path) = blobs.path(sha256) {
        return Ok(path);
    }
    match blobs.fetch_to(sha256, copy).await {
        Ok(_) => Ok(copy.to_owned()),
        Err(BlobError::Damaged { .. }) => Err(lost("is damaged in the object store".to_owned())),
        Err(error) => Err(store_trouble(&error)),
    }
}

async fn keep(blobs: &Blobs, path: &Path, content_type: &str) -> Result<BlobRef, NotMade> {
    blobs.put_file(path, content_type).await.map_err(|error| store_trouble(&error))
}

fn trouble(at: &str, error: &MediaError) -> NotMade {
    NotMade { reason: format!("{at} failed: {error}"), lasting: error.is_about_the_input() }
}

fn store_trouble(error: &BlobError) -> NotMade {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let lasting = matches!(error, BlobError::NoRoom(full) if full.is_lasting());
    NotMade { reason: format!("{error}{cause}"), lasting }
}
