//! A voice over music: the music steps back while somebody speaks.

use std::path::Path;
use std::time::Duration;

use crate::audio::{Pcm, RATE, expect};
use crate::run::Tool;
use crate::{Media, MediaError, Probe};

const DOING: &str = "laying a voice over music";

impl Media {
    /// Lays a voice over music, from `start` on; it is cut off where the music ends. The result is as long as the music;
    /// the format follows the name of `out`: `.wav`, `.mp3` or `.m4a`.
    ///
    /// # Errors
    /// About the input when one of the two is no sound.
    pub async fn voiced(
        &self,
        music: impl AsRef<Path>,
        voice: impl AsRef<Path>,
        start: Duration,
        out: impl AsRef<Path>,
    ) -> Result<Probe, MediaError> {
        let work = self.work_dir()?;
        let music = self.decoded(music.as_ref(), 0, work.path().join("music.wav")).await?;
        let voice = self.decoded(voice.as_ref(), 0, work.path().join("voice.wav")).await?;
        let run = self.run(Tool::Ffmpeg, DOING).input(&music.path)?.input(&voice.path)?;
        let (samples, probe) = self.coded(run, &filter(&music, start), &work, out.as_ref()).await?;
        expect(DOING, samples, music.samples)?;
        Ok(probe)
    }
}

/// The voice drives a compressor on the music, then both are summed and kept from clipping.
fn filter(music: &Pcm, start: Duration) -> String {
    let whole = music.samples;
    let delay = (start.as_millis() * u128::from(RATE) / 1000).min(u128::from(whole));
    format!(
        "[1:a:0]adelay=delays={delay}S:all=1,apad=whole_len={whole},atrim=end_sample={whole},asplit[key][said];\
         [0:a:0][key]sidechaincompress=threshold=0.02:ratio=10:attack=20:release=400[under];\
         [under][said]amix=inputs=2:duration=first:normalize=0,alimiter=limit=0.95:level=0,\
         atrim=end_sample={whole}"
    )
}
