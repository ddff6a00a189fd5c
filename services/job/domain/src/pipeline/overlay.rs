//! A text over a video: what it says, how it looks, and when it is there.

use crate::refusal::Violation;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

/// The places that have a name.
pub const POSITIONS: [&str; 7] =
    ["top_left", "top_center", "top_right", "center", "bottom_left", "bottom_center", "bottom_right"];
/// The longest text that the stitch service draws, in characters.
pub const LONGEST_TEXT: usize = 500;
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

impl Overlay {
    /// What is wrong with it.
    pub(super) fn check(&self) -> Vec<Violation> {
        let is_placed = POSITIONS.contains(&self.position.as_str());
        let is_sized = SIZES.contains(&i64::from(self.font_size));
        let longest = LONGEST_FADE * 1_000.0;
        let fades = [self.fade_in_ms, self.fade_out_ms].iter().all(|fade| *fade as f64 <= longest);
        let checks = [
            (is_told(&self.text) && !self.text.contains('\0'), "text", "can't be read"),
            (self.text.chars().count() <= LONGEST_TEXT, "text", "is too long"),
            (is_sized, "default_font_size", "is too small or too large"),
            (is_color(&self.color), "default_color", "is no colour"),
            (is_placed, "default_position", "is no place"),
            (fades, "fade_in_duration", "is too long"),
        ];
        let wrong = checks.iter().filter(|(is_right, ..)| !is_right);
        wrong.map(|(_, member, why)| Violation::new(format!("text_overlays.{member}"), *why)).collect()
    }
}

/// Whether there is anything to read in it.
pub(super) fn is_told(text: &str) -> bool {
    text.chars().any(|letter| !letter.is_whitespace() && !letter.is_control())
}

/// As much of a text as can be drawn, cut between what a person sees as characters.
pub(super) fn shortened(text: &str) -> String {
    let mut left = LONGEST_TEXT;
    let mut fits = |part: &&str| {
        let needed = part.chars().count();
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    };
    text.trim().graphemes(true).take_while(|part| fits(part)).collect()
}
