//! Makes clips and music, and keeps them.

mod camera;
mod clip;
mod ffmpeg;
mod photo;
mod song;
mod speech;
mod store;
mod synth;
mod track;

pub(crate) use clip::{ClipPlan, make_clip};
pub(crate) use ffmpeg::Ffmpeg;
pub(crate) use speech::speak_mp3;
pub(crate) use store::MediaStore;
pub(crate) use track::{TrackPlan, compose_mp3, make_track};

/// Why a medium could not be made, in words for the prediction's `error`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct MediaError(pub(crate) String);

impl MediaError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The SHA-256 of some parts, in hex; the parts are told apart.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// A number from a text, for everything that is chosen by prompt and seed.
pub(crate) fn number(seed: u64, text: &str) -> u64 {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(text.as_bytes());
    let bytes: [u8; 32] = hash.finalize().into();
    u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
}
