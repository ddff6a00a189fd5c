//! A text over a video as it is asked for: what it may be, and what the media tools make of it. Pure.

use std::time::Duration;

use media::{Font, Place, TextOverlay};
use serde::{Deserialize, Serialize};

/// The longest text, in characters.
const LONGEST_TEXT: usize = 500;
/// The smallest and the largest letters, pixels.
const SIZES: std::ops::RangeInclusive<u32> = 8..=400;
/// The longest fade, milliseconds.
const LONGEST_FADE_MS: u64 = 30_000;
/// The latest start and the longest time, milliseconds.
const LONGEST_MS: u64 = 3_600_000;
/// The largest side of a picture, pixels.
const LARGEST_PICTURE: u32 = 8192;
/// What holds when nobody says otherwise.
const USUAL_SIZE: u32 = 48;
const USUAL_FADE_MS: u64 = 500;
const USUAL_FONT: &str = "Arial";
const USUAL_COLOR: &str = "white";
const USUAL_POSITION: &str = "bottom_center";
/// The distance to the edges of a picture 720 high, pixels.
const MARGIN: u32 = 50;

const PLACES: [(&str, Place); 7] = [
    ("top_left", Place::TopLeft),
    ("top_center", Place::TopCenter),
    ("top_right", Place::TopRight),
    ("center", Place::Center),
    ("bottom_left", Place::BottomLeft),
    ("bottom_center", Place::BottomCenter),
    ("bottom_right", Place::BottomRight),
];

const COLORS: [(&str, [u8; 3]); 14] = [
    ("black", [0, 0, 0]),
    ("white", [255, 255, 255]),
    ("gray", [128, 128, 128]),
    ("grey", [128, 128, 128]),
    ("silver", [192, 192, 192]),
    ("red", [255, 0, 0]),
    ("green", [0, 128, 0]),
    ("lime", [0, 255, 0]),
    ("blue", [0, 0, 255]),
    ("navy", [0, 0, 128]),
    ("yellow", [255, 255, 0]),
    ("gold", [255, 215, 0]),
    ("orange", [255, 165, 0]),
    ("purple", [128, 0, 128]),
];

/// A text over a video. Times are in milliseconds of the video.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// What it says.
    pub text: String,
    /// Name of the font.
    pub font: String,
    /// Height of the letters in pixels.
    pub font_size: u32,
    /// Name of a colour, or `#rrggbb`.
    pub color: String,
    /// Name of a place.
    pub position: String,
    /// How long it fades in.
    pub fade_in_ms: u64,
    /// How long it fades out.
    pub fade_out_ms: u64,
    /// When it begins.
    pub start_ms: u64,
    /// How long it is there; none: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Where its upper left corner lies, in pixels; wins over `position`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<(u32, u32)>,
}

impl Overlay {
    /// With what is usual where nothing is said.
    #[must_use]
    pub fn filled(self, fade_in_ms: Option<u64>, fade_out_ms: Option<u64>) -> Self {
        let or = |text: String, usual: &str| if text.trim().is_empty() { usual.to_owned() } else { text };
        Self {
            font: or(self.font, USUAL_FONT),
            font_size: if self.font_size == 0 { USUAL_SIZE } else { self.font_size },
            color: or(self.color, USUAL_COLOR),
            position: or(self.position, USUAL_POSITION),
            fade_in_ms: fade_in_ms.unwrap_or(USUAL_FADE_MS),
            fade_out_ms: fade_out_ms.unwrap_or(USUAL_FADE_MS),
            ..self
        }
    }

    /// What is wrong with it, by field.
    #[must_use]
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let is_blank = |text: &str| text.chars().all(|c| c.is_whitespace() || c.is_control());
        if is_blank(&self.text) {
            wrong.push(("text", "can't be blank".to_owned()));
        }
        if self.text.contains('\0') || self.font.contains('\0') {
            wrong.push(("text", "must not contain NUL characters".to_owned()));
        }
        if self.text.chars().count() > LONGEST_TEXT {
            wrong.push(("text", format!("should be at most {LONGEST_TEXT} character(s)")));
        }
        if self.font.chars().count() > 100 {
            wrong.push(("options.font", "should be at most 100 character(s)".to_owned()));
        }
        if !SIZES.contains(&self.font_size) {
            let message = format!("must be from {} to {}", SIZES.start(), SIZES.end());
            wrong.push(("options.font_size", message));
        }
        if self.color().is_none() {
            let names: Vec<&str> = COLORS.iter().map(|(name, _)| *name).collect();
            wrong.push(("options.color", format!("must be #rrggbb or one of {}", names.join(", "))));
        }
        if self.at.is_some_and(|(x, y)| x > LARGEST_PICTURE || y > LARGEST_PICTURE) {
            wrong.push(("options.position", format!("must be at most {LARGEST_PICTURE} pixels")));
        }
        if self.place().is_none() {
            let names: Vec<&str> = PLACES.iter().map(|(name, _)| *name).collect();
            wrong.push(("options.position", format!("must be one of {}", names.join(", "))));
        }
        for (field, fade) in [("options.fade_in", self.fade_in_ms), ("options.fade_out", self.fade_out_ms)] {
            if fade > LONGEST_FADE_MS {
                wrong.push((field, format!("must be from 0 to {} seconds", LONGEST_FADE_MS / 1_000)));
            }
        }
        if self.start_ms > LONGEST_MS {
            wrong.push(("options.start_time", format!("must be from 0 to {} seconds", LONGEST_MS / 1_000)));
        }
        if self.duration_ms.is_some_and(|length| length == 0 || length > LONGEST_MS) {
            let message = format!("must be more than 0 and at most {} seconds", LONGEST_MS / 1_000);
            wrong.push(("options.duration", message));
        }
        wrong
    }

    fn color(&self) -> Option<[u8; 3]> {
        let text = self.color.trim().to_ascii_lowercase();
        if let Some(digits) = text.strip_prefix('#') {
            let bytes = hex::decode(digits).ok()?;
            return bytes.try_into().ok();
        }
        COLORS.iter().find(|(name, _)| *name == text).map(|(_, color)| *color)
    }

    fn place(&self) -> Option<Place> {
        if let Some((x, y)) = self.at {
            return Some(Place::At { x, y });
        }
        PLACES.iter().find(|(name, _)| *name == self.position).map(|(_, place)| *place)
    }

    /// Where it lies in a picture 720 high, as ffmpeg says it.
    #[must_use]
    pub fn expression(&self) -> String {
        let (x, y) = self.place().unwrap_or(Place::BottomCenter).expressions(MARGIN);
        format!("x={x}:y={y}")
    }

    /// As the media tools take it.
    #[must_use]
    pub fn to_media(&self) -> TextOverlay {
        let font = match self.font.to_ascii_lowercase().as_str() {
            "arial" | "opensans" | "open sans" => Font::Sans,
            _ => Font::SansBold,
        };
        TextOverlay {
            text: self.text.clone(),
            font,
            size: self.font_size,
            color: self.color().unwrap_or([255, 255, 255]),
            place: self.place().unwrap_or(Place::BottomCenter),
            fade_in: Duration::from_millis(self.fade_in_ms),
            fade_out: Duration::from_millis(self.fade_out_ms),
            start: Duration::from_millis(self.start_ms),
            length: self.duration_ms.map(Duration::from_millis),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(overlay: Overlay) -> Vec<&'static str> {
        overlay.filled(None, None).check().into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn what_is_not_said_is_usual_and_valid() {
        let overlay = Overlay { text: "Spring".into(), ..Overlay::default() }.filled(None, None);
        assert_eq!(overlay.check(), []);
        assert_eq!((overlay.font_size, overlay.fade_in_ms), (48, 500));
        assert_eq!(overlay.expression(), "x=(w-text_w)/2:y=h-text_h-50");
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let wrong = Overlay {
            text: " \n\u{7}".into(),
            font_size: 4,
            color: "red:enable=0".into(),
            position: "x=0".into(),
            start_ms: 4_000_000,
            duration_ms: Some(0),
            ..Overlay::default()
        };
        let wanted = [
            "text",
            "options.font_size",
            "options.color",
            "options.position",
            "options.start_time",
            "options.duration",
        ];
        assert_eq!(fields(wrong), wanted);
        assert_eq!(fields(Overlay { text: "x".repeat(501), ..Overlay::default() }), ["text"]);
        assert_eq!(
            fields(Overlay { text: "x".into(), color: "#12345".into(), ..Overlay::default() }),
            ["options.color"]
        );
    }

    #[test]
    fn colours_have_names_or_digits() {
        let media = |color: &str| Overlay { color: color.into(), ..Overlay::default() }.to_media().color;
        assert_eq!([media("Gold"), media("#0a1B2c")], [[255, 215, 0], [10, 27, 44]]);
    }
}
