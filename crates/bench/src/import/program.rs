//! The command as a process that is timed and whose memory is watched.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::process;

/// Between two looks at the process; the kernel itself keeps the most memory, only the last look counts.
const LOOK: Duration = Duration::from_millis(5);

/// A run of the command that went well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ran {
    pub(super) seconds: f64,
    /// Most resident memory, megabytes.
    pub(super) memory: f64,
}

/// The `filmstrip` program.
#[derive(Debug)]
pub(super) struct Program(PathBuf);

impl Program {
    /// Finds it in a directory, else beside this program.
    pub(super) fn find(directory: Option<&Path>) -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("finding this program")?;
        let directory = directory.or(own.parent()).context("this program lies nowhere")?;
        let program = directory.join("filmstrip");
        ensure!(
            program.is_file(),
            "there is no {}: `cargo xtask bench import` builds it, or name its directory with --bin-dir",
            program.display()
        );
        Ok(Self(program))
    }

    /// Brings a source over into a new data directory.
    pub(super) fn import(&self, source: &Path, target: &Path) -> anyhow::Result<Ran> {
        self.run(source, target, &[])
    }

    /// Compares both.
    pub(super) fn verify(&self, source: &Path, target: &Path) -> anyhow::Result<Ran> {
        self.run(source, target, &["--verify"])
    }

    fn run(&self, source: &Path, target: &Path, flags: &[&str]) -> anyhow::Result<Ran> {
        let mut command = Command::new(&self.0);
        command.arg("import").arg(source).arg("--data-dir").arg(target).args(flags);
        // Where the state lies is told by flags alone.
        for variable in ["DATABASE_URL", "BLOB_URL", "NATS_URL"] {
            command.env_remove(variable);
        }
        let said = tempfile::NamedTempFile::new().context("making a scratch file")?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.reopen()?);
        let started = Instant::now();
        let child = command.spawn().with_context(|| self.0.display().to_string())?;
        let (ended, memory) = watched(child)?;
        let seconds = started.elapsed().as_secs_f64();
        ensure!(
            ended.success(),
            "the import ended with {ended}: {}",
            std::fs::read_to_string(said.path()).unwrap_or_default()
        );
        Ok(Ran { seconds, memory })
    }
}

/// Waits for a process; how it ended, and the most memory that it held.
fn watched(mut child: Child) -> anyhow::Result<(std::process::ExitStatus, f64)> {
    let mut most: f64 = 0.0;
    loop {
        // `ru_maxrss` of a child also counts what its parent held when it was started; this does not.
        most = most.max(process::megabytes(child.id(), "status", "VmHWM"));
        if let Some(ended) = child.try_wait()? {
            return Ok((ended, most));
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_watched_to_its_end() {
        let child = Command::new("sleep").arg("0.05").spawn().unwrap();
        let (ended, memory) = watched(child).unwrap();
        assert!(ended.success());
        assert!(memory > 0.1, "{memory}");
        assert!(Program::find(Some(Path::new("/nowhere"))).is_err());
    }
}
