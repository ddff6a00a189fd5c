//! A text over a video: what it says, how it looks, and when it is there.

use serde::{Deserialize, Serialize};

/// The places that have a name.
pub const POSITIONS: [&str; 7] =
    ["top_left", "top_center", "top_right", "center", "bottom_left", "bottom_center", "bottom_right"];
/// The smallest and the largest letters, in pixels of the video.
pub const SIZES: std::ops::RangeInclusive<i64> = 8..=400;
/// The longest fade, in seconds.
pub const LONGEST_FADE: f64 = 30.0;

/// The colours that have a name, as far as they may be named.
pub const COLORS: [&str; 14] = [
    "black", "white", "gray", "grey", "silver", "red", "green", "lime", "blue", "navy", "yellow", "gold",
    "orange", "purple",
];

/// Whether it names a colour: one of [`COLORS`], or `#rrggbb`.
#[must_use]
pub fn is_color(text: &str) -> bool {
    let is_hex = |digits: &str| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    COLORS.contains(&text) || text.strip_prefix('#').is_some_and(is_hex)
}

/// A text over a video. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// What it says.
    pub text: String,
    /// Name of the font.
    pub font: String,
    /// Height of the letters in pixels.
    pub font_size: u32,
    /// One of the named colours, or `#rrggbb`.
    pub color: String,
    /// One of the named places.
    pub position: String,
    /// How long it fades in.
    pub fade_in_ms: u64,
    /// How long it fades out.
    pub fade_out_ms: u64,
}
