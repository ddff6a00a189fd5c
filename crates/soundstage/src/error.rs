//! Why a stage could not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why [`crate::start`] refused.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The directory could not be created, read or written.
    #[error("soundstage directory {path}: {source}")]
    Directory {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another stage runs in the same directory.
    #[error("soundstage directory {0} is in use by another process; stop it or choose another directory")]
    InUse(PathBuf),
    /// The port of this directory is taken by somebody else.
    #[error(
        "soundstage cannot listen on {addr}: {source}; the port is kept in the stage's directory, free it or delete the file `port` there"
    )]
    Listen {
        /// The wanted address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The ledger could not be opened or read.
    #[error("soundstage ledger: {0}")]
    Ledger(#[from] rusqlite::Error),
    /// `ffmpeg` is missing or does not run.
    #[error("soundstage needs ffmpeg on the PATH to make clips and music: {0}")]
    Ffmpeg(String),
    /// The HTTP client could not be built.
    #[error("soundstage HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// An option makes no sense.
    #[error("soundstage option `{name}`: {problem}")]
    Option {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}
