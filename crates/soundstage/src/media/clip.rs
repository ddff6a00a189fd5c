//! Draws a clip frame by frame and lets ffmpeg encode it while it is drawn.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use tokio::sync::mpsc;

use super::camera::{self, Move, Window};
use super::ffmpeg::words;
use super::{Ffmpeg, MediaError, MediaStore, photo};
use crate::models::{ClipJob, Shape};

/// Frames per second, as the real models deliver.
const RATE: u32 = 24;

/// A clip that is to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct ClipPlan {
    first: Bytes,
    last: Option<Bytes>,
    size: (u32, u32),
    seconds: u32,
    motion: u64,
    sound: bool,
    draft: bool,
}

impl ClipPlan {
    /// Reads the heads of the frames and settles the size. `motion` picks the camera move.
    pub(crate) fn new(
        job: &ClipJob,
        first: Bytes,
        last: Option<Bytes>,
        motion: u64,
        draft: bool,
    ) -> Result<Self, MediaError> {
        let seen = photo::Head::read(&first)?.seen();
        if let Some(last) = &last {
            photo::Head::read(last)?;
        }
        let last = last.filter(|last| *last != first);
        let size = size_of(job, seen, draft);
        Ok(Self { first, last, size, seconds: job.seconds, motion, sound: job.sound, draft })
    }

    /// Names the clip by everything that shapes it.
    pub(crate) fn digest(&self, extra: &str) -> String {
        let shape = format!("{:?} {} {} {} {}", self.size, self.seconds, self.motion, self.sound, self.draft);
        super::digest(&[
            &self.first,
            self.last.as_deref().unwrap_or_default(),
            shape.as_bytes(),
            extra.as_bytes(),
        ])
    }

    fn frames(&self) -> u32 {
        self.seconds * RATE
    }
}

fn size_of(job: &ClipJob, seen: (u32, u32), draft: bool) -> (u32, u32) {
    let (short, long) = match (draft, job.short_side) {
        (true, _) => (180, 320),
        (false, 512) => (512, 910),
        (false, 768) => (768, 1366),
        (false, side) => (side, side * 16 / 9),
    };
    let upright = match job.shape {
        Shape::Portrait => true,
        Shape::Landscape => false,
        Shape::LikeFirstFrame => seen.1 > seen.0,
    };
    if upright { (short, long) } else { (long, short) }
}

/// Makes the clip at `path`: H.264, 24 frames a second, exactly as long as planned.
pub(crate) async fn make_clip(
    ffmpeg: &Ffmpeg,
    store: &MediaStore,
    plan: &ClipPlan,
    path: &Path,
) -> Result<(), MediaError> {
    let _turn = ffmpeg.turn().await?;
    let first = photo::load(ffmpeg, store, plan.first.clone(), plan.size).await?;
    let last = match &plan.last {
        Some(last) => Some(photo::load(ffmpeg, store, last.clone(), plan.size).await?),
        None => None,
    };
    let (sender, receiver) = mpsc::channel(3);
    let drawer = Drawer::new(Arc::new(first), last.map(Arc::new), plan);
    // Ends by itself once nobody takes its frames.
    let drawing = tokio::task::spawn_blocking(move || drawer.draw_all(&sender));
    ffmpeg.run(&arguments(plan, path), receiver).await?;
    drawing.await.map_err(|e| MediaError::new(e.to_string()))?
}

fn arguments(plan: &ClipPlan, path: &Path) -> Vec<String> {
    let (width, height) = plan.size;
    let mut all = words(&format!("-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {RATE} -i pipe:0"));
    if plan.sound {
        all.extend(words("-f lavfi -i anoisesrc=color=brown:amplitude=0.015:sample_rate=44100"));
        all.extend(words(&format!("-map 0:v -map 1:a -t {} -c:a aac -b:a 96k -ac 2", plan.seconds)));
    }
    let (preset, quality) = if plan.draft { ("ultrafast", 28) } else { ("veryfast", 19) };
    all.extend(words(&format!("-c:v libx264 -preset {preset} -crf {quality} -threads 2 -pix_fmt yuv420p")));
    all.extend(words(&format!(
        "-frames:v {} -video_track_timescale 12288 -movflags +faststart",
        plan.frames()
    )));
    all.push(path.to_string_lossy().into_owned());
    all
}

/// Turns two photos into frames.
struct Drawer {
    first: Arc<Image<'static>>,
    last: Option<Arc<Image<'static>>>,
    path: Move,
    size: (u32, u32),
    frames: u32,
    options: ResizeOptions,
    resizer: Resizer,
}

impl Drawer {
    fn new(first: Arc<Image<'static>>, last: Option<Arc<Image<'static>>>, plan: &ClipPlan) -> Self {
        let filter = if plan.draft { FilterType::Bilinear } else { FilterType::CatmullRom };
        Self {
            first,
            last,
            path: Move::numbered(plan.motion),
            size: plan.size,
            frames: plan.frames(),
            options: ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false),
            resizer: Resizer::new(),
        }
    }

    fn draw_all(mut self, frames: &mpsc::Sender<Vec<u8>>) -> Result<(), MediaError> {
        for number in 0..self.frames {
            let t = f64::from(number) / f64::from(self.frames.max(2) - 1);
            let frame = self.draw(t)?;
            if frames.blocking_send(frame).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn draw(&mut self, t: f64) -> Result<Vec<u8>, MediaError> {
        let aspect = f64::from(self.size.0) / f64::from(self.size.1);
        let leaving = self.path.leaving(t, measure(&self.first), aspect);
        let first = self.first.clone();
        let Some(last) = self.last.clone() else { return self.look(&first, leaving) };
        let blend = camera::blend(t);
        let arriving = self.path.arriving(t, measure(&last), aspect);
        if blend <= 0.0 {
            return self.look(&first, leaving);
        }
        let mut frame = self.look(&last, arriving)?;
        if blend < 1.0 {
            let under = self.look(&first, leaving)?;
            dissolve(&mut frame, &under, blend);
        }
        Ok(frame)
    }

    fn look(&mut self, photo: &Image<'static>, seen: Window) -> Result<Vec<u8>, MediaError> {
        let mut target = Image::new(self.size.0, self.size.1, PixelType::U8x3);
        let options = self.options.crop(seen.left, seen.top, seen.width, seen.height);
        self.resizer
            .resize(photo, &mut target, &options)
            .map_err(|e| MediaError::new(format!("drawing a frame: {e}")))?;
        Ok(target.into_vec())
    }
}

fn measure(photo: &Image<'_>) -> (f64, f64) {
    (f64::from(photo.width()), f64::from(photo.height()))
}

/// Lays `blend` parts of `over` on `under`.
fn dissolve(over: &mut [u8], under: &[u8], blend: f64) {
    let weight = (blend * 256.0).round() as u32;
    for (o, u) in over.iter_mut().zip(under) {
        *o = ((u32::from(*o) * weight + u32::from(*u) * (256 - weight)) >> 8) as u8;
    }
}
