//! `cargo xtask demo`: gets what is missing, builds the `filmstrip` command and becomes `filmstrip demo`.

use std::process::ExitCode;

use crate::process::{become_command, cargo, step};
use crate::tools;

/// Runs the demo; all arguments, and the exit code, are those of `filmstrip demo`.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    tools::need_ffmpeg()?;
    if !step(cargo(["build", "--package", "filmstrip"])).passed {
        return Err("filmstrip could not be built; the compiler's words are above".into());
    }
    let own = ["run", "--quiet", "--package", "filmstrip", "--", "demo"];
    become_command(cargo(own.into_iter().chain(args.iter().map(String::as_str))))
}
