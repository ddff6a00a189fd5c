//! `cargo xtask test`: everything that must hold before a change is merged.

use std::process::{Command, ExitCode};

use crate::doctests;
use crate::fuzz;
use crate::manifests;
use crate::process::{Step, cargo, root, step, verdict};
use crate::servers;
use crate::tools;
use crate::up;

/// Runs every step, also after a failed one, so that one run shows all that is wrong.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    tools::need_ffmpeg()?;
    tools::need_components()?;
    tools::need_nextest()?;
    servers::need_servers()?;
    fuzz::need_schemathesis()?;
    manifests::need_programs()?;
    let extra = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    let mut steps: Vec<Step> = commands(extra)?.into_iter().map(step).collect();
    if extra.is_empty() {
        steps.push(fuzz::run());
        steps.extend(manifests::steps(false, false)?);
    }
    println!();
    for done in &steps {
        println!("{:>8.1} s  {}  {}", done.took.as_secs_f64(), verdict(done.passed), done.name);
    }
    let passed = steps.iter().all(|done| done.passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn commands(extra: &[String]) -> Result<Vec<Command>, String> {
    let mut commands = vec![
        cargo(["fmt", "--all", "--", "--check"]),
        cargo(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
        // Tests start programs of other packages, which the test runner does not build for them.
        up::build_programs(),
        cargo(nextest_args(extra)),
    ];
    let has_doctests =
        doctests::any_under(&root()).map_err(|error| format!("reading the sources: {error}"))?;
    if has_doctests {
        commands.push(cargo(["test", "--workspace", "--doc", "--quiet"]));
    }
    Ok(commands)
}

/// All packages, unless the caller names some.
fn nextest_args(extra: &[String]) -> Vec<&str> {
    let names_packages = extra.iter().any(|arg| arg == "-p" || arg.starts_with("--package"));
    let mut args = vec!["nextest", "run"];
    if !names_packages {
        args.push("--workspace");
    }
    args.push("--no-fail-fast");
    args.extend(extra.iter().map(String::as_str));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_tested_unless_some_are_named() {
        assert_eq!(nextest_args(&[]), ["nextest", "run", "--workspace", "--no-fail-fast"]);
        let named = ["-p".to_owned(), "xtask".to_owned()];
        assert_eq!(nextest_args(&named), ["nextest", "run", "--no-fail-fast", "-p", "xtask"]);
    }
}
