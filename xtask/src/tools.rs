//! The programs that the commands need: looked for, and installed when they are missing.

use std::process::Command;

use crate::process::{cargo, step, succeeds};
use crate::system::{Manager, Package, Plan, plan, rights};

/// `ffmpeg` and `ffprobe`: all media work is theirs.
pub(crate) fn need_ffmpeg() -> Result<(), String> {
    let missing = missing_media_programs();
    if missing.is_empty() {
        return Ok(());
    }
    println!("{} not found: needed to read, make and check media.", missing.join(" and "));
    get("ffmpeg and ffprobe", Package::Ffmpeg)?;
    let still = missing_media_programs();
    if still.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} still not found after installing; look at the package manager's words above",
        still.join(" and ")
    ))
}

fn missing_media_programs() -> Vec<&'static str> {
    let works = |program: &&str| {
        let mut command = Command::new(program);
        command.arg("-version");
        succeeds(command)
    };
    ["ffmpeg", "ffprobe"].into_iter().filter(|program| !works(program)).collect()
}

/// nginx, from the distribution: what it serves is what the gateway is measured beside.
pub(crate) fn need_nginx() -> Result<(), String> {
    // Where distributions put it, which is not on everyone's path.
    let runs = || {
        ["nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().any(|program| {
            let mut command = Command::new(program);
            command.arg("-v");
            succeeds(command)
        })
    };
    if runs() {
        return Ok(());
    }
    println!("nginx not found: the gateway is measured beside it.");
    get("nginx", Package::Nginx)?;
    if runs() { Ok(()) } else { Err("nginx still not found after installing".into()) }
}

/// Installs `what` with the system's package manager, or says which line a person can type.
pub(crate) fn get(what: &str, package: Package) -> Result<(), String> {
    let Some(manager) = Manager::find() else {
        return Err(format!(
            "no package manager that I know (apt-get, dnf, brew); install {what}, put it on the PATH and run this again"
        ));
    };
    match plan(manager, rights(), package) {
        Plan::Ask(line) => {
            Err(format!("I may not install packages here; run this, then try again:\n\n    {line}\n"))
        }
        Plan::Run(commands) => install(what, commands),
    }
}

/// Runs the commands; only the last one must succeed (an outdated package list may still do).
fn install(what: &str, commands: Vec<Vec<String>>) -> Result<(), String> {
    println!("Installing {what} with the system's package manager.");
    let mut last = Ok(());
    for words in commands {
        let Some((program, args)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        let done = step(command);
        last = if done.passed { Ok(()) } else { Err(format!("`{}` failed", done.name)) };
    }
    last
}

/// `cargo fmt` and `cargo clippy`, which a minimal toolchain lacks.
pub(crate) fn need_components() -> Result<(), String> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if succeeds(cargo([subcommand, "--version"])) {
            continue;
        }
        println!("cargo {subcommand} not found: adding it to the toolchain.");
        let mut rustup = Command::new("rustup");
        rustup.args(["component", "add", component]);
        if !step(rustup).passed {
            return Err(format!(
                "cargo {subcommand} is missing; install the component {component} of your toolchain"
            ));
        }
    }
    Ok(())
}

/// `cargo nextest`, the test runner: one process per test, slow tests named, groups limited.
pub(crate) fn need_nextest() -> Result<(), String> {
    if succeeds(cargo(["nextest", "--version"])) {
        return Ok(());
    }
    println!("cargo nextest not found: building it from source; this takes some minutes, once.");
    if step(cargo(["install", "cargo-nextest", "--locked"])).passed {
        return Ok(());
    }
    Err("cargo-nextest could not be installed; see https://nexte.st for other ways, then run this again"
        .into())
}
