//! Segments to one track: joined at their seams, compressed, looked at, stored.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use blobs::{Blobs, Need, WorkDir};
use media::{Ending, JoinPlan, Media, Segment};
use protos::common::v1::BlobRef;

use crate::events::OnFailure;
use crate::plan::{self, CROSSFADE_MS};
use crate::track::Track;

/// How far the track may be from the arithmetic, milliseconds: segments of odd lengths are rounded.
const TOLERANCE_MS: u64 = 100;

/// Bytes of a millisecond of decoded sound: 48 kHz, stereo, floating point.
const DECODED_MS: u64 = 48 * 2 * 4;
/// Decoded files of a whole track that lie there at one time at most.
const FILES: u64 = 4;

/// When a voice begins to speak.
const VOICE_START: Duration = Duration::from_millis(800);

/// A finished track.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The file, MP3.
    pub audio: BlobRef,
    /// Its real length, milliseconds.
    pub duration_ms: u64,
}

/// Joins what was delivered for `track` and stores it. Doing it again makes the same file.
///
/// # Errors
/// A file is gone, ffmpeg failed, the result is not as long as its parts, or the store failed.
pub async fn join(media: &Media, blobs: &Blobs, track: &Track) -> anyhow::Result<Joined> {
    let pieces = track.pieces();
    let work = blobs.work_dir(needed(track, plan::track_ms(&pieces))).await?;
    let parts = plan::parts(&pieces);
    let mut segments = Vec::with_capacity(parts.len());
    for ((_, audio, _), part) in track.delivered().zip(&parts) {
        segments.push(Segment { path: file(blobs, audio, &work).await?, skip_ms: part.skip_ms() });
    }
    let out = work.join("soundtrack.mp3");
    let plan = JoinPlan { segments, crossfade_ms: CROSSFADE_MS };
    let probe = media.join_segments(&plan, &out).await.context("joining the segments")?;
    let expected = plan::track_ms(&pieces);
    anyhow::ensure!(
        probe.duration_ms.abs_diff(expected) <= TOLERANCE_MS,
        "the joined track lasts {} ms, its parts {expected} ms",
        probe.duration_ms
    );
    let (out, probe) = match ending(track, expected) {
        None => (out, probe),
        Some(ending) => {
            let ended = work.join("ended.mp3");
            let probe = media.ended(&out, ending, &ended).await.context("ending the track")?;
            (ended, probe)
        }
    };
    let (out, probe) = match track.spoken() {
        None => (out, probe),
        Some(voice) => {
            let (said, with_voice) = (file(blobs, voice, &work).await?, work.join("voiced.mp3"));
            let probe = media
                .voiced(&out, said, VOICE_START, &with_voice)
                .await
                .context("laying the voice over it")?;
            (with_voice, probe)
        }
    };
    let audio = blobs.put_file(&out, "audio/mpeg").await.context("storing the track")?;
    Ok(Joined { audio, duration_ms: probe.duration_ms })
}

/// How the track ends, when that was asked for; `length_ms` is what there is of it.
fn ending(track: &Track, length_ms: u64) -> Option<Ending> {
    let request = track.request.as_ref()?;
    let filled = request.on_failure == OnFailure::Silence && length_ms < request.duration_ms;
    let at_least_ms = if filled { request.duration_ms } else { 0 };
    let ending = Ending { at_least_ms, fade_ms: request.fade_ms.unwrap_or(0) };
    (ending != Ending::default()).then_some(ending)
}

/// What joining a track puts into its directory: what was delivered and said, and the track, decoded, in a few files.
fn needed(track: &Track, length_ms: u64) -> Need {
    let delivered = track.delivered().map(|(_, audio, _)| audio.size);
    let copies = delivered.chain(track.spoken().map(|voice| voice.size)).fold(0, u64::saturating_add);
    let wanted_ms = track.request.as_ref().map_or(0, |request| request.duration_ms);
    let made = length_ms.max(wanted_ms).saturating_mul(DECODED_MS * FILES);
    Need { copies, made: made.saturating_add(copies) }
}

/// The blob as a file: where it lies, or a copy in the work directory.
async fn file(blobs: &Blobs, audio: &BlobRef, work: &WorkDir) -> anyhow::Result<PathBuf> {
    if let Some(path) = blobs.path(&audio.sha256) {
        return Ok(path);
    }
    let copy = work.join(&audio.sha256);
    blobs.fetch_to(&audio.sha256, &copy).await.context("fetching a segment")?;
    Ok(copy)
}
