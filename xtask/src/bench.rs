//! `cargo xtask bench`: gets what is missing, builds the bench with optimisation and becomes it.

use std::process::ExitCode;

use crate::process::{become_command, cargo};
use crate::{servers, tools};

const OPTIMISED: [&str; 2] = ["--profile", "bench-run"];

/// Runs the bench; all arguments, and the exit code, are those of `filmstrip-bench`.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    servers::need_servers()?;
    if args.iter().any(|arg| arg == "memory") {
        // It starts every program of the product.
        tools::need_ffmpeg()?;
        build(&["--workspace", "--bins"])?;
    }
    if args.iter().any(|arg| arg == "import") {
        build(&["--package", "filmstrip", "--bin", "filmstrip"])?;
    }
    if args.iter().any(|arg| arg == "gateway") {
        tools::need_ffmpeg()?;
        tools::need_nginx()?;
    }
    let run = ["run", "--package", "filmstrip-bench"].into_iter().chain(OPTIMISED).chain(["--"]);
    become_command(cargo(run.chain(args.iter().map(String::as_str))))
}

/// Builds programs that the bench starts. Not a step that is announced: what is printed here may go into a file.
fn build(what: &[&str]) -> Result<(), String> {
    let build = ["build"].into_iter().chain(what.iter().copied()).chain(OPTIMISED);
    if cargo(build).status().is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err("the programs could not be built; the compiler's words are above".into())
    }
}
