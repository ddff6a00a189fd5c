//! The music model.

use serde_json::Value;

use super::input::{Invalid, Reader};

/// The longest output, window included.
const MAX_SECONDS: i64 = 30;

/// A piece of music to make.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SongJob {
    pub(crate) prompt: String,
    /// New seconds.
    pub(crate) seconds: u32,
    pub(crate) format: String,
    pub(crate) continues: Option<Continuation>,
    /// A combination that the model refuses only once it runs.
    pub(crate) refusal: Option<String>,
}

/// What comes before the new seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Continuation {
    /// Where the audio is.
    pub(crate) audio: String,
    pub(crate) start: u32,
    /// The end of the audio when none.
    pub(crate) end: Option<u32>,
}

impl Continuation {
    /// The window in seconds of an audio that is `length` long, or why there is none.
    pub(crate) fn window(&self, length: f64, new_seconds: u32) -> Result<(f64, f64), String> {
        let start = f64::from(self.start);
        let end = self.end.map_or(length, f64::from).min(length);
        if start >= length {
            return Err(format!(
                "continuation_start ({start}) must be less than the input_audio length ({length:.2})"
            ));
        }
        if end <= start {
            return Err(format!(
                "continuation_end ({end}) must be greater than continuation_start ({start})"
            ));
        }
        if end - start + f64::from(new_seconds) > MAX_SECONDS as f64 + 0.05 {
            return Err(format!("duration + continuation duration must be <= {MAX_SECONDS} seconds"));
        }
        Ok((start, end))
    }
}

/// `meta/musicgen`.
pub(super) fn song(input: &Value) -> Result<SongJob, Vec<Invalid>> {
    let mut reader = Reader::new(input);
    let versions = ["stereo-melody-large", "stereo-large", "melody-large", "large"];
    reader.choice("model_version", &versions, "stereo-melody-large");
    reader.choice("normalization_strategy", &["loudness", "clip", "peak", "rms"], "loudness");
    let prompt = reader.string("prompt").unwrap_or_default();
    let format = reader.choice("output_format", &["wav", "mp3"], "wav");
    let seconds = reader.integer("duration").unwrap_or(8);
    if seconds < 1 {
        reader.complain("duration", "Must be greater than or equal to 1");
    }
    let start = bound(&mut reader, "continuation_start").unwrap_or(0);
    let end = bound(&mut reader, "continuation_end");
    let audio = reader.uri("input_audio");
    let mut refusal = (seconds > MAX_SECONDS).then(|| format!("duration must be <= {MAX_SECONDS} seconds"));
    let continues = match (reader.boolean("continuation", false), audio) {
        (true, Some(audio)) => Some(Continuation { audio, start, end }),
        (true, None) => {
            refusal = Some("Must provide `input_audio` when `continuation` is true".to_owned());
            None
        }
        (false, _) => None,
    };
    if !reader.wrong.is_empty() {
        return Err(reader.wrong);
    }
    let seconds = u32::try_from(seconds).unwrap_or(0);
    Ok(SongJob { prompt, seconds, format, continues, refusal })
}

fn bound(reader: &mut Reader<'_>, name: &str) -> Option<u32> {
    let value = reader.integer(name)?;
    let checked = u32::try_from(value).ok();
    if checked.is_none() {
        reader.complain(name, "Must be greater than or equal to 0");
    }
    checked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn continuation(start: u32, end: Option<u32>) -> Continuation {
        Continuation { audio: "http://x/a.mp3".to_owned(), start, end }
    }

    #[test]
    fn the_window_is_clamped_to_the_audio() {
        assert_eq!(continuation(3, None).window(8.0, 6), Ok((3.0, 8.0)));
        assert_eq!(continuation(3, Some(20)).window(8.0, 6), Ok((3.0, 8.0)));
    }

    #[test]
    fn a_window_outside_or_too_long_is_refused() {
        assert!(continuation(9, None).window(8.0, 6).is_err());
        assert!(continuation(4, Some(4)).window(8.0, 6).is_err());
        assert!(continuation(0, None).window(20.0, 11).is_err());
        assert!(continuation(0, None).window(20.0, 10).is_ok());
    }

    #[test]
    fn a_continuation_without_audio_is_refused_when_it_runs() {
        let job = song(&json!({"prompt": "a", "duration": 4, "continuation": true})).expect("accepted");
        assert!(job.refusal.is_some());
    }
}
