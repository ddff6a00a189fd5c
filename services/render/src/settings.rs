//! Typed settings; whoever builds the service reads the environment.

use std::{num::NonZeroUsize, path::PathBuf};

use predictions::{Account, Policy, ReplicateConfig};

/// How the render service works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where clips are bought, and how the provider reaches us.
    pub replicate: ReplicateConfig,
    /// Limits of the account for video: 10 predictions at once over all jobs and replicas.
    pub account: Account,
    /// How patient an order is.
    pub policy: Policy,
    /// Name of this process among those that work on the same database, unlike that of any other that lives. One
    /// that is the same after a restart need not wait for its own lease to run out.
    pub owner: String,
    /// Name (looked up on PATH) or path of ffmpeg.
    pub ffmpeg: PathBuf,
    /// Name (looked up on PATH) or path of ffprobe.
    pub ffprobe: PathBuf,
    /// Threads of each run of ffmpeg; none: its share of the processors that this process may use.
    pub threads: Option<NonZeroUsize>,
}

impl Settings {
    /// The usual settings with this provider.
    #[must_use]
    pub fn new(replicate: ReplicateConfig) -> Self {
        Self {
            replicate,
            account: Account::default(),
            policy: Policy::default(),
            owner: "render".to_owned(),
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            threads: None,
        }
    }
}
