//! EBU R128 loudness: measured first, corrected second.

use std::path::Path;

use serde::Deserialize;

use crate::run::Tool;
use crate::{Media, MediaError};

/// Integrated loudness that soundtracks get, in LUFS.
const TARGET: f64 = -16.0;
/// Highest true peak, in dBTP.
const PEAK: f64 = -1.5;
/// Below this (LUFS) there is nothing that could be made louder.
const SILENCE: f64 = -70.0;

/// What the first pass measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Loudness {
    integrated: f64,
    peak: f64,
    range: f64,
    threshold: f64,
    offset: f64,
}

impl Loudness {
    /// The filter of the second pass. It works as a plain gain as long as the peaks allow that.
    pub(crate) fn correction(&self) -> String {
        let Self { integrated, peak, range, threshold, offset } = self;
        // A target range below the measured one would switch to riding the gain.
        let wanted = range.ceil().clamp(11.0, 20.0);
        format!(
            "loudnorm=I={TARGET}:TP={PEAK}:LRA={wanted}:measured_I={integrated}:measured_TP={peak}:\
             measured_LRA={range}:measured_thresh={threshold}:offset={offset}:linear=true"
        )
    }
}

/// The filter of the first pass.
pub(crate) fn measuring() -> String {
    format!("loudnorm=I={TARGET}:TP={PEAK}:LRA=11:print_format=json")
}

impl Media {
    /// Measures the first `samples` samples; none when they are silent.
    pub(crate) async fn loudness(&self, path: &Path, samples: u64) -> Result<Option<Loudness>, MediaError> {
        let filter = format!("atrim=end_sample={samples},{}", measuring());
        let output = self
            .run(Tool::Ffmpeg, "measuring loudness")
            .args(["-loglevel", "info"])
            .input(path)?
            .args(["-map", "0:a:0", "-af", &filter, "-f", "null", "-"])
            .go()
            .await?;
        measured(&output.stderr)
    }
}

/// ffmpeg writes the numbers as text, and `-inf` for silence.
#[derive(Deserialize)]
struct Measured {
    input_i: String,
    input_tp: String,
    input_lra: String,
    input_thresh: String,
    target_offset: String,
}

/// What the first pass wrote; none for silence.
pub(crate) fn measured(stderr: &str) -> Result<Option<Loudness>, MediaError> {
    let missing = || MediaError::WrongResult {
        doing: "measuring loudness",
        detail: format!("no measurement in {:?}", crate::run::last_lines(stderr)),
    };
    let (start, end) = (stderr.rfind('{').ok_or_else(missing)?, stderr.rfind('}').ok_or_else(missing)?);
    let json = stderr.get(start..=end).ok_or_else(missing)?;
    let told: Measured = serde_json::from_str(json).map_err(|_| missing())?;
    let number = |text: &str| text.parse::<f64>().map_err(|_| missing());
    let found = Loudness {
        integrated: number(&told.input_i)?,
        peak: number(&told.input_tp)?,
        range: number(&told.input_lra)?,
        threshold: number(&told.input_thresh)?,
        offset: number(&told.target_offset)?,
    };
    let audible = found.integrated.is_finite() && found.integrated > SILENCE && found.peak.is_finite();
    Ok(audible.then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(i: &str) -> String {
        format!(
            "[Parsed_loudnorm_1 @ 0x1]\n{{\n\"input_i\" : \"{i}\",\n\"input_tp\" : \"-18.06\",\n\
             \"input_lra\" : \"1.20\",\n\"input_thresh\" : \"-31.75\",\n\"output_i\" : \"-16.0\",\n\
             \"normalization_type\" : \"dynamic\",\n\"target_offset\" : \"-0.04\"\n}}\n"
        )
    }

    #[test]
    fn the_measurement_is_read_from_the_end_of_stderr() {
        let found = measured(&report("-21.75")).unwrap().unwrap();
        assert_eq!((found.integrated, found.peak), (-21.75, -18.06));
        assert!(found.correction().contains("measured_I=-21.75"));
    }

    #[test]
    fn silence_is_left_alone() {
        assert_eq!(measured(&report("-inf")).unwrap(), None);
        assert_eq!(measured(&report("-70.5")).unwrap(), None);
    }

    #[test]
    fn a_missing_measurement_is_an_error() {
        for text in ["", "} {", "{}", "{\"input_i\":\"x\"}"] {
            assert!(measured(text).is_err(), "{text:?}");
        }
    }
}
