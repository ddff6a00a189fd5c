//! One child process: started, listened to, signalled, waited for.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    sync::mpsc,
};

/// Longest wait for a process to start or to end; only a hang reaches it.
const PATIENCE: Duration = Duration::from_mins(1);
/// How much of a log is quoted when a process failed, bytes.
const QUOTED: usize = 4000;

/// What to run and what to tell it.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// For messages, such as "render 1".
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// All of its environment but PATH.
    pub(crate) variables: Vec<(String, String)>,
    /// What it logs is added to this file; what it prints, to the one beside it that ends in `.out`.
    pub(crate) log: PathBuf,
}

impl Launch {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // A group of its own: the terminal's Ctrl-C is for the program that started it.
        command.stdin(Stdio::null()).kill_on_drop(true).process_group(0);
        // SAFETY: prctl is async-signal-safe and touches nothing of the parent.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        command
    }

    /// Runs it to its end; gives its standard output.
    pub(crate) async fn run(&self) -> anyhow::Result<String> {
        let running = self.command().output();
        let ended = tokio::time::timeout(PATIENCE, running).await;
        let output = ended.with_context(|| format!("{} does not end", self.name))?;
        let output = output.with_context(|| format!("running {}", self.program.display()))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {}\n{said}{complained}", self.name, output.status);
        Ok(said)
    }
}

/// A running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Process {
    /// Starts it and waits for the first line that begins with `word`; gives the rest of the line too.
    pub(crate) async fn start(launch: &Launch, word: &str) -> anyhow::Result<(Self, String)> {
        match Self::try_start(launch, word).await? {
            Ok(started) => Ok(started),
            Err(status) => {
                bail!("{} ended at its start ({status}); it logged:\n{}", launch.name, tail(&launch.log))
            }
        }
    }

    /// As [`Process::start`], where ending before that line is no failure: then it gives how it ended.
    pub(crate) async fn try_start(
        launch: &Launch,
        word: &str,
    ) -> anyhow::Result<Result<(Self, String), ExitStatus>> {
        let mut command = launch.command();
        command.stdout(Stdio::piped()).stderr(added_to(&launch.log)?);
        let mut child = command.spawn().with_context(|| format!("starting {}", launch.program.display()))?;
        let out = child.stdout.take().context("it has no standard output")?;
        let (said, lines) = mpsc::unbounded_channel();
        tokio::spawn(listen(out, added_to(&launch.log.with_extension("out"))?, said));
        let mut process = Self { name: launch.name.clone(), log: launch.log.clone(), child, lines };
        let Ok(said) = tokio::time::timeout(PATIENCE, process.line(word)).await else {
            bail!("{} does not start; it logged:\n{}", process.name, tail(&process.log));
        };
        match said {
            Some(rest) => Ok(Ok((process, rest))),
            None => Ok(Err(process.ended().await?)),
        }
    }

    async fn line(&mut self, word: &str) -> Option<String> {
        while let Some(line) = self.lines.recv().await {
            if let Some(rest) = line.trim().strip_prefix(word) {
                return Some(rest.trim().to_owned());
            }
        }
        None
    }

    /// Its number while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it ended, when it has.
    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal, by its own number.
    pub(crate) fn signal(&self, signal: i32) -> anyhow::Result<()> {
        let id = self.id().and_then(|id| libc::pid_t::try_from(id).ok());
        let id = id.with_context(|| format!("{} does not run", self.name))?;
        // SAFETY: the child is ours and was not waited for, so the number is still its own.
        let sent = unsafe { libc::kill(id, signal) };
        ensure!(sent == 0, "{}: {}", self.name, std::io::Error::last_os_error());
        Ok(())
    }

    /// Kills it; returns when it is gone. One that has just ended by itself is gone too.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        if self.has_ended().is_some() {
            return Ok(());
        }
        self.child.kill().await.with_context(|| format!("killing {}", self.name))
    }

    /// Waits until it has ended by itself; kills it when that takes too long.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        if let Ok(ended) = tokio::time::timeout(PATIENCE, self.child.wait()).await {
            return ended.with_context(|| format!("waiting for {}", self.name));
        }
        self.kill().await?;
        bail!("{} did not end when it was told to; it logged:\n{}", self.name, tail(&self.log))
    }
}

fn added_to(file: &Path) -> anyhow::Result<fs::File> {
    let opened = fs::File::options().create(true).append(true).open(file);
    opened.with_context(|| format!("opening {}", file.display()))
}

/// Writes down all that a process prints, and hands each line on to whoever still waits for one.
async fn listen(out: ChildStdout, mut file: fs::File, said: mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(out).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // Neither a full disk nor a reader that has gone is the process's business.
        let _ = writeln!(file, "{line}");
        let _ = said.send(line);
    }
}

/// The end of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(QUOTED)..]).into_owned()
}
