//! Starting other programs: where they run, with which environment, and how long they took.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// The workspace's top directory: every command runs there, wherever it was typed.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A cargo command in the workspace's top directory.
///
/// What `cargo run` told this process about the package `xtask` is taken out again: a build script that watches
/// one of those variables would otherwise run again each time.
pub(crate) fn cargo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if is_about_this_package(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command.args(args).current_dir(root());
    command
}

fn is_about_this_package(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || matches!(name, "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR")
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy);
    words.collect::<Vec<_>>().join(" ")
}

/// One named step of a longer command, and how it went.
pub(crate) struct Step {
    /// The command as typed.
    pub(crate) name: String,
    /// Whether it ended with exit code 0.
    pub(crate) passed: bool,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Runs one step with its output on the terminal.
pub(crate) fn step(mut command: Command) -> Step {
    let name = shown(&command);
    println!("==> {name}");
    let started = Instant::now();
    let passed = match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: {name}: could not be started: {error}");
            false
        }
    };
    let took = started.elapsed();
    println!("<== {name}: {} in {:.1} s", verdict(passed), took.as_secs_f64());
    Step { name, passed, took }
}

/// The word for a step's end.
pub(crate) fn verdict(passed: bool) -> &'static str {
    if passed { "passed" } else { "FAILED" }
}

/// Whether the program starts and ends well; its output is not shown.
pub(crate) fn succeeds(mut command: Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Becomes the given command, so that signals and the exit code are its own.
pub(crate) fn become_command(mut command: Command) -> Result<ExitCode, String> {
    let name = shown(&command);
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        Err(format!("{name}: could not be started: {error}"))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().map_err(|error| format!("{name}: could not be started: {error}"))?;
        Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_cargo_does_not_inherit_this_package() {
        assert!(is_about_this_package("CARGO_PKG_NAME"));
        assert!(is_about_this_package("CARGO_MANIFEST_DIR"));
        assert!(!is_about_this_package("CARGO_HOME"));
        assert!(!is_about_this_package("CARGO_TARGET_DIR"));
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["fmt", "--all"]);
        assert_eq!(shown(&command), "cargo fmt --all");
    }
}
