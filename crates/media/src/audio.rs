//! Sound: decoding to exact samples, joining with crossfades, coding.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::run::{Run, Tool};
use crate::{Media, MediaError, Probe, boxes, wav};

/// Samples a second of everything that is made here.
pub(crate) const RATE: u64 = 48_000;
/// Samples in a millisecond.
const PER_MS: u64 = RATE / 1000;
/// How far the length of a coded file may be from that of its samples: coders work in blocks.
pub(crate) const CODED_TOLERANCE_US: u64 = 50_000;

const JOINING: &str = "joining sound";
const CODING: &str = "coding sound";

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

/// How sound ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Silence is added until it is so long, in milliseconds.
    pub at_least_ms: u64,
    /// How long it fades out, in milliseconds; half of it when that is shorter.
    pub fade_ms: u64,
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
        let (out, work) = (out.as_ref(), self.work_dir()?);
        if let [only] = plan.segments.as_slice() {
            return self.recoded(only, &work, out).await;
        }
        let mut pieces = Vec::new();
        for (index, segment) in plan.segments.iter().enumerate() {
            let to = work.path().join(format!("segment-{index}.wav"));
            pieces.push(self.decoded(&segment.path, segment.skip_ms * PER_MS, to).await?);
        }
        let crossfade = plan.crossfade_ms * PER_MS;
        let expected = length_of(&pieces, crossfade)?;
        let mut run = self.run(Tool::Ffmpeg, JOINING);
        for piece in &pieces {
            run = run.input(&piece.path)?;
        }
        let sound = join_filter(pieces.len(), crossfade, Curve::Same);
        let (samples, probe) = self.coded(run, &sound, &work, out).await?;
        expect(JOINING, samples, expected)?;
        Ok(probe)
    }

    /// The same sound with another ending; the format follows the name of `out`, as for [`Media::join_segments`]. The
    /// music is faded where it ends, before any silence.
    ///
    /// # Errors
    /// About the input when it is no sound.
    pub async fn ended(
        &self,
        audio: impl AsRef<Path>,
        ending: Ending,
        out: impl AsRef<Path>,
    ) -> Result<Probe, MediaError> {
        let work = self.work_dir()?;
        let sound = self.decoded(audio.as_ref(), 0, work.path().join("sound.wav")).await?;
        let fade = (ending.fade_ms * PER_MS).min(sound.samples / 2);
        let whole = sound.samples.max(ending.at_least_ms * PER_MS);
        let mut filter = "[0:a:0]anull".to_owned();
        if fade > 0 {
            filter.push_str(&format!(",afade=t=out:ss={}:ns={fade}", sound.samples - fade));
        }
        filter.push_str(&format!(",apad=whole_len={whole}"));
        let run = self.run(Tool::Ffmpeg, CODING).input(&sound.path)?;
        let (samples, probe) = self.coded(run, &filter, &work, out.as_ref()).await?;
        expect(CODING, samples, whole)?;
        Ok(probe)
    }

    /// One segment in another format.
    async fn recoded(&self, segment: &Segment, work: &TempDir, out: &Path) -> Result<Probe, MediaError> {
        boxes::check_whole(&segment.path).await?;
        let run = self.run(Tool::Ffmpeg, CODING).unseen_input(&segment.path)?;
        let sound = format!("[0:a:0]{}", exact_filter(segment.skip_ms * PER_MS, None));
        match self.coded(run, &sound, work, out).await {
            Ok((_, probe)) => Ok(probe),
            Err(error) => Err(self.at_fault(&segment.path, error).await),
        }
    }

    /// Decodes sound, leaving out its first `skip` samples.
    pub(crate) async fn decoded(&self, path: &Path, skip: u64, to: PathBuf) -> Result<Pcm, MediaError> {
        let filter = exact_filter(skip, None);
        self.decoded_by(path, &format!("[0:a:0]{filter}[kept]"), &[], to).await.map(|(pcm, _)| pcm)
    }

    /// Decodes sound with a filter that ends in `[kept]`, and in what `also` makes of its other ends; gives what the
    /// run said too.
    pub(crate) async fn decoded_by(
        &self,
        path: &Path,
        filter: &str,
        also: &[&str],
        to: PathBuf,
    ) -> Result<(Pcm, String), MediaError> {
        boxes::check_whole(path).await?;
        let run = self
            .run(Tool::Ffmpeg, "decoding sound")
            .args(if also.is_empty() { &[][..] } else { &["-loglevel", "info"] })
            .unseen_input(path)?
            .args(["-filter_complex", filter, "-map", "[kept]", "-c:a", "pcm_f32le", "-f", "wav"])
            .output(&to)?
            .args(also);
        let output = match run.go().await {
            Ok(output) => output,
            Err(error) => return Err(self.at_fault(path, error).await),
        };
        match wav::samples(&to).await? {
            0 => Err(self.at_fault(path, nothing_left()).await),
            samples => Ok((Pcm { path: to, samples }, output.stderr)),
        }
    }

    /// What a failed run on sound from outside says about it: a look at the file tells whether it is at fault. It was
    /// not looked at before, since whatever can be decoded is sound.
    async fn at_fault(&self, path: &Path, error: MediaError) -> MediaError {
        if !matches!(error, MediaError::Failed { .. } | MediaError::Unsupported { .. }) {
            return error;
        }
        match self.probe(path).await {
            Err(found) if found.is_about_the_input() => found,
            Ok(probe) => probe.require_audio().err().unwrap_or(error),
            Err(_) => error,
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
        let expected = length_of(pieces, crossfade)?;
        let to = tempfile::Builder::new().prefix("joined-").suffix(".wav").tempfile_in(work.path());
        let to = to.and_then(|file| file.into_temp_path().keep().map_err(|kept| kept.error));
        let to = to.map_err(MediaError::io("making a file for the joined sound"))?;
        let mut run = self.run(Tool::Ffmpeg, JOINING);
        for piece in pieces {
            run = run.input(&piece.path)?;
        }
        let filter = format!("{}[out]", join_filter(pieces.len(), crossfade, curve));
        run.args(["-filter_complex", &filter, "-map", "[out]", "-c:a", "pcm_f32le", "-f", "wav"])
            .output(&to)?
            .go()
            .await?;
        let samples = wav::samples(&to).await?;
        expect(JOINING, samples, expected)?;
        Ok(Pcm { path: to, samples })
    }

    /// Ends a run: what the filter makes is coded into the format that the name of `out` asks for, and its samples are
    /// written beside it, so that they can be counted. Gives their number; the length of `out` fits it.
    pub(crate) async fn coded(
        &self,
        run: Run<'_>,
        sound: &str,
        work: &TempDir,
        out: &Path,
    ) -> Result<(u64, Probe), MediaError> {
        let (exact, coding) = (work.path().join("exact.wav"), coding(out)?);
        run.args(["-filter_complex", &format!("{sound},{CODED_AND_EXACT}"), "-map", "[coded]"])
            .args(["-map_metadata", "-1"])
            .args(coding)
            .output(out)?
            .args(EXACT)
            .output(&exact)?
            .go()
            .await?;
        let samples = wav::samples(&exact).await?;
        if samples == 0 {
            return Err(nothing_left());
        }
        let probe = self.probe(out).await?;
        let (got, wanted) = (probe.require_audio()?.duration_us, samples * 1_000_000 / RATE);
        if got.abs_diff(wanted) > CODED_TOLERANCE_US {
            let detail = format!("it is {got} us long instead of {wanted} us");
            return Err(MediaError::WrongResult { doing: CODING, detail });
        }
        Ok((samples, probe))
    }
}

/// Splits what comes before it into what is coded and what is counted. Times are counted from the samples, as in the
/// file that holds nothing else: what filters left of other times would be heard as gaps.
pub(crate) const CODED_AND_EXACT: &str = "asetpts=N/SR/TB,asplit[coded][exact]";
/// How the samples are written that are counted.
pub(crate) const EXACT: [&str; 6] = ["-map", "[exact]", "-c:a", "pcm_f32le", "-f", "wav"];

/// The coder and the container for the name of a file.
fn coding(out: &Path) -> Result<&'static [&'static str], MediaError> {
    match out.extension().and_then(|end| end.to_str()) {
        Some("wav") => Ok(&["-c:a", "pcm_s16le", "-f", "wav"]),
        Some("mp3") => Ok(&["-c:a", "libmp3lame", "-b:a", "192k", "-f", "mp3"]),
        Some("m4a" | "mp4") => Ok(&["-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", "-f", "mp4"]),
        _ => Err(MediaError::unsupported("sound is written as .wav, .mp3 or .m4a")),
    }
}

/// From any sound to 48 kHz stereo in floating point, without its first samples, and no longer than that many.
pub(crate) fn exact_filter(skip: u64, longest: Option<u64>) -> String {
    let end = longest.map(|samples| format!(":end_sample={}", skip + samples)).unwrap_or_default();
    format!(
        "aformat=sample_fmts=flt:sample_rates={RATE}:channel_layouts=stereo,\
         atrim=start_sample={skip}{end},asetpts=PTS-STARTPTS"
    )
}

fn nothing_left() -> MediaError {
    MediaError::unsupported("no sound is left in it behind what is to be left out")
}

fn length_of(pieces: &[Pcm], crossfade: u64) -> Result<u64, MediaError> {
    let lengths: Vec<u64> = pieces.iter().map(|piece| piece.samples).collect();
    joined_length(&lengths, crossfade).ok_or_else(|| {
        let ms: Vec<u64> = lengths.iter().map(|samples| samples / PER_MS).collect();
        MediaError::unsupported(format!("segments of {ms:?} ms cannot overlap by {} ms", crossfade / PER_MS))
    })
}

/// A number of samples that was known before.
pub(crate) fn expect(doing: &'static str, samples: u64, expected: u64) -> Result<(), MediaError> {
    if samples == expected {
        return Ok(());
    }
    Err(MediaError::WrongResult { doing, detail: format!("{samples} samples instead of {expected}") })
}

/// Ends without a name: what comes next is for the caller.
fn join_filter(pieces: usize, crossfade: u64, curve: Curve) -> String {
    if pieces == 1 {
        return "[0:a]anull".to_owned();
    }
    if crossfade == 0 {
        let inputs: String = (0..pieces).map(|n| format!("[{n}:a]")).collect();
        return format!("{inputs}concat=n={pieces}:v=0:a=1");
    }
    let curve = match curve {
        Curve::Same => "tri",
        Curve::Different => "qsin",
    };
    let fade = format!("acrossfade=ns={crossfade}:c1={curve}:c2={curve}");
    let mut filter = format!("[0:a][1:a]{fade}");
    for next in 2..pieces {
        filter.push_str(&format!("[j{next}];[j{next}][{next}:a]{fade}"));
    }
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
            "[0:a][1:a]acrossfade=ns=10:c1=tri:c2=tri[j2];[j2][2:a]acrossfade=ns=10:c1=tri:c2=tri"
        );
    }
}
