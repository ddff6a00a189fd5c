//! A server process that never outlives the test.

use std::{
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::Context as _;

/// A child; killed and waited for when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts it; what it says goes to the file `log`. When the test process ends, however it ends, the kernel sends
    /// it the signal `orphaned`.
    pub(crate) fn start(mut command: Command, log: &std::path::Path, orphaned: i32) -> anyhow::Result<Self> {
        let out = std::fs::File::create(log).with_context(|| format!("creating {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        // A group of its own: Ctrl-C at a terminal is for the program that started it, which then stops it in order.
        command.process_group(0);
        // SAFETY: prctl is async-signal-safe and touches nothing of the parent.
        unsafe {
            command.pre_exec(move || {
                libc::prctl(libc::PR_SET_PDEATHSIG, orphaned);
                Ok(())
            });
        }
        let child = command.spawn().with_context(|| format!("starting {:?}", command.get_program()))?;
        Ok(Self { child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Sends a signal, by its own id.
    pub(crate) fn signal(&self, signal: i32) {
        let id = libc::pid_t::try_from(self.child.id()).unwrap_or(0);
        if id > 0 {
            // SAFETY: the child is ours and was not waited for.
            unsafe { libc::kill(id, signal) };
        }
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) {
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A program on the PATH, in `extra` directories, or in the project's own tools directory.
pub(crate) fn program(name: &str, extra: &[PathBuf]) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin");
    let found = extra
        .iter()
        .cloned()
        .chain([own])
        .chain(std::env::split_paths(&path))
        .map(|directory| directory.join(name))
        .find(|path| path.is_file());
    found.with_context(|| format!("{name} is not installed; `cargo xtask test` installs it"))
}
