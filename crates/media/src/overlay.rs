//! A text over a video. The text goes to ffmpeg as a file and is printed as it is: nothing in it can be taken for a
//! part of the filter.

use std::path::Path;
use std::time::Duration;

use crate::run::Tool;
use crate::{Media, MediaError, Probe, Source, VideoStream};

const DOING: &str = "laying a text over a video";
/// The distance to the edges, in pixels of a picture 720 high; in others in proportion.
const MARGIN: u32 = 50;
/// How wide letters are on the whole, in parts of their height.
const LETTER: f64 = 0.6;
/// How far the length may be from that of the video, microseconds.
const TOLERANCE_US: u64 = 100_000;
/// Names of the files beside the run.
const TEXT: &str = "overlay.txt";
const FONT: &str = "overlay.ttf";

/// The fonts that there are: DejaVu Sans (see `fonts/LICENSE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    /// Upright.
    Sans,
    /// Bold.
    SansBold,
}

impl Font {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Sans => include_bytes!("../fonts/DejaVuSans.ttf"),
            Self::SansBold => include_bytes!("../fonts/DejaVuSans-Bold.ttf"),
        }
    }
}

/// Where a text lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Place {
    TopLeft,
    TopCenter,
    TopRight,
    Center,
    BottomLeft,
    BottomCenter,
    BottomRight,
    /// With its upper left corner at this pixel.
    At {
        x: u32,
        y: u32,
    },
}

impl Place {
    /// The expressions for x and y, with this distance to the edges.
    #[must_use]
    pub fn expressions(self, margin: u32) -> (String, String) {
        if let Self::At { x, y } = self {
            return (x.to_string(), y.to_string());
        }
        let left = margin.to_string();
        let (right, center) = (format!("w-text_w-{margin}"), "(w-text_w)/2".to_owned());
        let x = match self {
            Self::TopLeft | Self::BottomLeft => left,
            Self::TopRight | Self::BottomRight => right,
            _ => center,
        };
        let y = match self {
            Self::TopLeft | Self::TopCenter | Self::TopRight => margin.to_string(),
            Self::BottomLeft | Self::BottomCenter | Self::BottomRight => format!("h-text_h-{margin}"),
            _ => "(h-text_h)/2".to_owned(),
        };
        (x, y)
    }
}

/// A text over a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextOverlay {
    /// What it says; lines that are too long for the picture are broken between words.
    pub text: String,
    /// In which letters.
    pub font: Font,
    /// Their height, pixels.
    pub size: u32,
    /// Red, green, blue.
    pub color: [u8; 3],
    /// Where it lies.
    pub place: Place,
    /// How long it takes to appear.
    pub fade_in: Duration,
    /// How long it takes to vanish.
    pub fade_out: Duration,
    /// When it begins to appear.
    pub start: Duration,
    /// How long it is there, fades included; none: to the end.
    pub length: Option<Duration>,
}

impl TextOverlay {
    /// The filter for a video of this length and picture.
    fn filter(&self, video_us: u64, height: u32) -> String {
        let seconds = |length: Duration| length.as_secs_f64();
        let end_of_video = Duration::from_micros(video_us);
        let end = self.length.map_or(end_of_video, |length| (self.start + length).min(end_of_video));
        let (start, end) = (seconds(self.start), seconds(end.max(self.start)));
        // Fades share what there is when it is too short for both.
        let (fade_in, fade_out) = (seconds(self.fade_in), seconds(self.fade_out));
        let share = ((end - start) / (fade_in + fade_out).max(0.001)).min(1.0);
        let (fade_in, fade_out) = ((fade_in * share).max(0.001), (fade_out * share).max(0.001));
        let [red, green, blue] = self.color;
        let margin = (MARGIN * height / 720).max(2);
        let (x, y) = self.place.expressions(margin);
        let Self { size, .. } = self;
        format!(
            "drawtext=textfile={TEXT}:fontfile={FONT}:expansion=none:fontsize={size}:\
             fontcolor=0x{red:02x}{green:02x}{blue:02x}:shadowcolor=black@0.6:shadowx=2:shadowy=2:\
             line_spacing={}:x={x}:y={y}:enable='between(t,{start:.3},{end:.3})':\
             alpha='clip(min((t-{start:.3})/{fade_in:.3},({end:.3}-t)/{fade_out:.3}),0,1)'",
            size / 5
        )
    }

    /// The text in lines that fit into a picture of this width.
    fn lines(&self, width: u32) -> String {
        let room = f64::from(width) * 0.9 / (f64::from(self.size.max(1)) * LETTER);
        wrapped(&self.text, (room as usize).max(4))
    }
}

/// Breaks lines between words, and words that are longer than a line. What cannot be printed becomes a blank.
fn wrapped(text: &str, columns: usize) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in
            paragraph.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
        {
            let letters: Vec<char> = word.chars().collect();
            for piece in letters.chunks(columns) {
                let length = line.chars().count();
                if length > 0 && length + 1 + piece.len() > columns {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.extend(piece);
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}

impl Media {
    /// Lays a text over a video; its sound is copied. `poster` says where a poster of it is to be written (see
    /// [`Media::poster`]).
    ///
    /// # Errors
    /// About the input when it is no video; else what failed.
    pub async fn overlay(
        &self,
        video: &Source,
        overlay: &TextOverlay,
        out: impl AsRef<Path>,
        poster: Option<&Path>,
    ) -> Result<Probe, MediaError> {
        let out = out.as_ref();
        let before = self.known(video).await?;
        let stream = before.require_video()?;
        let (width, height) = stream.shown_size();
        self.run(Tool::Ffmpeg, DOING)
            .beside(TEXT, overlay.lines(width))
            .beside(FONT, overlay.font.bytes())
            .input(&video.path)?
            .args(["-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn"])
            .args(["-vf", &overlay.filter(stream.duration_us, height)])
            .args(["-c:v", "libx264", "-preset", "fast", "-crf", "17", "-pix_fmt", "yuv420p", "-c:a", "copy"])
            .args(["-map_metadata", "-1", "-movflags", "+faststart", "-video_track_timescale"])
            .arg(stream.timebase.den.to_string())
            .args(["-f", "mp4"])
            .output(out)?
            .go()
            .await?;
        let probe = self.probe(out).await?;
        check(&probe, &before, stream)?;
        self.finish_poster(out, &probe, poster).await?;
        Ok(probe)
    }
}

fn check(probe: &Probe, before: &Probe, stream: &VideoStream) -> Result<(), MediaError> {
    let wrong = |detail: String| Err(MediaError::WrongResult { doing: DOING, detail });
    let video = probe.require_video()?;
    if video.shown_size() != stream.shown_size() {
        return wrong(format!("its picture is {:?}, was {:?}", video.shown_size(), stream.shown_size()));
    }
    if video.duration_us.abs_diff(stream.duration_us) > TOLERANCE_US {
        return wrong(format!("it is {} us long, was {} us", video.duration_us, stream.duration_us));
    }
    if probe.audio.is_some() != before.audio.is_some() {
        return wrong("its sound is not that of the video".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(text: &str) -> TextOverlay {
        TextOverlay {
            text: text.to_owned(),
            font: Font::Sans,
            size: 48,
            color: [255, 0, 128],
            place: Place::BottomCenter,
            fade_in: Duration::from_millis(500),
            fade_out: Duration::from_millis(500),
            start: Duration::from_secs(1),
            length: None,
        }
    }

    #[test]
    fn nothing_of_the_text_is_in_the_filter() {
        let filter = overlay("':x=0,drawtext=textfile=/etc/passwd;[0:v]").filter(4_000_000, 720);
        assert!(!filter.contains("passwd") && filter.contains("expansion=none"), "{filter}");
        assert!(filter.contains("fontcolor=0xff0080") && filter.contains("y=h-text_h-50"), "{filter}");
    }

    #[test]
    fn fades_share_a_time_that_is_too_short_for_them() {
        let short = TextOverlay { length: Some(Duration::from_millis(500)), ..overlay("a") };
        let filter = short.filter(4_000_000, 720);
        assert!(filter.contains("(t-1.000)/0.250,(1.500-t)/0.250"), "{filter}");
    }

    #[test]
    fn long_lines_are_broken_between_words_and_long_words_anywhere() {
        assert_eq!(wrapped("one two three", 8), "one two\nthree");
        assert_eq!(wrapped("abcdefghij", 4), "abcd\nefgh\nij");
        assert_eq!(wrapped("a\u{7}b\r\nc", 8), "a b\nc");
    }
}
