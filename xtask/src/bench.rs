//! `cargo xtask bench`: gets what is missing, builds the bench with optimisation and becomes it.

use std::process::ExitCode;

use crate::process::{become_command, cargo};
use crate::servers;

/// Runs the bench; all arguments, and the exit code, are those of `filmstrip-bench`.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    servers::need_servers()?;
    let run = ["run", "--package", "filmstrip-bench", "--profile", "bench-run", "--"].into_iter();
    become_command(cargo(run.chain(args.iter().map(String::as_str))))
}
