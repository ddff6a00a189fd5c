//! Real pictures, made of the demo's photos.

use std::{fs, io::Cursor, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use image::{DynamicImage, ImageFormat};

use crate::numbered;

/// A kind of picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Jpeg,
    Png,
    Webp,
}

impl Format {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}

/// A picture: its bytes, and its size in pixels.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// The pictures that all others are made of.
pub(crate) struct Pictures {
    photos: Vec<Picture>,
    pngs: Vec<Picture>,
    webps: Vec<Picture>,
    thumbnails: Vec<Picture>,
    /// As `thumbnails`, large enough to be a frame of a video.
    stills: Vec<Picture>,
}

/// How many photos are encoded again: each costs some ten milliseconds in a development build.
const ENCODED: usize = 3;

impl Pictures {
    /// Reads the demo's photos.
    pub(crate) fn read() -> Result<Self> {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../demo/photos"));
        let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jpg"));
        paths.sort();
        ensure!(paths.len() >= ENCODED, "there are no photos in {}", folder.display());
        let mut all = Self {
            photos: Vec::new(),
            pngs: Vec::new(),
            webps: Vec::new(),
            thumbnails: Vec::new(),
            stills: Vec::new(),
        };
        for (n, path) in paths.iter().enumerate() {
            let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            let read = || image::ImageReader::with_format(Cursor::new(&bytes), ImageFormat::Jpeg);
            if n < ENCODED {
                all.encode(&read().decode().with_context(|| format!("reading {}", path.display()))?)?;
            }
            let (width, height) = read().into_dimensions()?;
            all.photos.push(Picture { format: Format::Jpeg, bytes, width, height });
        }
        Ok(all)
    }

    fn encode(&mut self, photo: &DynamicImage) -> Result<()> {
        let photo = DynamicImage::from(photo.thumbnail(320, 320).into_rgb8());
        self.stills.push(encoded(&photo, Format::Jpeg)?);
        self.thumbnails.push(encoded(&photo.thumbnail(128, 128), Format::Jpeg)?);
        self.pngs.push(encoded(&photo.thumbnail(256, 256), Format::Png)?);
        self.webps.push(encoded(&photo.thumbnail(240, 240), Format::Webp)?);
        Ok(())
    }

    /// The picture of a number: another number, other bytes. It has `size` bytes (one less if that is odd and
    /// it is a WebP), or a few more than its photo if that is more.
    pub(crate) fn picture(&self, format: Format, number: u64, size: usize) -> Picture {
        let base = pick(
            match format {
                Format::Jpeg => &self.photos,
                Format::Png => &self.pngs,
                Format::Webp => &self.webps,
            },
            number,
        );
        let bytes = match format {
            Format::Jpeg => numbered::jpeg(&base.bytes, number, size),
            Format::Png => numbered::png(&base.bytes, number, size),
            Format::Webp => numbered::webp(&base.bytes, base.width, base.height, number, size),
        };
        Picture { format, bytes, width: base.width, height: base.height }
    }

    /// A JPEG of at most 128 pixels.
    pub(crate) fn thumbnail(&self, number: u64) -> Picture {
        let base = pick(&self.thumbnails, number);
        Picture { bytes: numbered::jpeg(&base.bytes, number, 0), ..base.clone() }
    }

    /// A JPEG that is a frame of a video, or a still of it.
    pub(crate) fn still(&self, number: u64) -> Picture {
        let base = pick(&self.stills, number);
        Picture { bytes: numbered::jpeg(&base.bytes, number, 0), ..base.clone() }
    }
}

fn pick(bases: &[Picture], number: u64) -> &Picture {
    &bases[usize::try_from(number).unwrap_or(0) % bases.len()]
}

fn encoded(photo: &DynamicImage, format: Format) -> Result<Picture> {
    let mut bytes = Cursor::new(Vec::new());
    photo.write_to(
        &mut bytes,
        match format {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
            Format::Webp => ImageFormat::WebP,
        },
    )?;
    Ok(Picture { format, bytes: bytes.into_inner(), width: photo.width(), height: photo.height() })
}
