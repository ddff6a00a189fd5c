//! Which assets can be a frame of a scene.

use crate::refusal::Violation;
use crate::scene::Frame;
use crate::{AssetId, BlobRef};
use serde::{Deserialize, Serialize};

/// The shortest side that a frame may have, in pixels. Smaller images are kept as assets and show nothing.
pub const MIN_FRAME_SIDE: u32 = 16;

/// What an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// A still image.
    Image,
    /// A video.
    Video,
    /// A sound file.
    Audio,
}

/// An asset of the campaign, as much of it as planning needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanAsset {
    /// The asset.
    pub id: AssetId,
    /// What it is.
    pub kind: AssetKind,
    /// Its name, possibly the name of the file.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Width in pixels, 0 if unknown.
    pub width: u32,
    /// Height in pixels, 0 if unknown.
    pub height: u32,
    /// Its bytes.
    pub blob: BlobRef,
}

impl PlanAsset {
    /// The asset as a frame.
    #[must_use]
    pub fn frame(&self) -> Frame {
        Frame { asset_id: self.id.clone(), blob: self.blob.clone(), width: self.width, height: self.height }
    }

    /// The name of the group of photos that the asset belongs to: its first tag, else its name without the file's
    /// extension; a number at the end is left out ("Kitchen 10.jpg" is of "Kitchen").
    #[must_use]
    pub fn group(&self) -> String {
        let tag = self.tags.iter().map(|tag| tag.trim()).find(|tag| !tag.is_empty());
        let stem = self.name.rsplit_once('.').map_or(self.name.as_str(), |(stem, _)| stem);
        let name = tag.unwrap_or(stem).trim();
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let bare = bare.trim_end_matches([' ', '-', '_']);
        if bare.is_empty() { "Uncategorized".to_owned() } else { bare.to_owned() }
    }

    /// Every word by which the asset can be found, in the spelling of [`normal`].
    pub(crate) fn terms(&self) -> impl Iterator<Item = String> {
        let group = self.group();
        self.tags.iter().map(|tag| normal(tag)).chain([normal(&group), normal(&self.name)])
    }
}

/// A type, tag or name in one spelling: lower case, words joined by underscores.
#[must_use]
pub fn normal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_lowercase()
}

/// Checks that an image can be a frame.
pub fn check_frame(field: &str, frame: &Frame) -> Option<Violation> {
    if !frame.blob.content_type.starts_with("image/") {
        return Some(Violation::new(field, format!("asset {} is not an image", frame.asset_id)));
    }
    let known = frame.width > 0 && frame.height > 0;
    if known && frame.width.min(frame.height) < MIN_FRAME_SIDE {
        return Some(Violation::new(
            field,
            format!(
                "asset {} has {}x{} pixels; a frame needs at least {MIN_FRAME_SIDE} on each side",
                frame.asset_id, frame.width, frame.height
            ),
        ));
    }
    None
}

/// The assets that can be frames, in the order given.
#[must_use]
pub fn usable_frames(assets: &[PlanAsset]) -> Vec<&PlanAsset> {
    let usable =
        |asset: &&PlanAsset| asset.kind == AssetKind::Image && check_frame("asset", &asset.frame()).is_none();
    assets.iter().filter(usable).collect()
}
