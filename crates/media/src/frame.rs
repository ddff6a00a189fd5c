//! One frame of a video as JPEG.

use std::path::Path;
use std::time::Duration;

use crate::run::{Run, Tool};
use crate::{Media, MediaError, Probe, VideoStream};

/// The box that a picture is fitted into, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Whether the picture fills the box, with black bars where the shape differs. Otherwise the result
    /// is as large as the picture fitted, and a smaller picture is not enlarged.
    pub pad: bool,
}

impl Fit {
    /// The poster of a video.
    pub const POSTER: Self = Self { width: 640, height: 360, pad: true };
    /// The thumbnail of a video that is an asset.
    pub const ASSET_THUMBNAIL: Self = Self { width: 320, height: 240, pad: false };
    /// The thumbnail of an image: 320 pixels wide unless it is a very tall strip.
    pub const IMAGE_THUMBNAIL: Self = Self { width: 320, height: 1280, pad: false };

    /// The size of a picture in the box.
    pub(crate) fn scaled(self, (width, height): (u32, u32)) -> (u32, u32) {
        let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
        let scale = (f64::from(self.width) / width).min(f64::from(self.height) / height);
        let scale = if self.pad { scale } else { scale.min(1.0) };
        let side = |side: f64, most: u32| ((side * scale).round() as u32).clamp(1, most);
        (side(width, self.width), side(height, self.height))
    }

    /// The size of the result for a picture.
    #[must_use]
    pub fn size_for(self, picture: (u32, u32)) -> (u32, u32) {
        if self.pad { (self.width, self.height) } else { self.scaled(picture) }
    }

    /// The filter that does it.
    pub(crate) fn filter(self, picture: (u32, u32)) -> String {
        let (width, height) = self.scaled(picture);
        let pad =
            if self.pad { format!(",pad={}:{}:-1:-1:black", self.width, self.height) } else { String::new() };
        format!("scale={width}:{height}:flags=area,setsar=1{pad}")
    }
}

impl Media {
    /// Writes the frame at `at` (none: 1 s, or half the video when that is sooner; half the video when it ends
    /// before that) as JPEG and gives its size in pixels.
    ///
    /// # Errors
    /// About the input when the file is no video or has no frame that can be decoded.
    pub async fn frame(
        &self,
        video: impl AsRef<Path>,
        at: Option<Duration>,
        fit: Fit,
        out: impl AsRef<Path>,
    ) -> Result<(u32, u32), MediaError> {
        let probe = self.probe(video.as_ref()).await?;
        self.frame_of(video.as_ref(), probe.require_video()?, at, fit, out.as_ref()).await
    }

    async fn frame_of(
        &self,
        video: &Path,
        stream: &VideoStream,
        at: Option<Duration>,
        fit: Fit,
        out: &Path,
    ) -> Result<(u32, u32), MediaError> {
        let at = time_of(at, stream.duration_us).min(last_frame(stream));
        // A video of one frame has none at its half.
        for at in [at, Duration::ZERO] {
            self.run(Tool::Ffmpeg, "drawing a frame")
                .args(["-ss", &format!("{:.3}", at.as_secs_f64())])
                .input(video)?
                .args(["-map", "0:v:0", "-vf", &fit.filter(stream.shown_size())])
                .args(ONE_JPEG)
                .output(out)?
                .go()
                .await?;
            if tokio::fs::try_exists(out).await.unwrap_or(false) {
                return check_picture(out, fit.size_for(stream.shown_size()));
            }
        }
        Err(MediaError::not_media("none of its frames can be decoded"))
    }

    /// The poster: 640 x 360 with black bars where needed.
    ///
    /// # Errors
    /// As [`Media::frame`].
    pub async fn poster(&self, video: impl AsRef<Path>, out: impl AsRef<Path>) -> Result<(), MediaError> {
        self.frame(video, None, Fit::POSTER, out).await.map(|_| ())
    }

    /// Sees to the poster that a run drew beside a video: a video with too few frames has none yet.
    pub(crate) async fn finish_poster(
        &self,
        video: &Path,
        probe: &Probe,
        poster: Option<&Path>,
    ) -> Result<(), MediaError> {
        let Some(poster) = poster else { return Ok(()) };
        let stream = probe.require_video()?;
        if tokio::fs::try_exists(poster).await.unwrap_or(false) {
            return check_picture(poster, Fit::POSTER.size_for(stream.shown_size())).map(|_| ());
        }
        self.frame_of(video, stream, None, Fit::POSTER, poster).await.map(|_| ())
    }
}

/// Lets a run that copies the video of its first input draw the poster too: the frames before it are decoded, and
/// no other program is started for it.
pub(crate) fn with_poster<'m>(
    run: Run<'m>,
    poster: Option<&Path>,
    duration_us: u64,
    shown: (u32, u32),
) -> Result<Run<'m>, MediaError> {
    let Some(poster) = poster else { return Ok(run) };
    let at = time_of(None, duration_us).as_secs_f64();
    let filter = format!("setpts=PTS-STARTPTS,trim=start={at:.3},{}", Fit::POSTER.filter(shown));
    run.args(["-map", "0:v:0", "-vf", &filter]).args(ONE_JPEG).output(poster)
}

/// How one frame is written.
const ONE_JPEG: [&str; 10] =
    ["-frames:v", "1", "-pix_fmt", "yuvj420p", "-q:v", "3", "-f", "image2", "-update", "1"];

/// When the frame is taken: at the wanted time, or half the video when it ends before that. Without a wish at 1 s,
/// or half the video when that is sooner.
fn time_of(wanted: Option<Duration>, duration_us: u64) -> Duration {
    let half = Duration::from_micros(duration_us / 2);
    match wanted {
        None => Duration::from_secs(1).min(half),
        Some(at) if at < Duration::from_micros(duration_us) => at,
        Some(_) => half,
    }
}

/// When the last frame is certainly still to come.
fn last_frame(stream: &VideoStream) -> Duration {
    let frame = (1_000_000.0 / stream.fps.as_f64()) as u64;
    // Times are told to ffmpeg in milliseconds.
    Duration::from_micros(stream.duration_us.saturating_sub(frame).saturating_sub(1_000))
}

/// A written picture must be there, whole enough to have a size, and of the right one.
pub(crate) fn check_picture(path: &Path, wanted: (u32, u32)) -> Result<(u32, u32), MediaError> {
    let wrong = |detail: String| MediaError::WrongResult { doing: "drawing a picture", detail };
    let found = imagesize::size(path).map_err(|error| wrong(error.to_string()))?;
    if (found.width, found.height) == (wanted.0 as usize, wanted.1 as usize) {
        Ok(wanted)
    } else {
        Err(wrong(format!(
            "it has {} x {} pixels, wanted {} x {}",
            found.width, found.height, wanted.0, wanted.1
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::wide_is_padded(Fit::POSTER, (1920, 800), (640, 267), (640, 360))]
    #[case::small_is_enlarged_when_padded(Fit::POSTER, (16, 9), (640, 360), (640, 360))]
    #[case::small_stays_small_without_padding(Fit::IMAGE_THUMBNAIL, (1, 1), (1, 1), (1, 1))]
    #[case::portrait(Fit::IMAGE_THUMBNAIL, (3000, 4000), (320, 427), (320, 427))]
    #[case::a_strip_keeps_a_pixel(Fit::IMAGE_THUMBNAIL, (100_000, 1), (320, 1), (320, 1))]
    #[case::fits_both_sides(Fit::ASSET_THUMBNAIL, (1080, 1920), (135, 240), (135, 240))]
    fn a_picture_is_fitted(
        #[case] fit: Fit,
        #[case] picture: (u32, u32),
        #[case] scaled: (u32, u32),
        #[case] result: (u32, u32),
    ) {
        assert_eq!((fit.scaled(picture), fit.size_for(picture)), (scaled, result));
    }
}
