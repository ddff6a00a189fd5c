//! A soundtrack exactly as long as the video, and the video with it.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::audio::{CODED_AND_EXACT, CODED_TOLERANCE_US, Curve, EXACT, Pcm, RATE, exact_filter, expect};
use crate::frame::with_poster;
use crate::loudness::{measured, measuring};
use crate::run::Tool;
use crate::{Media, MediaError, Probe, Source, VideoStream, wav};

const MIXING: &str = "mixing video and soundtrack";
const SHAPING: &str = "shaping the soundtrack";
/// Slowest and fastest that music is played to fit a video.
const TEMPO: std::ops::RangeInclusive<f64> = 0.5..=2.0;
/// A soundtrack that is short by at most this is padded with silence: within the fade nobody hears it.
const PADDED: u64 = RATE / 2;
/// Anything shorter is no music that could be repeated.
const SHORTEST: u64 = RATE / 4;
/// The longest crossfade from the end of a repeated soundtrack into its start.
const SEAM: u64 = RATE;

/// How sound gets the length of a video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// Cut off where the video ends; repeated when it is too short.
    #[default]
    Trim,
    /// Played slower when it is too short, down to half; then as [`Sync::Trim`].
    Stretch,
    /// Played faster when it is too long, up to double; then as [`Sync::Trim`].
    Compress,
}

/// How sound is fitted to a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoundShape {
    /// How it gets the video's length.
    pub sync: Sync,
    /// How long the fade at the end is; half the video when that is shorter.
    pub fade: Duration,
}

impl Default for SoundShape {
    fn default() -> Self {
        Self { sync: Sync::Trim, fade: Duration::from_secs(2) }
    }
}

impl SoundShape {
    fn fade_samples(self) -> u64 {
        u64::try_from(self.fade.as_micros()).unwrap_or(u64::MAX).saturating_mul(RATE) / 1_000_000
    }

    /// How much faster the sound is to be played; none when it stays as it is.
    fn tempo(self, sound: u64, video: u64) -> Option<f64> {
        let applies = match self.sync {
            Sync::Trim => false,
            Sync::Stretch => sound < video,
            Sync::Compress => sound > video,
        };
        let tempo = sound as f64 / video.max(1) as f64;
        (applies && sound >= SHORTEST).then(|| tempo.clamp(*TEMPO.start(), *TEMPO.end()))
    }
}

/// What it takes to make sound of one length exactly as long as a video. Pure.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// How often the sound is joined with itself, which nearly doubles it each time.
    doublings: u32,
    /// Where the fade starts, in samples.
    fade_from: u64,
    /// How long it is.
    fade: u64,
}

/// Sound, and what makes a soundtrack of it.
struct Shaping {
    sound: Pcm,
    filter: String,
    /// How many samples there are then.
    samples: u64,
}

/// None when there is too little sound to fill anything with.
fn shape(sound: u64, video: u64, fade: u64) -> Option<Shape> {
    if sound < SHORTEST || video == 0 {
        return None;
    }
    let (mut length, mut doublings) = (sound, 0);
    while length + PADDED < video {
        length = 2 * length - seam(length);
        doublings += 1;
    }
    let fade = fade.min(video / 2);
    Some(Shape { doublings, fade_from: video - fade, fade })
}

fn seam(length: u64) -> u64 {
    SEAM.min(length / 4)
}

impl Media {
    /// Makes a soundtrack for a video of this length: trimmed, padded or repeated to it exactly, at
    /// -16 LUFS, faded out over the last 2 s. The format follows the name of `out`: `.m4a`, `.mp3` or
    /// `.wav`.
    ///
    /// # Errors
    /// About the input when there is no sound, or too little of it (250 ms).
    pub async fn soundtrack(
        &self,
        audio: impl AsRef<Path>,
        video_duration: Duration,
        out: impl AsRef<Path>,
    ) -> Result<Probe, MediaError> {
        let work = self.work_dir()?;
        let micros = u64::try_from(video_duration.as_micros()).unwrap_or(u64::MAX);
        let shaping = self.shaping(audio.as_ref(), micros, SoundShape::default(), &work).await?;
        let run = self.run(Tool::Ffmpeg, SHAPING).input(&shaping.sound.path)?;
        let sound = format!("[0:a:0]{}", shaping.filter);
        let (samples, probe) = self.coded(run, &sound, &work, out.as_ref()).await?;
        expect(SHAPING, samples, shaping.samples)?;
        Ok(probe)
    }

    /// Puts a soundtrack under a cut: the video is copied, never shortened; the sound is made exactly as
    /// long (see [`Media::soundtrack`]) and coded as AAC, 192 kbit/s. Sound that the cut has is dropped. `poster`
    /// says where a poster of it is to be written (see [`Media::poster`]).
    ///
    /// # Errors
    /// About the input when the cut is no video or the soundtrack no sound; else what failed.
    pub async fn mix(
        &self,
        cut: &Source,
        soundtrack: impl AsRef<Path>,
        out: impl AsRef<Path>,
        poster: Option<&Path>,
    ) -> Result<Probe, MediaError> {
        self.mix_shaped(cut, soundtrack, SoundShape::default(), out, poster).await
    }

    /// The same, with the sound fitted in another way.
    ///
    /// # Errors
    /// As for [`Media::mix`].
    pub async fn mix_shaped(
        &self,
        cut: &Source,
        soundtrack: impl AsRef<Path>,
        shape: SoundShape,
        out: impl AsRef<Path>,
        poster: Option<&Path>,
    ) -> Result<Probe, MediaError> {
        let out = out.as_ref();
        let before = self.known(cut).await?;
        let video = before.require_video()?;
        let work = self.work_dir()?;
        let shaping = self.shaping(soundtrack.as_ref(), video.duration_us, shape, &work).await?;
        let exact = work.path().join("exact.wav");
        let run = self
            .run(Tool::Ffmpeg, MIXING)
            .input(&cut.path)?
            .input(&shaping.sound.path)?
            .args(["-filter_complex", &format!("[1:a:0]{},{CODED_AND_EXACT}", shaping.filter)])
            .args(["-map", "0:v:0", "-map", "[coded]", "-map_metadata", "-1", "-c:v", "copy"])
            .args(["-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"])
            .arg("-video_track_timescale")
            .arg(video.timebase.den.to_string())
            .args(["-f", "mp4"])
            .output(out)?
            .args(EXACT)
            .output(&exact)?;
        with_poster(run, poster, video.duration_us, video.shown_size())?.go().await?;
        expect(MIXING, wav::samples(&exact).await?, shaping.samples)?;
        let probe = self.probe(out).await?;
        check_mix(&probe, video)?;
        self.finish_poster(out, &probe, poster).await?;
        Ok(probe)
    }

    /// Decoded sound, and the filter that gives it exactly the video's length and the right loudness, and fades it
    /// out.
    async fn shaping(
        &self,
        audio: &Path,
        video_us: u64,
        how: SoundShape,
        work: &TempDir,
    ) -> Result<Shaping, MediaError> {
        let wanted = video_us.saturating_mul(RATE) / 1_000_000;
        // Only who plays it at another speed needs all of it.
        let longest = (how.sync != Sync::Compress).then_some(wanted);
        let (mut sound, told) = self.measured_while_decoded(audio, longest, work).await?;
        let tempo = how.tempo(sound.samples, wanted);
        if let Some(tempo) = tempo {
            sound = self.at_tempo(&sound, tempo, work).await?;
        }
        let Some(shape) = shape(sound.samples, wanted, how.fade_samples()) else {
            let ms = sound.samples * 1000 / RATE;
            return Err(MediaError::unsupported(format!("{ms} ms of sound are too little for a soundtrack")));
        };
        for _ in 0..shape.doublings {
            let seam = seam(sound.samples);
            let again = Pcm { path: sound.path.clone(), samples: sound.samples };
            sound = self.joined_pcm(&[sound, again], seam, Curve::Different, work).await?;
        }
        let loudness = match (shape.doublings, tempo) {
            (0, None) if longest.is_some() => measured(&told)?,
            _ => self.loudness(&sound.path, wanted).await?,
        };
        let correction = loudness.map_or("anull".to_owned(), |found| found.correction());
        let Shape { fade_from, fade, .. } = shape;
        let faded = if fade == 0 { String::new() } else { format!(",afade=t=out:ss={fade_from}:ns={fade}") };
        let filter = format!(
            "atrim=end_sample={wanted},{correction},\
             aformat=sample_fmts=flt:sample_rates={RATE}:channel_layouts=stereo,\
             apad=whole_len={wanted},atrim=end_sample={wanted}{faded}"
        );
        Ok(Shaping { sound, filter, samples: wanted })
    }

    /// Decoded sound at another speed, its pitch kept.
    async fn at_tempo(&self, sound: &Pcm, tempo: f64, work: &TempDir) -> Result<Pcm, MediaError> {
        let filter = format!("[0:a:0]atempo={tempo:.6}[kept]");
        let at = work.path().join("at-tempo.wav");
        self.decoded_by(&sound.path, &filter, &[], at).await.map(|(pcm, _)| pcm)
    }

    /// As much of the sound as is wanted, and what was said of its loudness.
    async fn measured_while_decoded(
        &self,
        audio: &Path,
        longest: Option<u64>,
        work: &TempDir,
    ) -> Result<(Pcm, String), MediaError> {
        let filter = format!(
            "[0:a:0]{},asplit[kept][heard];[heard]{}[measured]",
            exact_filter(0, longest),
            measuring()
        );
        let nowhere = ["-map", "[measured]", "-f", "null", "-"];
        self.decoded_by(audio, &filter, &nowhere, work.path().join("sound.wav")).await
    }
}

fn check_mix(probe: &Probe, before: &VideoStream) -> Result<(), MediaError> {
    let wrong = |detail: String| Err(MediaError::WrongResult { doing: MIXING, detail });
    let (video, audio) = (probe.require_video()?, probe.require_audio()?);
    if audio.codec != "aac" {
        return wrong(format!("its sound is {}", audio.codec));
    }
    let same = |v: &VideoStream| (v.codec.clone(), v.width, v.height, v.frames);
    if same(video) != same(before) {
        return wrong(format!("its video is {video:?}, the cut was {before:?}"));
    }
    for (what, length) in [("video", video.duration_us), ("sound", audio.duration_us)] {
        if length.abs_diff(before.duration_us) > CODED_TOLERANCE_US {
            return wrong(format!("its {what} is {length} us long, the cut {} us", before.duration_us));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = RATE;

    fn shape(sound: u64, video: u64) -> Option<Shape> {
        super::shape(sound, video, SoundShape::default().fade_samples())
    }

    #[test]
    fn sound_that_is_long_enough_is_not_repeated() {
        assert_eq!(shape(60 * S, 36 * S).unwrap().doublings, 0);
        assert_eq!(shape(36 * S - PADDED, 36 * S).unwrap().doublings, 0, "a little silence under the fade");
    }

    #[test]
    fn short_sound_is_repeated_until_it_fills_the_video() {
        assert_eq!(shape(36 * S - PADDED - 1, 36 * S).unwrap().doublings, 1);
        // 5 -> 9 -> 17 -> 33 -> 65
        assert_eq!(shape(5 * S, 60 * S).unwrap().doublings, 4);
        assert!(shape(SHORTEST, 3600 * S).unwrap().doublings < 24);
    }

    #[test]
    fn the_fade_takes_the_last_two_seconds_or_half_a_short_video() {
        let long = shape(60 * S, 36 * S).unwrap();
        assert_eq!((long.fade_from, long.fade), (34 * S, 2 * S));
        let short = shape(60 * S, 3 * S).unwrap();
        assert_eq!((short.fade_from, short.fade), (S + S / 2, S + S / 2));
    }

    #[test]
    fn music_is_slowed_down_or_sped_up_only_towards_the_length_of_the_video_and_only_so_far() {
        let tempo = |sync, sound, video| SoundShape { sync, ..SoundShape::default() }.tempo(sound, video);
        assert_eq!(tempo(Sync::Trim, 30 * S, 60 * S), None);
        assert_eq!(tempo(Sync::Stretch, 45 * S, 60 * S), Some(0.75));
        assert_eq!(tempo(Sync::Stretch, 10 * S, 60 * S), Some(0.5));
        assert_eq!(tempo(Sync::Stretch, 90 * S, 60 * S), None);
        assert_eq!(tempo(Sync::Compress, 90 * S, 60 * S), Some(1.5));
        assert_eq!(tempo(Sync::Compress, 300 * S, 60 * S), Some(2.0));
        assert_eq!(tempo(Sync::Compress, 30 * S, 60 * S), None);
    }

    #[test]
    fn next_to_nothing_is_no_soundtrack() {
        assert_eq!(shape(SHORTEST - 1, 10 * S), None);
        assert_eq!(shape(10 * S, 0), None);
    }
}
