//! What the stitch service can be told.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of the stitch service. Nothing here is read from the environment by the service itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name (looked up on PATH) or path of ffmpeg.
    pub ffmpeg: PathBuf,
    /// Name (looked up on PATH) or path of ffprobe.
    pub ffprobe: PathBuf,
    /// Threads of each run of ffmpeg; none: its share of the processors that this process may use.
    pub threads: Option<NonZeroUsize>,
    /// Products that this process makes at one time.
    pub at_once: usize,
    /// Name of this process, unique among the living ones on its database. One that keeps its name over a restart
    /// takes up at once what it left.
    pub owner: String,
    /// How long others wait after a sign of life of whoever makes a product.
    pub lease: Duration,
    /// The waits after each failure that is not the input's fault; after the last one the product fails.
    pub retry_after: Vec<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            threads: None,
            at_once: 2,
            owner: "stitch".to_owned(),
            lease: Duration::from_secs(30),
            retry_after: vec![Duration::from_secs(5), Duration::from_secs(30)],
        }
    }
}
