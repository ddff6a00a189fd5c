//! Every run is told how many threads it may have: left alone it takes as many as the machine has processors.

use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use media::{Ending, Font, JoinPlan, Place, Segment, Source, TextOverlay};

use crate::studio::Studio;

/// Stands between two runs in the notes, and between two arguments.
const RUN: char = '\u{1e}';
const ARGUMENT: char = '\u{1f}';

/// The tool of that name, which first notes what it was told.
fn noted(dir: &Path, tool: &str) -> PathBuf {
    let (path, notes) = (dir.join(tool), dir.join("notes"));
    let text = format!(
        "#!/bin/sh\n{{ printf '{RUN}{tool}'; for one in \"$@\"; do printf '{ARGUMENT}%s' \"$one\"; done; }} >> {}\nexec {tool} \"$@\"\n",
        notes.display()
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A studio whose runs have so many threads each, and where they are noted.
fn studio(threads: usize) -> (Studio, tempfile::TempDir) {
    let tools = tempfile::tempdir().unwrap();
    let (ffmpeg, ffprobe) = (noted(tools.path(), "ffmpeg"), noted(tools.path(), "ffprobe"));
    let studio = Studio::with(|settings| {
        (settings.ffmpeg, settings.ffprobe) = (ffmpeg, ffprobe);
        settings.limits.threads = NonZeroUsize::new(threads);
    });
    (studio, tools)
}

/// The runs so far, each a program and its arguments.
fn runs(tools: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(tools.join("notes")).unwrap();
    let run = |run: &str| run.split(ARGUMENT).map(str::to_owned).collect();
    text.split(RUN).skip(1).map(run).collect()
}

/// What stands behind each `option` of a run.
fn values<'r>(run: &'r [String], option: &str) -> Vec<&'r str> {
    run.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].as_str()).collect()
}

/// Whether the argument is a file that this run writes.
fn is_output(run: &[String], at: usize) -> bool {
    let ends = [".mp4", ".wav", ".mp3", ".m4a", ".jpg"];
    run[at].starts_with('/') && ends.iter().any(|end| run[at].ends_with(end)) && run[at - 1] != "-i"
}

/// Fails unless all of the run has `threads`; tells how many files it writes.
fn check(run: &[String], threads: usize) -> usize {
    let threads = threads.to_string();
    let told = |option: &str| values(run, option) == [threads.as_str()];
    if run[0] == "ffmpeg" {
        assert!(told("-filter_threads") && told("-filter_complex_threads"), "{run:?}");
    }
    let outputs: Vec<usize> = (1..run.len()).filter(|at| is_output(run, *at)).collect();
    for at in &outputs {
        assert_eq!(run[at - 2..*at], ["-threads", &threads], "the encoders of {}: {run:?}", run[*at]);
    }
    for at in (0..run.len()).filter(|at| run[*at] == "-i") {
        assert_eq!(run[at - 4..at - 2], ["-threads", &threads], "the decoders of {}: {run:?}", run[at + 1]);
    }
    assert!(values(run, "-threads").iter().all(|told| *told == threads), "{run:?}");
    outputs.len()
}

fn overlay() -> TextOverlay {
    TextOverlay {
        text: "Northwind".into(),
        font: Font::Sans,
        size: 32,
        color: [255; 3],
        place: Place::Center,
        fade_in: Duration::ZERO,
        fade_out: Duration::ZERO,
        start: Duration::ZERO,
        length: None,
    }
}

/// Everything that is made of videos and sound.
async fn make_all(studio: &Studio) -> PathBuf {
    let (media, path) = (&studio.media, |name: &str| studio.path(name));
    let clips = [
        studio.clip("a.mp4", "320x180", "24", 24),
        studio.clip("odd.mp4", "480x272", "30", 30),
        studio.clip("b.mp4", "320x180", "24", 24),
    ];
    let (poster, music) = (path("poster.jpg"), studio.music("music.wav", 2.0));
    media.concat(&clips.map(Source::from), path("cut.mp4"), Some(&poster)).await.unwrap();
    let segment = |path: &PathBuf| Segment { path: path.clone(), skip_ms: 0 };
    let plan = JoinPlan { segments: vec![segment(&music), segment(&music)], crossfade_ms: 100 };
    media.join_segments(&plan, path("joined.mp3")).await.unwrap();
    let one = JoinPlan { segments: vec![segment(&music)], crossfade_ms: 0 };
    media.join_segments(&one, path("track.m4a")).await.unwrap();
    let ending = Ending { at_least_ms: 3_000, fade_ms: 500 };
    media.ended(path("track.m4a"), ending, path("ended.mp3")).await.unwrap();
    media.voiced(&music, &music, Duration::from_millis(100), path("voiced.wav")).await.unwrap();
    media.soundtrack(&music, Duration::from_secs(5), path("sound.m4a")).await.unwrap();
    let cut = Source::from(path("cut.mp4"));
    media.mix(&cut, path("joined.mp3"), path("mix.mp4"), Some(&poster)).await.unwrap();
    media.overlay(&cut, &overlay(), path("under.mp4"), Some(&poster)).await.unwrap();
    media.poster(path("mix.mp4"), &poster).await.unwrap();
    path("under.mp4")
}

#[tokio::test]
async fn every_run_has_the_threads_that_are_set_for_decoding_filtering_and_encoding() {
    for threads in [1, 3] {
        let (studio, tools) = studio(threads);
        make_all(&studio).await;
        let written: usize = runs(tools.path()).iter().map(|run| check(run, threads)).sum();
        assert!(written > 15, "only {written} files were seen to be written");
    }
}

#[tokio::test]
async fn the_encoder_has_them_and_not_those_of_the_machine() {
    for threads in [1, 3] {
        let (studio, _tools) = studio(threads);
        let video = std::fs::read(make_all(&studio).await).unwrap();
        // x264 writes into the stream how it was set up.
        let text = String::from_utf8_lossy(&video);
        let at = text.find(" threads=").expect("the settings of x264") + " threads=".len();
        let told: String = text[at..].chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(told, threads.to_string());
    }
}

#[tokio::test]
async fn an_image_has_one_thread_whatever_is_set() {
    let (studio, tools) = studio(3);
    let image = studio.make("-f lavfi -i testsrc2=s=640x480 -frames:v 1", "photo.png");
    studio.media.image_thumbnail(&image, studio.path("small.jpg")).await.unwrap();
    studio.media.frame_image(&image, studio.path("frame.jpg")).await.unwrap();
    let written: usize = runs(tools.path()).iter().map(|run| check(run, 1)).sum();
    assert_eq!(written, 2);
}
