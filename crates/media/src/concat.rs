//! Clips to one silent video.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::frame::with_poster;
use crate::layout::{Layout, Plan, copyable, plan, target_of};
use crate::run::Tool;
use crate::{Media, MediaError, Probe, Source, VideoStream};

/// How far a cut may be from the sum of its clips, in microseconds.
const TOLERANCE_US: u64 = 200_000;
const JOINING: &str = "joining the clips";

/// Where a cut goes.
#[derive(Clone, Copy)]
struct To<'p> {
    video: &'p Path,
    poster: Option<&'p Path>,
}

/// A clip with what is known of it.
struct Clip {
    path: PathBuf,
    container: String,
    video: VideoStream,
}

impl Media {
    /// Joins clips, in order, to one silent H.264 MP4 that starts playing before it is all there.
    ///
    /// Clips that agree are copied, not coded again; the odd ones are first brought to the layout of the
    /// others. Sound in the clips is left out. The result is probed: layout, length and frame count. `poster` says
    /// where a poster of it is to be written (see [`Media::poster`]).
    ///
    /// # Errors
    /// About the input when a clip is not a whole video (the error names which); else what failed.
    pub async fn concat(
        &self,
        clips: &[Source],
        out: impl AsRef<Path>,
        poster: Option<&Path>,
    ) -> Result<Probe, MediaError> {
        let to = To { video: out.as_ref(), poster };
        let mut known = Vec::with_capacity(clips.len());
        for (index, source) in clips.iter().enumerate() {
            known.push(self.clip(source).await.map_err(|error| in_clip(index, clips.len(), error))?);
        }
        let streams: Vec<_> = known.iter().map(|clip| (clip.container.as_str(), &clip.video)).collect();
        let Some(planned) = plan(&streams) else {
            return Err(MediaError::unsupported("there are no clips to join"));
        };
        let work = self.work_dir()?;
        let joined = match self.joined(&known, &planned, &work, to).await {
            // What looked alike did not fit after all: code every clip anew, once.
            Err(error @ (MediaError::WrongResult { .. } | MediaError::Failed { .. }))
                if planned.odd.len() < known.len() =>
            {
                tracing::warn!(error = %error, "clips that agree could not be joined; coding all of them anew");
                let all = Plan {
                    layout: target_of(&known[0].video),
                    odd: (0..known.len()).collect(),
                    one_setup: false,
                };
                self.joined(&known, &all, &work, to).await
            }
            done => done,
        };
        let probe = joined?;
        self.finish_poster(to.video, &probe, poster).await?;
        Ok(probe)
    }

    async fn clip(&self, source: &Source) -> Result<Clip, MediaError> {
        let probe = self.known(source).await?;
        let video = probe.require_video()?.clone();
        Ok(Clip { path: source.path.clone(), container: probe.container, video })
    }

    async fn joined(
        &self,
        clips: &[Clip],
        plan: &Plan,
        work: &TempDir,
        to: To<'_>,
    ) -> Result<Probe, MediaError> {
        let mut list = String::from("ffconcat version 1.0\n");
        let (mut length_us, mut frames) = (0, Some(0));
        for (index, clip) in clips.iter().enumerate() {
            let (path, video) = if plan.odd.contains(&index) {
                let path = work.path().join(format!("clip-{index}.mp4"));
                let video = self.normalised(clip, &plan.layout, &path).await;
                (path, video.map_err(|error| in_clip(index, clips.len(), error))?)
            } else {
                (clip.path.clone(), clip.video.clone())
            };
            length_us += clip.video.duration_us;
            frames = frames.zip(video.frames).map(|(sum, own)| sum + own);
            push_entry(&mut list, &path, video.duration_us)?;
        }
        let list_file = work.path().join("clips.ffconcat");
        tokio::fs::write(&list_file, list).await.map_err(MediaError::io("writing the list of clips"))?;
        let run = self
            .run(Tool::Ffmpeg, JOINING)
            .args(["-f", "concat", "-safe", "0"])
            .input(&list_file)?
            .args(["-map", "0:v:0", "-c", "copy", "-map_metadata", "-1", "-movflags", "+faststart"])
            .arg("-video_track_timescale")
            .arg(plan.layout.timescale.to_string())
            .args(["-f", "mp4"])
            .output(to.video)?;
        let shown = (plan.layout.width, plan.layout.height);
        with_poster(run, to.poster, length_us, shown)?.go().await?;
        let probe = self.probe(to.video).await?;
        check_cut(&probe, &plan.layout, length_us, frames)?;
        if !plan.one_setup {
            self.check_decodes(to.video, frames).await?;
        }
        Ok(probe)
    }

    /// Codes a clip anew in a layout: fitted, padded, at that rate.
    async fn normalised(&self, clip: &Clip, layout: &Layout, to: &Path) -> Result<VideoStream, MediaError> {
        let Layout { width, height, fps, timescale } = layout;
        let filter = format!(
            "scale=w='max(2,iw*sar)':h=ih,setsar=1,\
             scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=bicubic,\
             pad={width}:{height}:-1:-1,setsar=1,fps={fps},format=yuv420p"
        );
        self.run(Tool::Ffmpeg, "normalising a clip")
            .input(&clip.path)?
            .args(["-map", "0:v:0", "-an", "-sn", "-dn", "-vf", &filter])
            // A parameter set number of its own: it must not overwrite that of the clips beside it.
            .args(["-c:v", "libx264", "-preset", "fast", "-crf", "17", "-x264-params", "sps-id=1"])
            .args(["-map_metadata", "-1", "-video_track_timescale", &timescale.to_string(), "-f", "mp4"])
            .output(to)?
            .go()
            .await?;
        let probe = self.probe(to).await?;
        let video = probe.require_video()?;
        if copyable(&probe.container, video).as_ref() != Some(layout) {
            return Err(wrong("normalising a clip", format!("it has {video:?}, wanted {layout:?}")));
        }
        Ok(video.clone())
    }

    /// Decodes everything: no error, and every frame is there.
    async fn check_decodes(&self, path: &Path, frames: Option<u64>) -> Result<(), MediaError> {
        let output = self
            .run(Tool::Ffprobe, "decoding the joined clips")
            .args(["-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames"])
            .args(["-print_format", "csv=p=0"])
            .timeout(self.limits().run_timeout)
            .input(path)?
            .go()
            .await?;
        let counted =
            String::from_utf8_lossy(&output.stdout).trim().trim_end_matches(',').parse::<u64>().ok();
        if !output.stderr.trim().is_empty() {
            return Err(wrong(JOINING, crate::run::last_lines(&output.stderr)));
        }
        match (counted, frames) {
            (Some(counted), Some(frames)) if counted != frames => {
                Err(wrong(JOINING, format!("{counted} of {frames} frames can be decoded")))
            }
            (None, _) => Err(wrong(JOINING, "it cannot be decoded".into())),
            _ => Ok(()),
        }
    }
}

fn push_entry(list: &mut String, path: &Path, duration_us: u64) -> Result<(), MediaError> {
    let path = crate::absolute(path)?;
    let Some(path) = path.to_str().filter(|path| !path.contains('\n')) else {
        return Err(MediaError::unsupported("the path of a clip is not plain text"));
    };
    let (seconds, micros) = (duration_us / 1_000_000, duration_us % 1_000_000);
    // The length of the picture, else a longer sound track would leave a gap before the next clip.
    let _ = writeln!(list, "file '{}'\nduration {seconds}.{micros:06}", path.replace('\'', r"'\''"));
    Ok(())
}

fn check_cut(probe: &Probe, layout: &Layout, length_us: u64, frames: Option<u64>) -> Result<(), MediaError> {
    let video = probe.require_video()?;
    if probe.audio.is_some() {
        return Err(wrong(JOINING, "there is sound in what should be silent".into()));
    }
    let size = (video.codec.as_str(), video.width, video.height);
    if size != ("h264", layout.width, layout.height) {
        return Err(wrong(JOINING, format!("it is {size:?}, wanted {layout:?}")));
    }
    if video.duration_us.abs_diff(length_us) > TOLERANCE_US {
        let (got, wanted) = (video.duration_us, length_us);
        return Err(wrong(JOINING, format!("it is {got} us long, its clips are {wanted} us")));
    }
    match (video.frames, frames) {
        (Some(got), Some(wanted)) if got != wanted => {
            Err(wrong(JOINING, format!("it has {got} frames, its clips have {wanted}")))
        }
        _ => Ok(()),
    }
}

fn wrong(doing: &'static str, detail: String) -> MediaError {
    MediaError::WrongResult { doing, detail }
}

/// Says which clip a fault is about.
fn in_clip(index: usize, of: usize, error: MediaError) -> MediaError {
    let name = |detail: String| format!("clip {} of {of}: {detail}", index + 1);
    match error {
        MediaError::NotMedia { detail } => MediaError::NotMedia { detail: name(detail) },
        MediaError::Truncated { detail } => MediaError::Truncated { detail: name(detail) },
        MediaError::Unsupported { detail } => MediaError::Unsupported { detail: name(detail) },
        other => other,
    }
}
