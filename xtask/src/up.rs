//! `cargo xtask up`: gets what is missing, builds every program and becomes `filmstrip-up`.

use std::process::{Command, ExitCode};

use crate::process::{become_command, cargo, step};
use crate::{servers, tools};

/// Runs the stack; all arguments, and the exit code, are those of `filmstrip-up`.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    tools::need_ffmpeg()?;
    servers::need_servers()?;
    if !step(build_programs()).passed {
        return Err("the programs could not be built; the compiler's words are above".into());
    }
    let own = ["run", "--quiet", "--package", "filmstrip-stack", "--bin", "filmstrip-up", "--"];
    become_command(cargo(own.into_iter().chain(args.iter().map(String::as_str))))
}

/// Builds every program of the project: those of one kind are started by those of another.
pub(crate) fn build_programs() -> Command {
    cargo(["build", "--workspace", "--bins"])
}
