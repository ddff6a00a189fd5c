//! Typed settings; whoever builds the service reads the environment.

use std::num::NonZeroUsize;

use predictions::{Account, Policy, ReplicateConfig};

use crate::model::{MUSICGEN, MusicModel};
use crate::voice::ElevenLabsConfig;

/// How the audio service works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where music is bought.
    pub replicate: ReplicateConfig,
    /// Limits of the account for music: 2 predictions at once, apart from the renders' limit.
    pub account: Account,
    /// How patient an order is.
    pub policy: Policy,
    /// What is bought.
    pub model: MusicModel,
    /// Name of this process among those that work on the same database, unlike that of any other that lives. One
    /// that is the same after a restart need not wait for its own lease to run out.
    pub owner: String,
    /// Where speech is bought; none: scripts are not spoken here.
    pub voices: Option<ElevenLabsConfig>,
    /// Threads of each run of ffmpeg; none: its share of the processors that this process may use.
    pub threads: Option<NonZeroUsize>,
    /// Longest soundtrack that is made, milliseconds.
    pub longest_ms: u64,
}

impl Settings {
    /// The usual settings with this provider.
    #[must_use]
    pub fn new(replicate: ReplicateConfig) -> Self {
        Self {
            replicate,
            account: Account { max_in_flight: 2, ..Account::default() },
            policy: Policy::default(),
            model: MUSICGEN,
            owner: "audio".to_owned(),
            voices: None,
            threads: None,
            longest_ms: 10 * 60 * 1000,
        }
    }
}
