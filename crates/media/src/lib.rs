//! Everything that touches pixels and samples, done by ffprobe and ffmpeg in child processes.
//!
//! | module | what it does |
//! | --- | --- |
//! | `run`, `spawn` | one run of a tool: killed on timeout, on drop and when we die; stderr kept for the error |
//! | `threads` | how many threads a run may have |
//! | `probe`, `boxes` | what a file really holds, and whether all of it is there |
//! | `sniff` | the type of a file from its first bytes |
//! | `layout`, `concat` | clips to a silent cut: copied where they agree, the odd ones normalised |
//! | `audio`, `wav`, `loudness` | decoding, joining with crossfades, EBU R128 |
//! | `mix` | a soundtrack exactly as long as the video, and the video with it |
//! | `voice` | a voice over music |
//! | `overlay` | a text over a video |
//! | `frame`, `image` | posters, thumbnails, and what an image is |
//!
//! An exit code of 0 is not taken as proof: what a run made is probed before it is handed on. Files are
//! read and written by path and never held in memory. No call retries.

mod audio;
mod boxes;
mod concat;
mod error;
mod frame;
mod image;
mod layout;
mod loudness;
mod mix;
mod overlay;
mod probe;
mod run;
mod seen;
mod sniff;
mod spawn;
mod threads;
mod voice;
mod wav;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Semaphore;

pub use audio::{Ending, JoinPlan, Segment};
pub use error::MediaError;
pub use frame::Fit;
pub use image::{ImageInfo, MIN_FRAME_SIDE};
pub use mix::{SoundShape, Sync};
pub use overlay::{Font, Place, TextOverlay};
pub use probe::{AudioStream, Probe, Ratio, Source, VideoStream};
pub use sniff::{Family, FileType, sniff};

use run::{Run, Tool};

/// Where the tools are and how far they may go.
#[derive(Clone, Debug)]
pub struct MediaSettings {
    /// Name (looked up on PATH) or path of ffmpeg.
    pub ffmpeg: PathBuf,
    /// Name (looked up on PATH) or path of ffprobe.
    pub ffprobe: PathBuf,
    /// Where each run gets a directory of its own. Runs remove theirs; what a killed process leaves is
    /// for the owner of this directory to sweep (the object store's scratch directory is).
    pub scratch: PathBuf,
    /// How far a run may go.
    pub limits: Limits,
}

impl MediaSettings {
    /// The tools from PATH with the usual limits.
    #[must_use]
    pub fn new(scratch: impl Into<PathBuf>) -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            scratch: scratch.into(),
            limits: Limits::default(),
        }
    }
}

/// How far a run may go.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest run of ffmpeg.
    pub run_timeout: Duration,
    /// Longest run of ffprobe that reads headers only.
    pub probe_timeout: Duration,
    /// How many runs of ffmpeg go on at once; images have a place of their own.
    pub concurrent_runs: usize,
    /// Threads of a run, each of which takes memory; none: the processors that this process may use, shared among the
    /// concurrent runs. Images have one thread.
    pub threads: Option<NonZeroUsize>,
    /// Bytes that must be free on the scratch filesystem before a run starts.
    pub min_free_bytes: u64,
    /// Pixels of the largest image that is decoded.
    pub image_pixels: u64,
    /// Address space of the process that decodes an image, in bytes.
    pub image_address_space: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            run_timeout: Duration::from_secs(20 * 60),
            probe_timeout: Duration::from_secs(60),
            concurrent_runs: 2,
            threads: None,
            min_free_bytes: 200 * 1024 * 1024,
            image_pixels: 100_000_000,
            image_address_space: 3 * 1024 * 1024 * 1024,
        }
    }
}

/// The media tools; cheap to clone, clones share the limits on concurrency.
#[derive(Clone, Debug)]
pub struct Media {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: MediaSettings,
    /// Of each run.
    threads: usize,
    runs: Semaphore,
    images: Semaphore,
}

impl Media {
    /// Sets up the tools without starting any; see [`Media::check`].
    ///
    /// # Errors
    /// When the scratch directory cannot be made.
    pub fn new(mut settings: MediaSettings) -> Result<Self, MediaError> {
        for path in [&mut settings.ffmpeg, &mut settings.ffprobe] {
            // Runs have a working directory of their own; a bare name is looked up on PATH.
            if path.components().count() > 1 {
                *path = absolute(path)?;
            }
        }
        settings.scratch = absolute(&settings.scratch)?;
        let doing = format!("making the scratch directory {}", settings.scratch.display());
        std::fs::create_dir_all(&settings.scratch).map_err(MediaError::io(doing))?;
        let runs = Semaphore::new(settings.limits.concurrent_runs.max(1));
        let threads = threads::of_a_run(&settings.limits, threads::processors());
        Ok(Self { inner: Arc::new(Inner { settings, threads, runs, images: Semaphore::new(1) }) })
    }

    /// Starts both tools once and looks for the encoders and filters that are used.
    ///
    /// # Errors
    /// [`MediaError::MissingTool`] or [`MediaError::IncompleteTool`], both saying what to install.
    pub async fn check(&self) -> Result<(), MediaError> {
        self.run(Tool::Ffprobe, "showing its version").arg("-version").go().await?;
        let mut missing = Vec::new();
        for (kind, flag, names) in [
            ("encoder", "-encoders", &["libx264", "aac", "libmp3lame", "mjpeg"][..]),
            (
                "filter",
                "-filters",
                &[
                    "loudnorm",
                    "acrossfade",
                    "afade",
                    "scale",
                    "fps",
                    "drawtext",
                    "atempo",
                    "sidechaincompress",
                ][..],
            ),
        ] {
            let listed = self.run(Tool::Ffmpeg, "listing what it can do").arg(flag).go().await?;
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            let has = |name: &str| listed.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
            missing.extend(names.iter().filter(|name| !has(name)).map(|name| format!("{kind} {name}")));
        }
        if missing.is_empty() { Ok(()) } else { Err(MediaError::IncompleteTool { missing }) }
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.settings.limits
    }

    /// A directory for one piece of work, removed when dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn work_dir(&self) -> Result<TempDir, MediaError> {
        let scratch = &self.inner.settings.scratch;
        let made = tempfile::Builder::new().prefix("media-").tempdir_in(scratch);
        made.map_err(MediaError::io(format!("making a work directory in {}", scratch.display())))
    }

    fn run(&self, tool: Tool, doing: &'static str) -> Run<'_> {
        Run::new(self, tool, doing)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, MediaError> {
    std::path::absolute(path).map_err(MediaError::io(format!("finding {}", path.display())))
}
