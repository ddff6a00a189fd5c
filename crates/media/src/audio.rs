//! Sound: decoding to exact samples, joining with crossfades, coding.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run::Tool;
use crate::{Media, MediaError, Probe, wav};

/// Samples a second of everything that is made here.
pub(crate) const RATE: u64 = 48_000;
/// Samples in a millisecond.
const PER_MS: u64 = RATE / 1000;
/// How far the length of a coded file may be from that of its samples: coders work in blocks.
pub(crate) const CODED_TOLERANCE_US: u64 = 50_000;

/// Which files to join and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinPlan {
    /// In playing order.
    pub segments: Vec<Segment>,
    /// How long the end of one segment and the start of the next sound together, in milliseconds; 0 for
    /// a hard cut.
    pub crossfade_ms: u64,
}

impl JoinPlan {
    /// How long the result is when the segments have these lengths (milliseconds); none when a segment
    /// is too short for its crossfades.
    #[must_use]
    pub fn length_ms(&self, lengths_ms: &[u64]) -> Option<u64> {
        let kept = self.segments.iter().zip(lengths_ms).map(|(s, length)| length.checked_sub(s.skip_ms));
        joined_length(&kept.collect::<Option<Vec<u64>>>()?, self.crossfade_ms)
    }
}

/// A file to join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Any sound file.
    pub path: PathBuf,
    /// How much of its start is left out, in milliseconds. A segment that begins with a repetition of
    /// the last one's end skips the repetition less the crossfade.
    pub skip_ms: u64,
}

/// How two overlapping ends are weighted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Curve {
    /// The two carry the same music at the same time: the weights sum to one.
    Same,
    /// The two are different music: the power stays constant.
    Different,
}

/// Decoded sound: 48 kHz stereo, floating point, in a WAV file.
#[derive(Debug)]
pub(crate) struct Pcm {
    pub(crate) path: PathBuf,
    pub(crate) samples: u64,
}

/// The length of pieces joined with a crossfade, in their unit; none when a piece is too short: each end
/// that fades needs its own part of the piece.
pub(crate) fn joined_length(pieces: &[u64], crossfade: u64) -> Option<u64> {
    let last = pieces.len().checked_sub(1)?;
    let fits = |(index, length): (usize, &u64)| {
        let ends = u64::from(index > 0) + u64::from(index < last);
        *length > 0 && *length >= ends * crossfade
    };
    let all_fit = pieces.iter().enumerate().all(fits);
    all_fit.then(|| pieces.iter().sum::<u64>() - last as u64 * crossfade)
}

impl Media {
    /// Joins sound files with crossfades into one; the format follows the name of `out`: `.wav`, `.mp3`
    /// or `.m4a`. The result has exactly the length that follows from the decoded segments (compressed
    /// formats: to 50 ms), which is checked.
    ///
    /// # Errors
    /// About the input when a segment is no sound or too short for the plan (the error says which).
    pub async fn join_segments(&self, plan: &JoinPlan, out: impl AsRef<Path>) -> Result<Probe, MediaError> {
        let work = self.work_dir()?;
        let mut pieces = Vec::new();
        for (index, segment) in plan.segments.iter().enumerate() {
            let to = work.path().join(format!("segment-{index}.wav"));
            let skip = segment.skip_ms * PER_MS;
            pieces.push(self.decoded(&segment.path, skip, to).await?);
        }
        let joined = match pieces.pop() {
            Some(only) if pieces.is_empty() => only,
            last => {
                pieces.extend(last);
                self.joined_pcm(&pieces, plan.crossfade_ms * PER_MS, Curve::Same, &work).await?
            }
        };
        self.coded(&joined, out.as_ref()).await
    }

    /// Decodes sound, leaving out its first `skip` samples.
    pub(crate) async fn decoded(&self, path: &Path, skip: u64, to: PathBuf) -> Result<Pcm, MediaError> {
        self.probe(path).await?.require_audio()?;
        let filter = format!("aresample={RATE},atrim=start_sample={skip},asetpts=PTS-STARTPTS");
        self.run(Tool::Ffmpeg, "decoding sound")
            .input(path)?
            .args(["-map", "0:a:0", "-vn", "-sn", "-dn", "-af", &filter, "-ac", "2"])
            .args(["-c:a", "pcm_f32le", "-f", "wav"])
            .output(&to)?
            .go()
            .await?;
        match wav::samples(&to).await? {
            0 => {
                Err(MediaError::unsupported(format!("no sound is left after the first {} ms", skip / PER_MS)))
            }
            samples => Ok(Pcm { path: to, samples }),
        }
    }

    /// Joins decoded pieces; the number of samples is checked.
    pub(crate) async fn joined_pcm(
        &self,
        pieces: &[Pcm],
        crossfade: u64,
        curve: Curve,
        work: &TempDir,
    ) -> Result<Pcm, MediaError> {
        let lengths: Vec<u64> = pieces.iter().map(|piece| piece.samples).collect();
        let Some(expected) = joined_length(&lengths, crossfade) else {
            let ms: Vec<u64> = lengths.iter().map(|samples| samples / PER_MS).collect();
            let detail = format!("segments of {ms:?} ms cannot overlap by {} ms", crossfade / PER_MS);
            return Err(MediaError::unsupported(detail));
        };
        let to = tempfile::Builder::new().prefix("joined-").suffix(".wav").tempfile_in(work.path());
        let to = to.and_then(|file| file.into_temp_path().keep().map_err(|kept| kept.error));
        let to = to.map_err(MediaError::io("making a file for the joined sound"))?;
        let mut run = self.run(Tool::Ffmpeg, "joining sound");
        for piece in pieces {
            run = run.input(&piece.path)?;
        }
        run.args(["-filter_complex", &join_filter(pieces.len(), crossfade, curve), "-map", "[out]"])
            .args(["-c:a", "pcm_f32le", "-f", "wav"])
            .output(&to)?
            .go()
            .await?;
        let samples = wav::samples(&to).await?;
        if samples != expected {
            let detail = format!("{samples} samples instead of {expected}");
            return Err(MediaError::WrongResult { doing: "joining sound", detail });
        }
        Ok(Pcm { path: to, samples })
    }

    /// Codes sound into the format that the name of `out` asks for; the length is checked.
    pub(crate) async fn coded(&self, pcm: &Pcm, out: &Path) -> Result<Probe, MediaError> {
        let coding: &[&str] = match out.extension().and_then(|end| end.to_str()) {
            Some("wav") => &["-c:a", "pcm_s16le", "-f", "wav"],
            Some("mp3") => &["-c:a", "libmp3lame", "-b:a", "192k", "-f", "mp3"],
            Some("m4a" | "mp4") => &["-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", "-f", "mp4"],
            _ => return Err(MediaError::unsupported("sound is written as .wav, .mp3 or .m4a")),
        };
        self.run(Tool::Ffmpeg, "coding sound")
            .input(&pcm.path)?
            .args(["-map", "0:a:0", "-map_metadata", "-1"])
            .args(coding)
            .output(out)?
            .go()
            .await?;
        let probe = self.probe(out).await?;
        let wanted = pcm.samples * 1_000_000 / RATE;
        let got = probe.require_audio()?.duration_us;
        if got.abs_diff(wanted) > CODED_TOLERANCE_US {
            let detail = format!("it is {got} us long instead of {wanted} us");
            return Err(MediaError::WrongResult { doing: "coding sound", detail });
        }
        Ok(probe)
    }
}

fn join_filter(pieces: usize, crossfade: u64, curve: Curve) -> String {
    if pieces == 1 {
        return "[0:a]anull[out]".to_owned();
    }
    if crossfade == 0 {
        let inputs: String = (0..pieces).map(|n| format!("[{n}:a]")).collect();
        return format!("{inputs}concat=n={pieces}:v=0:a=1[out]");
    }
    let curve = match curve {
        Curve::Same => "tri",
        Curve::Different => "qsin",
    };
    let fade = format!("acrossfade=ns={crossfade}:c1={curve}:c2={curve}");
    let mut filter = String::new();
    let mut so_far = "[0:a]".to_owned();
    for next in 1..pieces {
        let to = if next + 1 == pieces { "[out]".to_owned() } else { format!("[j{next}]") };
        filter.push_str(&format!("{so_far}[{next}:a]{fade}{to};"));
        so_far = to;
    }
    filter.pop();
    filter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crossfade_shortens_the_whole_by_its_length() {
        assert_eq!(joined_length(&[5000, 4000, 3000], 500), Some(11_000));
        assert_eq!(joined_length(&[5000], 500), Some(5000));
        assert_eq!(joined_length(&[5000, 4000], 0), Some(9000));
    }

    #[test]
    fn a_piece_too_short_for_its_crossfades_is_refused() {
        assert_eq!(joined_length(&[5000, 999, 5000], 500), None);
        assert_eq!(joined_length(&[5000, 1000, 5000], 500), Some(10_000));
        assert_eq!(joined_length(&[499, 5000], 500), None);
        assert_eq!(joined_length(&[0], 0), None);
        assert_eq!(joined_length(&[], 0), None);
    }

    #[test]
    fn the_planned_length_leaves_out_what_is_skipped() {
        let segment = |skip_ms| Segment { path: "x".into(), skip_ms };
        let plan = JoinPlan { segments: vec![segment(0), segment(1500)], crossfade_ms: 500 };
        assert_eq!(plan.length_ms(&[8000, 9000]), Some(15_000));
        assert_eq!(plan.length_ms(&[8000, 1000]), None);
    }

    #[test]
    fn the_filter_chains_every_piece() {
        let filter = join_filter(3, 10, Curve::Same);
        assert_eq!(
            filter,
            "[0:a][1:a]acrossfade=ns=10:c1=tri:c2=tri[j1];[j1][2:a]acrossfade=ns=10:c1=tri:c2=tri[out]"
        );
    }
}
