//! Reads a frame: decoded, turned the right way up and brought to a size that the camera can work on.

use std::io::Cursor;

use bytes::Bytes;
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};

use super::ffmpeg::{Ffmpeg, input, words};
use super::{MediaError, MediaStore};

/// The least that a frame may measure on its short side.
const MIN_SIDE: u32 = 32;
/// Larger photos are decoded in a child process, so that their pixels never lie in this one.
const MAX_PIXELS_HERE: u64 = 8_000_000;

/// What the head of a photo says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    width: u32,
    height: u32,
    orientation: Orientation,
}

impl Head {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, MediaError> {
        let mut decoder = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|e| unreadable(&e))?
            .into_decoder()
            .map_err(|e| unreadable(&e))?;
        let (width, height) = decoder.dimensions();
        if width.min(height) < MIN_SIDE {
            return Err(MediaError::new(format!(
                "The input image is too small: {width}x{height}, at least {MIN_SIDE}x{MIN_SIDE} is needed"
            )));
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(Self { width, height, orientation })
    }

    /// Width and height as somebody looking at it sees them.
    pub(crate) fn seen(&self) -> (u32, u32) {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        match self.orientation {
            Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => (self.height, self.width),
            _ => (self.width, self.height),
        }
    }

    /// The stored size that covers `cover` (as seen) with some room for the camera; never larger than the photo.
    fn reduced(&self, cover: (u32, u32)) -> (u32, u32) {
        let (width, height) = self.seen();
        let needed = (f64::from(cover.0) / f64::from(width)).max(f64::from(cover.1) / f64::from(height));
        let factor = (needed * 1.3).min(1.0);
        let side = |length: u32| ((f64::from(length) * factor).round() as u32).max(2);
        (side(self.width), side(self.height))
    }
}

/// Decodes a photo so that it covers `cover` pixels and a little more, if it has them.
pub(crate) async fn load(
    ffmpeg: &Ffmpeg,
    store: &MediaStore,
    bytes: Bytes,
    cover: (u32, u32),
) -> Result<Image<'static>, MediaError> {
    let head = Head::read(&bytes)?;
    let size = head.reduced(cover);
    let stored = if u64::from(head.width) * u64::from(head.height) > MAX_PIXELS_HERE {
        decode_outside(ffmpeg, store, &bytes, size).await?
    } else {
        tokio::task::spawn_blocking(move || decode_here(&bytes, size))
            .await
            .map_err(|e| MediaError::new(e.to_string()))??
    };
    let mut upright = DynamicImage::ImageRgb8(stored);
    upright.apply_orientation(head.orientation);
    view(upright.into_rgb8())
}

fn decode_here(bytes: &[u8], size: (u32, u32)) -> Result<RgbImage, MediaError> {
    let decoded = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| unreadable(&e))?
        .decode()
        .map_err(|e| unreadable(&e))?
        .into_rgb8();
    if decoded.dimensions() == size {
        return Ok(decoded);
    }
    let source = view(decoded)?;
    let mut target = Image::new(size.0, size.1, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new().resize(&source, &mut target, &options).map_err(|e| MediaError::new(e.to_string()))?;
    pixels(target.into_vec(), size)
}

async fn decode_outside(
    ffmpeg: &Ffmpeg,
    store: &MediaStore,
    bytes: &[u8],
    size: (u32, u32),
) -> Result<RgbImage, MediaError> {
    let path = store.scratch("photo");
    tokio::fs::write(&path, bytes).await.map_err(|e| MediaError::new(e.to_string()))?;
    let mut arguments = words("-noautorotate -i");
    arguments.push(path.to_string_lossy().into_owned());
    arguments.extend(words(&format!(
        "-frames:v 1 -vf scale={}:{} -f rawvideo -pix_fmt rgb24 pipe:1",
        size.0, size.1
    )));
    let read = ffmpeg.run(&arguments, input(None)).await;
    let _ = tokio::fs::remove_file(&path).await;
    pixels(read?, size)
}

fn pixels(bytes: Vec<u8>, size: (u32, u32)) -> Result<RgbImage, MediaError> {
    RgbImage::from_raw(size.0, size.1, bytes)
        .ok_or_else(|| MediaError::new("The input image could not be read to its end"))
}

fn view(image: RgbImage) -> Result<Image<'static>, MediaError> {
    let (width, height) = image.dimensions();
    Image::from_vec_u8(width, height, image.into_raw(), PixelType::U8x3)
        .map_err(|e| MediaError::new(e.to_string()))
}

fn unreadable(error: &dyn std::fmt::Display) -> MediaError {
    MediaError::new(format!("The input image could not be read: {error}"))
}
