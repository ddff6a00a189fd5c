//! Music as a file: the window of what came before, then the new seconds.

use std::path::Path;

use bytes::Bytes;

use super::ffmpeg::{input, words};
use super::song::Song;
use super::synth::RATE;
use super::{Ffmpeg, MediaError, number};
use crate::models::SongJob;

/// A track that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct TrackPlan {
    job: SongJob,
    before: Option<Bytes>,
    song: Song,
    draft: bool,
}

impl TrackPlan {
    /// `before` is the audio to go on from, when the job asks for that.
    pub(crate) fn new(job: &SongJob, before: Option<Bytes>, seed: u64, draft: bool) -> Self {
        // A draft is chosen by style and energy alone, so that many prompts share one piece.
        let chosen = if draft { seed } else { number(seed, &job.prompt) };
        let song = Song::asked_for(&job.prompt, chosen, seed);
        Self { job: job.clone(), before, song, draft }
    }

    /// Names the track by everything that shapes it.
    pub(crate) fn digest(&self, extra: &str) -> String {
        let window = self.job.continues.as_ref().map(|c| (c.start, c.end));
        let shape =
            format!("{:?} {} {} {window:?} {}", self.song, self.job.seconds, self.job.format, self.draft);
        super::digest(&[self.before.as_deref().unwrap_or_default(), shape.as_bytes(), extra.as_bytes()])
    }
}

/// Makes the track at `path`.
pub(crate) async fn make_track(ffmpeg: &Ffmpeg, plan: &TrackPlan, path: &Path) -> Result<(), MediaError> {
    let _turn = ffmpeg.turn().await?;
    let mut samples = match (&plan.job.continues, &plan.before) {
        (Some(continuation), Some(before)) => {
            let heard = decode(ffmpeg, before).await?;
            let length = heard.len() as f64 / 2.0 / f64::from(RATE);
            let (start, end) = continuation.window(length, plan.job.seconds).map_err(MediaError::new)?;
            let frame = |seconds: f64| ((seconds * f64::from(RATE)).round() as usize * 2).min(heard.len());
            heard[frame(start)..frame(end)].to_vec()
        }
        _ => Vec::new(),
    };
    samples.extend(written(plan.song, f64::from(plan.job.seconds)).await?);
    let quality = if plan.draft { "-b:a 96k -compression_level 9" } else { "-b:a 192k" };
    let codec = if plan.job.format == "wav" { String::new() } else { format!("-c:a libmp3lame {quality}") };
    let mut arguments = words(&format!("-f f32le -ar {RATE} -ac 2 -i pipe:0 {codec}"));
    arguments.push(path.to_string_lossy().into_owned());
    ffmpeg.run(&arguments, input(Some(raw(&samples)))).await.map(drop)
}

/// A piece of `seconds` as MP3 in memory, at 128 kbit/s.
pub(crate) async fn compose_mp3(
    ffmpeg: &Ffmpeg,
    prompt: &str,
    chosen: u64,
    key: u64,
    seconds: f64,
) -> Result<Vec<u8>, MediaError> {
    let _turn = ffmpeg.turn().await?;
    let samples = written(Song::asked_for(prompt, chosen, key), seconds).await?;
    let arguments =
        words(&format!("-f f32le -ar {RATE} -ac 2 -i pipe:0 -c:a libmp3lame -b:a 128k -f mp3 pipe:1"));
    ffmpeg.run(&arguments, input(Some(raw(&samples)))).await
}

/// Any audio as stereo samples, left and right in turns.
async fn decode(ffmpeg: &Ffmpeg, audio: &[u8]) -> Result<Vec<f32>, MediaError> {
    let arguments = words(&format!("-i pipe:0 -vn -f f32le -ar {RATE} -ac 2 pipe:1"));
    let bytes = ffmpeg
        .run(&arguments, input(Some(audio.to_vec())))
        .await
        .map_err(|e| MediaError::new(format!("The input audio could not be read: {e}")))?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|sample| f32::from_le_bytes(*sample)).collect())
}

async fn written(song: Song, seconds: f64) -> Result<Vec<f32>, MediaError> {
    tokio::task::spawn_blocking(move || song.render(seconds))
        .await
        .map_err(|e| MediaError::new(e.to_string()))
}

fn raw(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}
