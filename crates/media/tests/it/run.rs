//! How the tools are run: nothing hangs, nothing outlives us, failures are told.

use std::io::Read as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use media::{Media, MediaError, MediaSettings};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::studio::Studio;

const DEADLINE: Duration = Duration::from_secs(60);

/// A stand-in tool.
fn script(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("tool");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A pipe with a name: whoever holds it open is alive.
fn pipe(dir: &Path) -> PathBuf {
    let path = dir.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    path
}

/// Media whose ffprobe is a script.
fn with_script(text: &str, limit: Duration) -> (Studio, tempfile::TempDir) {
    let tools = tempfile::tempdir().unwrap();
    let path = script(tools.path(), text);
    let studio = Studio::with(|settings| {
        settings.ffprobe = path;
        settings.limits.probe_timeout = limit;
    });
    (studio, tools)
}

#[tokio::test]
async fn the_installed_tools_have_all_that_is_needed() {
    Studio::new().media.check().await.unwrap();
}

#[tokio::test]
async fn a_missing_tool_is_named_with_what_to_install() {
    let studio = Studio::with(|settings| settings.ffprobe = "/nonexistent/ffprobe".into());
    let error = studio.media.check().await.unwrap_err().to_string();
    assert!(error.contains("ffprobe") && error.contains("/nonexistent/ffprobe"), "{error}");
    assert!(error.contains("apt-get install ffmpeg"), "{error}");
}

#[tokio::test]
async fn an_ffmpeg_without_a_needed_encoder_is_named() {
    let tools = tempfile::tempdir().unwrap();
    let poor = script(tools.path(), "echo ' V..... mjpeg  x'");
    let studio = Studio::with(|settings| settings.ffmpeg = poor);
    let error = studio.media.check().await.unwrap_err().to_string();
    assert!(error.contains("encoder libx264") && error.contains("filter loudnorm"), "{error}");
    assert!(!error.contains("mjpeg"), "{error}");
}

#[tokio::test]
async fn the_error_carries_the_exit_code_and_the_last_lines() {
    let text = "i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3";
    let (studio, _tools) = with_script(text, DEADLINE);
    let error = studio.media.check().await.unwrap_err().to_string();
    assert!(error.contains("exit code 3") && error.contains("line 4998 | line 4999"), "{error}");
    assert!(!error.contains("line 4000 "), "{error}");
}

#[tokio::test]
async fn a_tool_that_takes_too_long_is_killed_with_its_children() {
    let tools = tempfile::tempdir().unwrap();
    let alive = pipe(tools.path());
    let text = format!("exec 3>{}; sleep 1000 & echo started >&3; wait", alive.display());
    let tool = script(tools.path(), &text);
    let studio = Studio::with(|settings| {
        settings.ffprobe = tool;
        settings.limits.probe_timeout = Duration::from_secs(1);
    });
    let held = alive.clone();
    let reading = tokio::task::spawn_blocking(move || {
        std::fs::File::open(held).and_then(|mut pipe| pipe.read_to_end(&mut Vec::new()))
    });
    let error = studio.media.check().await.unwrap_err();
    assert!(matches!(error, MediaError::TimedOut { tool: "ffprobe", .. }), "{error}");
    // On a machine so loaded that the script never came to open the pipe, its reader still waits for a writer.
    let _ = std::fs::OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(&alive);
    // The pipe ends when its last holder, the grandchild, is gone.
    let read = tokio::time::timeout(DEADLINE, reading).await.expect("the grandchild is gone");
    read.unwrap().unwrap();
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_is_killed_with_its_children() {
    let tools = tempfile::tempdir().unwrap();
    let alive = pipe(tools.path());
    let text = format!("exec 3>{}; sleep 1000 & echo started >&3; wait", alive.display());
    let tool = script(tools.path(), &text);
    let studio = Studio::with(|settings| settings.ffprobe = tool);
    let media = studio.media.clone();
    let run = tokio::spawn(async move { media.check().await });
    let mut alive = BufReader::new(tokio::fs::File::open(alive).await.unwrap());
    let mut line = String::new();
    alive.read_line(&mut line).await.unwrap();
    assert_eq!(line, "started\n");
    run.abort();
    let rest = tokio::time::timeout(DEADLINE, alive.read_to_end(&mut Vec::new())).await;
    assert_eq!(rest.expect("the grandchild is gone").unwrap(), 0);
    assert!(run.await.unwrap_err().is_cancelled());
}

/// Where the process of the next test finds its stand-in tool.
const TOOL: &str = "FILMSTRIP_TEST_TOOL";

#[test]
#[ignore = "is the other process of when_we_are_killed_the_kernel_kills_the_tool"]
fn the_process_that_is_killed() {
    let Some(tool) = std::env::var_os(TOOL) else { return };
    let dir = tempfile::tempdir().unwrap();
    let mut settings = MediaSettings::new(dir.path());
    settings.ffprobe = tool.into();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _ = runtime.block_on(Media::new(settings).unwrap().check());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn when_we_are_killed_the_kernel_kills_the_tool() {
    let tools = tempfile::tempdir().unwrap();
    let alive = pipe(tools.path());
    let tool =
        script(tools.path(), &format!("exec 3>{}; echo started >&3; exec sleep 1000", alive.display()));
    let mut us = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "run::the_process_that_is_killed", "--ignored"])
        .env(TOOL, &tool)
        .env("TMPDIR", tools.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut alive = BufReader::new(tokio::fs::File::open(alive).await.unwrap());
    let mut line = String::new();
    alive.read_line(&mut line).await.unwrap();
    assert_eq!(line, "started\n");
    us.kill().unwrap();
    us.wait().unwrap();
    let rest = tokio::time::timeout(DEADLINE, alive.read_to_end(&mut Vec::new())).await;
    assert_eq!(rest.expect("the tool is gone").unwrap(), 0);
}

#[tokio::test]
async fn no_more_runs_than_allowed_go_on_at_once() {
    let tools = tempfile::tempdir().unwrap();
    let busy = tools.path().join("busy");
    let text = format!("mkdir {0} || exit 7; sleep 0.05; rmdir {0}", busy.display());
    let tool = script(tools.path(), &text);
    let studio = Studio::with(|settings| {
        settings.ffmpeg = tool;
        settings.limits.concurrent_runs = 1;
    });
    let checks = checks_at_once(&studio.media, 4).await;
    for error in checks {
        // The stand-in lists no encoders, but it never met another run of itself.
        assert!(matches!(error, MediaError::IncompleteTool { .. }), "{error}");
    }
}

async fn checks_at_once(media: &Media, count: usize) -> Vec<MediaError> {
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..count {
        let media = media.clone();
        runs.spawn(async move { media.check().await.unwrap_err() });
    }
    runs.join_all().await
}

#[tokio::test]
async fn a_full_disk_is_told_before_the_run() {
    let studio = Studio::with(|settings| settings.limits.min_free_bytes = u64::MAX);
    let error = studio.media.check().await.unwrap_err();
    assert!(matches!(error, MediaError::NoSpace { needed: u64::MAX, .. }), "{error}");
}

#[tokio::test]
async fn the_tools_see_nothing_of_our_environment_but_where_programs_are() {
    let (studio, _tools) = with_script("env >&2; exit 1", DEADLINE);
    let error = studio.media.check().await.unwrap_err().to_string();
    assert!(error.contains("LC_ALL=C"), "{error}");
    assert!(!error.contains("CARGO") && !error.contains("HOME="), "{error}");
}
