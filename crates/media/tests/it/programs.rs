//! How many programs are started: starting one costs more than most of what they do here.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use media::{JoinPlan, Segment, Source};

use crate::studio::Studio;

/// The tool of that name, which first notes that it was started.
fn noted(dir: &Path, tool: &str) -> PathBuf {
    let (path, notes) = (dir.join(tool), dir.join("notes"));
    let text = format!("#!/bin/sh\necho {tool} >> {}\nexec {tool} \"$@\"\n", notes.display());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// What was started since the last time.
fn started(dir: &Path) -> Vec<String> {
    let notes = dir.join("notes");
    let text = std::fs::read_to_string(&notes).unwrap_or_default();
    let _ = std::fs::remove_file(notes);
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_soundtrack_a_cut_and_a_mix_take_seven_programs_and_a_look_at_the_clip() {
    let tools = tempfile::tempdir().unwrap();
    let (ffmpeg, ffprobe) = (noted(tools.path(), "ffmpeg"), noted(tools.path(), "ffprobe"));
    let studio = Studio::with(|settings| (settings.ffmpeg, settings.ffprobe) = (ffmpeg, ffprobe));
    let poster = studio.path("poster.jpg");

    let plan = JoinPlan {
        segments: vec![Segment { path: studio.music("segment.wav", 3.0), skip_ms: 0 }],
        crossfade_ms: 500,
    };
    let track = studio.path("track.mp3");
    studio.media.join_segments(&plan, &track).await.unwrap();
    assert_eq!(started(tools.path()), ["ffmpeg", "ffprobe"], "coding and a look at what came of it");

    let clip = studio.clip("clip.mp4", "64x36", "24", 48);
    let known = Source { probe: Some(studio.media.probe(&clip).await.unwrap()), path: clip };
    assert_eq!(started(tools.path()), ["ffprobe"]);
    let cut = studio.path("cut.mp4");
    let probe = studio.media.concat(&[known], &cut, Some(&poster)).await.unwrap();
    assert_eq!(started(tools.path()), ["ffmpeg", "ffprobe"], "the poster is drawn on the way");

    let cut = Source { path: cut, probe: Some(probe) };
    studio.media.mix(&cut, &track, studio.path("mix.mp4"), Some(&poster)).await.unwrap();
    assert_eq!(started(tools.path()), ["ffmpeg", "ffmpeg", "ffprobe"], "loudness is measured while decoding");
}
