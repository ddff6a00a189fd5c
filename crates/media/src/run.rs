//! One run of ffmpeg or ffprobe.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::probe::CONTAINERS;
use crate::seen::{self, Ran};
use crate::spawn::{Started, free_bytes, spawn};
use crate::{Media, MediaError, absolute};

/// How much of stderr is kept, from its end.
const STDERR_KEPT: usize = 16 * 1024;
/// How many of its last lines go into an error.
const STDERR_LINES: usize = 8;
/// How much a tool may write to stdout before it counts as broken.
const STDOUT_LIMIT: usize = 8 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Ffmpeg,
    Ffprobe,
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ffmpeg => "ffmpeg",
            Self::Ffprobe => "ffprobe",
        }
    }
}

/// A run being put together.
#[derive(Debug)]
pub(crate) struct Run<'m> {
    media: &'m Media,
    tool: Tool,
    doing: &'static str,
    args: Vec<OsString>,
    timeout: Duration,
    threads: usize,
    address_space: Option<u64>,
    /// It writes a file.
    makes: bool,
    /// Files in its working directory, which filters name.
    beside: Vec<(&'static str, Vec<u8>)>,
}

/// What a run that exited with 0 wrote.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: Vec<u8>,
    /// The end of it.
    pub(crate) stderr: String,
}

impl<'m> Run<'m> {
    pub(crate) fn new(media: &'m Media, tool: Tool, doing: &'static str) -> Self {
        let limits = media.limits();
        let (timeout, args): (_, &[&str]) = match tool {
            Tool::Ffmpeg => (limits.run_timeout, &["-nostdin", "-y", "-hide_banner", "-nostats"]),
            Tool::Ffprobe => (limits.probe_timeout, &["-hide_banner"]),
        };
        let args = args.iter().map(OsString::from).collect();
        let threads = media.inner.threads;
        Self {
            media,
            tool,
            doing,
            args,
            timeout,
            threads,
            address_space: None,
            makes: false,
            beside: Vec::new(),
        }
        .args(["-loglevel", "error"])
    }

    /// Another number of threads than usual; before inputs and outputs.
    pub(crate) fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// For the decoders of the next input, or the encoders of the next output.
    fn with_threads(self) -> Self {
        let threads = self.threads.to_string();
        self.args(["-threads", &threads])
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// A media file to read. Local files only: a playlist in disguise reaches neither network nor disk.
    pub(crate) fn input(self, path: &Path) -> Result<Self, MediaError> {
        let path = absolute(path)?;
        Ok(self.with_threads().args(["-protocol_whitelist", "file", "-i"]).arg(path))
    }

    /// A file from outside that was not probed: of the containers that are read, whatever it calls itself.
    pub(crate) fn unseen_input(self, path: &Path) -> Result<Self, MediaError> {
        self.args(["-format_whitelist", CONTAINERS]).input(path)
    }

    /// A file to write, behind what it is to hold.
    pub(crate) fn output(mut self, path: &Path) -> Result<Self, MediaError> {
        let path = absolute(path)?;
        self.makes = true;
        Ok(self.with_threads().arg(path))
    }

    /// A file in the working directory of the run, for filters to name: content there needs no escaping.
    pub(crate) fn beside(mut self, name: &'static str, content: impl Into<Vec<u8>>) -> Self {
        self.beside.push((name, content.into()));
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) fn address_space(mut self, bytes: u64) -> Self {
        self.address_space = Some(bytes);
        self
    }

    /// Runs it. Dropping the future kills the process with its children.
    pub(crate) async fn go(self) -> Result<Output, MediaError> {
        let _place = seen::waiting(self.tool, self.place()).await;
        let seen = Ran::begin(self.tool, self.doing);
        let running = async {
            if self.makes {
                return boundary::around("ffmpeg", self.doing, self.run()).await;
            }
            self.run().await
        };
        let ran = seen.run(running).await;
        seen.ended(&ran);
        ran
    }

    async fn run(&self) -> Result<Output, MediaError> {
        let work = self.media.work_dir()?;
        if self.tool == Tool::Ffmpeg {
            enough_room(work.path(), self.media.limits().min_free_bytes)?;
        }
        for (name, content) in &self.beside {
            let written = tokio::fs::write(work.path().join(name), content).await;
            written.map_err(MediaError::io(format!("writing {name} for {}", self.doing)))?;
        }
        let program = self.program().to_owned();
        let mut command = Command::new(&program);
        command.args(self.filter_threads()).args(&self.args).current_dir(work.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        only_what_it_needs(&mut command);
        tracing::debug!(tool = self.tool.name(), doing = self.doing, args = ?self.args, "run");
        let started = spawn(command, self.address_space).await.map_err(|source| MediaError::MissingTool {
            tool: self.tool.name(),
            looked_for: program,
            source,
        })?;
        self.watch(started).await
    }

    /// For all filters of the run.
    fn filter_threads(&self) -> Vec<String> {
        if self.tool == Tool::Ffprobe {
            return Vec::new();
        }
        let threads = self.threads.to_string();
        ["-filter_threads", &threads, "-filter_complex_threads", &threads].map(str::to_owned).to_vec()
    }

    fn program(&self) -> &Path {
        match self.tool {
            Tool::Ffmpeg => &self.media.inner.settings.ffmpeg,
            Tool::Ffprobe => &self.media.inner.settings.ffprobe,
        }
    }

    /// A place among the concurrent runs; a run with a memory limit decodes an image: one at a time.
    async fn place(&self) -> Option<tokio::sync::SemaphorePermit<'m>> {
        let places = match (self.address_space, self.tool) {
            (Some(_), _) => &self.media.inner.images,
            (None, Tool::Ffmpeg) => &self.media.inner.runs,
            (None, Tool::Ffprobe) => return None,
        };
        // The semaphores are never closed.
        places.acquire().await.ok()
    }

    async fn watch(&self, started: Started) -> Result<Output, MediaError> {
        // The last is dropped first: the group goes before its leader.
        let Started { mut child, mut group } = started;
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let all = async {
            let (stdout, stderr) = tokio::join!(read_all(stdout), read_tail(stderr));
            (stdout, stderr, child.wait().await)
        };
        let Ok((stdout, stderr, status)) = tokio::time::timeout(self.timeout, all).await else {
            group.kill();
            let _ = child.wait().await;
            group.ended();
            return Err(MediaError::TimedOut {
                tool: self.tool.name(),
                doing: self.doing,
                after: self.timeout,
            });
        };
        group.ended();
        let doing = || format!("{} at {}", self.tool.name(), self.doing);
        let status = status.map_err(MediaError::io(doing()))?;
        let stderr = stderr.map_err(MediaError::io(doing()))?;
        if !status.success() {
            return Err(MediaError::Failed {
                tool: self.tool.name(),
                doing: self.doing,
                status: describe(status),
                stderr: last_lines(&stderr),
            });
        }
        Ok(Output { stdout: stdout.map_err(MediaError::io(doing()))?, stderr })
    }
}

/// The tools get no keys and no other secrets of ours.
fn only_what_it_needs(command: &mut Command) {
    command.env_clear().env("LC_ALL", "C").env("AV_LOG_FORCE_NOCOLOR", "1");
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

fn enough_room(dir: &Path, needed: u64) -> Result<(), MediaError> {
    let free =
        free_bytes(dir).map_err(MediaError::io(format!("asking for free space in {}", dir.display())))?;
    if free < needed {
        return Err(MediaError::NoSpace { free, needed, dir: dir.to_owned() });
    }
    Ok(())
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(STDOUT_LIMIT as u64 + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > STDOUT_LIMIT {
        return Err(io::Error::other("it wrote far more than expected"));
    }
    Ok(bytes)
}

async fn read_tail(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut pipe) = pipe else { return Ok(String::new()) };
    let mut kept = Vec::new();
    let mut buffer = vec![0_u8; 8 * 1024];
    loop {
        let read = pipe.read(&mut buffer).await?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        kept.extend_from_slice(&buffer[..read]);
        let surplus = kept.len().saturating_sub(STDERR_KEPT);
        kept.drain(..surplus);
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

/// The last lines, on one line, without the addresses that ffmpeg puts in front of them.
pub(crate) fn last_lines(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let first = lines.len().saturating_sub(STDERR_LINES);
    if lines.is_empty() { "it said nothing".to_owned() } else { lines[first..].join(" | ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_reach_the_error() {
        let text = (0..20).map(|n| format!("line {n}\n\n")).collect::<String>();
        let kept = last_lines(&text);
        assert!(kept.starts_with("line 12 | line 13") && kept.ends_with("line 19"), "{kept}");
        assert_eq!(last_lines(" \n"), "it said nothing");
    }
}
