//! Images: what one is, its thumbnail, and whether it can be a frame.
//!
//! The size is read from the header, so that no decoder ever sees an image that is too large. Decoding is
//! done by ffmpeg, a child process with a limit on its memory, one image at a time.

use std::path::Path;

use serde::Deserialize;

use crate::frame::{Fit, check_picture};
use crate::run::{Run, Tool, last_lines};
use crate::{Family, FileType, Media, MediaError, sniff};

/// Pixels that each side of an image needs to be the first or last frame of a clip.
pub const MIN_FRAME_SIDE: u32 = 64;
/// The longest side of an image prepared as a frame: more than any model renders.
const MAX_FRAME_SIDE: u32 = 2048;

/// What an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// The type that its bytes have.
    pub file_type: FileType,
    /// Pixels a row, as shown.
    pub width: u32,
    /// Rows, as shown.
    pub height: u32,
    turn: Turn,
}

impl ImageInfo {
    /// Whether it can be the first or last frame of a clip.
    ///
    /// # Errors
    /// [`MediaError::Unsupported`] with its size when a side is below [`MIN_FRAME_SIDE`].
    pub fn require_frame(&self) -> Result<(), MediaError> {
        if self.width.min(self.height) >= MIN_FRAME_SIDE {
            return Ok(());
        }
        Err(MediaError::unsupported(format!(
            "an image of {} x {} pixels is too small for a frame; each side needs at least {MIN_FRAME_SIDE}",
            self.width, self.height
        )))
    }
}

/// How the stored picture has to be turned to be upright; the numbers are EXIF's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    As1,
    As2,
    As3,
    As4,
    As5,
    As6,
    As7,
    As8,
}

impl Turn {
    fn filter(self) -> &'static str {
        match self {
            Self::As1 => "",
            Self::As2 => "hflip,",
            Self::As3 => "hflip,vflip,",
            Self::As4 => "vflip,",
            Self::As5 => "transpose=cclock_flip,",
            Self::As6 => "transpose=clock,",
            Self::As7 => "transpose=clock_flip,",
            Self::As8 => "transpose=cclock,",
        }
    }

    fn swaps_sides(self) -> bool {
        matches!(self, Self::As5 | Self::As6 | Self::As7 | Self::As8)
    }

    /// From ffprobe's dump of a 3 x 3 matrix, `00000000: a b u` and so on.
    fn of_matrix(dump: &str) -> Self {
        let cell = |line: &str, n: usize| line.split_whitespace().nth(n).and_then(|v| v.parse::<i64>().ok());
        let mut rows = dump.lines().filter(|line| !line.trim().is_empty());
        let mut row = || {
            let line = rows.next()?;
            Some((cell(line, 1)?.signum(), cell(line, 2)?.signum()))
        };
        match (row(), row()) {
            (Some((-1, 0)), Some((0, 1))) => Self::As2,
            (Some((-1, 0)), Some((0, -1))) => Self::As3,
            (Some((1, 0)), Some((0, -1))) => Self::As4,
            (Some((0, 1)), Some((1, 0))) => Self::As5,
            (Some((0, 1)), Some((-1, 0))) => Self::As6,
            (Some((0, -1)), Some((-1, 0))) => Self::As7,
            (Some((0, -1)), Some((1, 0))) => Self::As8,
            _ => Self::As1,
        }
    }
}

impl Media {
    /// Reads what an image is, by decoding it once: JPEG, PNG, WebP or GIF (its first picture).
    ///
    /// # Errors
    /// [`MediaError::NotMedia`] when it is no image, whatever it is called; [`MediaError::Truncated`];
    /// [`MediaError::TooManyPixels`]; [`MediaError::Unsupported`] for other kinds of images.
    pub async fn image(&self, path: impl AsRef<Path>) -> Result<ImageInfo, MediaError> {
        let path = path.as_ref();
        let file_type = image_type(path).await?;
        let (width, height) = self.header_size(path).await?;
        let output = self
            .image_run(Tool::Ffprobe, "decoding an image", file_type)?
            .args(["-show_frames", "-read_intervals", "%+#1", "-print_format", "json"])
            .input(path)?
            .go()
            .await
            .map_err(undecodable)?;
        let shown: Shown = serde_json::from_slice(&output.stdout)
            .map_err(|error| MediaError::not_media(format!("ffprobe's answer: {error}")))?;
        let Some(frame) = shown.frames.into_iter().next() else {
            return Err(broken(&output.stderr));
        };
        let matrix = frame.side_data_list.iter().find_map(|data| data.displaymatrix.as_deref());
        let turn = matrix.map(Turn::of_matrix).unwrap_or_default();
        let (width, height) = if turn.swaps_sides() { (height, width) } else { (width, height) };
        Ok(ImageInfo { file_type, width, height, turn })
    }

    /// Writes a thumbnail of an image as JPEG, upright, at most 320 pixels wide, and gives its size.
    ///
    /// # Errors
    /// As [`Media::image`].
    pub async fn image_thumbnail(
        &self,
        path: impl AsRef<Path>,
        out: impl AsRef<Path>,
    ) -> Result<(u32, u32), MediaError> {
        let info = self.image(path.as_ref()).await?;
        self.image_thumbnail_of(path, &info, out).await
    }

    /// The thumbnail of an image that [`Media::image`] was asked about.
    ///
    /// # Errors
    /// As [`Media::image`].
    pub async fn image_thumbnail_of(
        &self,
        path: impl AsRef<Path>,
        info: &ImageInfo,
        out: impl AsRef<Path>,
    ) -> Result<(u32, u32), MediaError> {
        self.image_fitted(path, info, Fit::IMAGE_THUMBNAIL, out).await
    }

    /// Writes an image that [`Media::image`] was asked about as JPEG, upright and fitted into a box; gives its
    /// size.
    ///
    /// # Errors
    /// As [`Media::image`].
    pub async fn image_fitted(
        &self,
        path: impl AsRef<Path>,
        info: &ImageInfo,
        fit: Fit,
        out: impl AsRef<Path>,
    ) -> Result<(u32, u32), MediaError> {
        self.draw(path.as_ref(), info, fit, out.as_ref()).await
    }

    /// Writes an image as a JPEG that can be the first or last frame of a clip: upright, without
    /// transparency or metadata, at most 2048 pixels a side; gives its size.
    ///
    /// # Errors
    /// As [`Media::image`], and [`MediaError::Unsupported`] when it is too small.
    pub async fn frame_image(
        &self,
        path: impl AsRef<Path>,
        out: impl AsRef<Path>,
    ) -> Result<(u32, u32), MediaError> {
        let info = self.image(path.as_ref()).await?;
        info.require_frame()?;
        let fit = Fit { width: MAX_FRAME_SIDE, height: MAX_FRAME_SIDE, pad: false };
        self.draw(path.as_ref(), &info, fit, out.as_ref()).await
    }

    /// Draws an image into a box as JPEG. What is transparent becomes white.
    async fn draw(
        &self,
        path: &Path,
        info: &ImageInfo,
        fit: Fit,
        out: &Path,
    ) -> Result<(u32, u32), MediaError> {
        let (width, height) = fit.size_for((info.width, info.height));
        let filter = format!(
            "[0:v]{}scale={width}:{height}:flags=area,setsar=1,format=rgba[picture];\
             color=white:size={width}x{height},format=rgba[paper];\
             [paper][picture]overlay=format=rgb:shortest=1,format=yuvj420p[out]",
            info.turn.filter()
        );
        self.image_run(Tool::Ffmpeg, "drawing an image", info.file_type)?
            .arg("-noautorotate")
            .input(path)?
            .args(["-filter_complex", &filter, "-map", "[out]", "-frames:v", "1", "-map_metadata", "-1"])
            .args(["-q:v", "3", "-f", "image2", "-update", "1"])
            .output(out)?
            .go()
            .await
            .map_err(undecodable)?;
        check_picture(out, (width, height))
    }

    /// A run that decodes an image: limited memory, and damage is an error, not a grey area.
    fn image_run(&self, tool: Tool, doing: &'static str, file_type: FileType) -> Result<Run<'_>, MediaError> {
        let demuxer = match file_type.content_type {
            "image/jpeg" => "jpeg_pipe",
            "image/png" => "png_pipe",
            "image/webp" => "webp_pipe",
            "image/gif" => "gif",
            other => {
                let detail = format!("{other} images are not supported; send JPEG, PNG, WebP or GIF");
                return Err(MediaError::unsupported(detail));
            }
        };
        let limits = self.limits();
        let run = self.run(tool, doing).threads(1).address_space(limits.image_address_space);
        let run = if tool == Tool::Ffmpeg { run.arg("-xerror") } else { run };
        Ok(run.args(["-err_detect", "explode", "-f", demuxer]))
    }

    /// Width and height as the header says, if there are not too many pixels.
    async fn header_size(&self, path: &Path) -> Result<(u32, u32), MediaError> {
        let file = path.to_owned();
        let read = tokio::task::spawn_blocking(move || imagesize::size(file)).await;
        let read = read.map_err(|lost| MediaError::not_media(lost.to_string()))?;
        let size = read.map_err(|error| MediaError::not_media(error.to_string()))?;
        let (width, height) = (size.width as u64, size.height as u64);
        let limit = self.limits().image_pixels;
        match (u32::try_from(width), u32::try_from(height), width.checked_mul(height)) {
            (Ok(w), Ok(h), Some(pixels)) if pixels > 0 && pixels <= limit => Ok((w, h)),
            (_, _, Some(0)) => Err(MediaError::not_media("the image has no pixels")),
            _ => Err(MediaError::TooManyPixels { width, height, limit: limit / 1_000_000 }),
        }
    }
}

async fn image_type(path: &Path) -> Result<FileType, MediaError> {
    match sniff(path).await.map_err(MediaError::io("reading the image"))? {
        Some(found) if found.family == Family::Image => Ok(found),
        Some(found) => Err(MediaError::not_media(format!("it is no image but {}", found.content_type))),
        None => Err(MediaError::not_media("it is no image of a known kind")),
    }
}

/// A decoder that gave up: damaged, cut off, or of a kind that it does not know.
fn undecodable(error: MediaError) -> MediaError {
    match error {
        MediaError::Failed { stderr, .. } => broken(&stderr),
        other => other,
    }
}

fn broken(stderr: &str) -> MediaError {
    // ffmpeg begins its lines with the decoder's name and an address.
    let said = last_lines(stderr);
    let said = said.rsplit("] ").next().unwrap_or_default();
    MediaError::Truncated { detail: format!("the image cannot be decoded to its end ({said})") }
}

#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    frames: Vec<ShownFrame>,
}

#[derive(Deserialize)]
struct ShownFrame {
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

#[derive(Deserialize)]
struct SideData {
    displaymatrix: Option<String>,
}
