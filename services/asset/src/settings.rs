//! What the asset service can be told.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

/// Settings of the asset service. Nothing here is read from the environment by the service itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name (looked up on PATH) or path of ffmpeg.
    pub ffmpeg: PathBuf,
    /// Name (looked up on PATH) or path of ffprobe.
    pub ffprobe: PathBuf,
    /// Threads of each run of ffmpeg; none: its share of the processors that this process may use.
    pub threads: Option<NonZeroUsize>,
    /// How URLs are imported.
    pub import: ImportSettings,
}

/// How URLs are imported.
#[derive(Clone, Debug)]
pub struct ImportSettings {
    /// Bytes of the largest file.
    pub max_bytes: u64,
    /// All the time one import may take, repeated tries included.
    pub deadline: Duration,
    /// The longest wait for a connection, and for the next bytes.
    pub patience: Duration,
    /// Redirects that are followed.
    pub max_redirects: usize,
    /// Tries after the first one when a server is away or busy.
    pub retries: usize,
    /// The wait before the first of them; it doubles.
    pub retry_delay: Duration,
    /// Imports at one time.
    pub at_once: usize,
    /// Whether addresses of this machine may be fetched, for tests and for a service next door. Every other
    /// address that is not public is refused always.
    pub allow_loopback: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            threads: None,
            import: ImportSettings::default(),
        }
    }
}

impl Default for ImportSettings {
    fn default() -> Self {
        Self {
            max_bytes: 1024 * 1024 * 1024,
            deadline: Duration::from_secs(120),
            patience: Duration::from_secs(20),
            max_redirects: 10,
            retries: 3,
            retry_delay: Duration::from_secs(1),
            at_once: 8,
            allow_loopback: false,
        }
    }
}
