//! What can go wrong with media, told so that a person can act on it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a file could not be probed, cut, mixed or drawn.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// ffmpeg or ffprobe cannot be started.
    #[error(
        "{tool} cannot be started (looked for {looked_for}): {source}. Install ffmpeg, which brings both \
         programs: `apt-get install ffmpeg` (Debian, Ubuntu), `dnf install ffmpeg` (Fedora), \
         `apk add ffmpeg` (Alpine), `brew install ffmpeg` (macOS); or name the path of {tool} in the settings"
    )]
    MissingTool {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// The name or path that was tried.
        looked_for: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// ffmpeg is there but was built without something that is needed.
    #[error("this ffmpeg lacks {}; install the distribution's full ffmpeg package", missing.join(", "))]
    IncompleteTool {
        /// Names such as `encoder libx264`.
        missing: Vec<String>,
    },
    /// The bytes are no video, sound or image that can be read.
    #[error("the file is not readable media: {detail}")]
    NotMedia {
        /// What is wrong with it.
        detail: String,
    },
    /// The file ends before its own structure says so.
    #[error("the file is cut off: {detail}")]
    Truncated {
        /// Where it ends, where it should.
        detail: String,
    },
    /// It is media, but not of a kind that can be used here.
    #[error("the file cannot be used: {detail}")]
    Unsupported {
        /// What is wrong with it.
        detail: String,
    },
    /// The image has more pixels than allowed.
    #[error("the image has {width} x {height} pixels; at most {limit} megapixels are accepted")]
    TooManyPixels {
        /// Pixels a row.
        width: u64,
        /// Rows.
        height: u64,
        /// Megapixels.
        limit: u64,
    },
    /// A run of ffmpeg or ffprobe failed.
    #[error("{tool} failed at {doing} ({status}): {stderr}")]
    Failed {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// What it was to do.
        doing: &'static str,
        /// How it ended.
        status: String,
        /// The last lines that it wrote to stderr.
        stderr: String,
    },
    /// A run took too long and was killed.
    #[error("{tool} was stopped at {doing}: it took longer than {} s", after.as_secs())]
    TimedOut {
        /// `ffmpeg` or `ffprobe`.
        tool: &'static str,
        /// What it was to do.
        doing: &'static str,
        /// The limit.
        after: Duration,
    },
    /// There is too little room on the disk to start.
    #[error("only {free} bytes are free in {}; {needed} are needed", dir.display())]
    NoSpace {
        /// Free bytes.
        free: u64,
        /// Needed bytes.
        needed: u64,
        /// The directory whose filesystem is full.
        dir: PathBuf,
    },
    /// A run said that all went well, but what it made is not right.
    #[error("{doing} gave a wrong result: {detail}")]
    WrongResult {
        /// What was made.
        doing: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A file or directory could not be used.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl MediaError {
    /// Whether the file itself is at fault, so that trying again with it cannot help.
    #[must_use]
    pub fn is_about_the_input(&self) -> bool {
        matches!(
            self,
            Self::NotMedia { .. }
                | Self::Truncated { .. }
                | Self::Unsupported { .. }
                | Self::TooManyPixels { .. }
        )
    }

    pub(crate) fn not_media(detail: impl Into<String>) -> Self {
        Self::NotMedia { detail: detail.into() }
    }

    pub(crate) fn unsupported(detail: impl Into<String>) -> Self {
        Self::Unsupported { detail: detail.into() }
    }

    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
