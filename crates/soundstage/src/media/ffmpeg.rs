//! Runs ffmpeg: as many at a time as there are cores, never longer than allowed, killed with the stage.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::MediaError;
use crate::error::StageError;

/// How long one run may take.
const LIMIT: Duration = Duration::from_secs(300);
/// How much of the error output is told.
const TOLD_LINES: usize = 4;

/// The program and its turns.
#[derive(Clone)]
pub(crate) struct Ffmpeg {
    turns: Arc<Semaphore>,
}

impl Ffmpeg {
    /// Makes sure that the program is there.
    pub(crate) async fn find() -> Result<Self, StageError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let found = Command::new("ffmpeg")
            .args(["-nostdin", "-hide_banner", "-version"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await
            .map_err(|e| StageError::Ffmpeg(e.to_string()))?;
        if !found.success() {
            return Err(StageError::Ffmpeg(format!("`ffmpeg -version` ended with {found}")));
        }
        Ok(Self { turns: Arc::new(Semaphore::new(cores)) })
    }

    /// Waits for a core.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, MediaError> {
        self.turns.clone().acquire_owned().await.map_err(|e| MediaError::new(e.to_string()))
    }

    /// Runs with `parts` on standard input and returns what came out of standard output.
    pub(crate) async fn run(
        &self,
        arguments: &[String],
        mut parts: mpsc::Receiver<Vec<u8>>,
    ) -> Result<Vec<u8>, MediaError> {
        let mut child = spawn(arguments)?;
        let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(MediaError::new("ffmpeg started without its pipes"));
        };
        let feed = async move {
            while let Some(part) = parts.recv().await {
                if stdin.write_all(&part).await.is_err() {
                    // It ended early; its exit status says why.
                    break;
                }
            }
            let _ = stdin.shutdown().await;
        };
        let (mut out, mut told) = (Vec::new(), Vec::new());
        let work = async {
            let (_, read, _) =
                tokio::join!(feed, stdout.read_to_end(&mut out), stderr.read_to_end(&mut told));
            read?;
            child.wait().await
        };
        let status = tokio::time::timeout(LIMIT, work)
            .await
            .map_err(|_| MediaError::new(format!("ffmpeg took longer than {} s", LIMIT.as_secs())))?
            .map_err(|e| MediaError::new(format!("ffmpeg: {e}")))?;
        if status.success() { Ok(out) } else { Err(complaint(&told)) }
    }
}

fn spawn(arguments: &[String]) -> Result<Child, MediaError> {
    Command::new("ffmpeg")
        .args(["-nostdin", "-y", "-hide_banner", "-loglevel", "error"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| MediaError::new(format!("ffmpeg could not be started: {e}")))
}

fn complaint(told: &[u8]) -> MediaError {
    let text = String::from_utf8_lossy(told);
    let lines: Vec<_> = text.lines().rev().take(TOLD_LINES).collect();
    let lines: Vec<_> = lines.into_iter().rev().collect();
    MediaError::new(format!("ffmpeg failed: {}", lines.join("; ")))
}

/// Standard input with one part, or none.
pub(super) fn input(bytes: Option<Vec<u8>>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(1);
    if let Some(bytes) = bytes {
        let _ = sender.try_send(bytes);
    }
    receiver
}

/// Arguments from words and formatted pieces.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
