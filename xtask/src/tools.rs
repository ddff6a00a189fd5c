//! The programs that the commands need: looked for, and installed when they are missing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::{cargo, root, step, succeeds};
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

/// Prometheus's `promtool`, which checks and tests alerts: out of Debian's package, of which nothing is installed, or the one that is
/// on the path.
pub(crate) fn need_promtool() -> Result<PathBuf, String> {
    let program = root().join("target/tools/bin/promtool");
    let runs = |program: &Path| {
        let mut command = Command::new(program);
        command.arg("--version");
        succeeds(command)
    };
    let own = PathBuf::from("promtool");
    if let Some(found) = [&program, &own].into_iter().find(|program| runs(program)) {
        return Ok(found.clone());
    }
    if Manager::find() != Some(Manager::Apt) {
        return Err(
            "install promtool, which comes with Prometheus, and put it on the PATH: it checks the alerts"
                .into(),
        );
    }
    println!("promtool not found: it checks the alerts. Fetching it from the distribution's package.");
    fetch_promtool(&program)?;
    if runs(&program) {
        Ok(program)
    } else {
        Err(format!("{} does not run on this machine", program.display()))
    }
}

fn fetch_promtool(program: &Path) -> Result<(), String> {
    let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let scratch = root().join("target/tools/promtool");
    drop(fs::remove_dir_all(&scratch));
    fs::create_dir_all(&scratch).map_err(|error| failed("making a directory for promtool", &error))?;
    let within = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(&scratch);
        command
    };
    let download = || step(within("apt-get", &["--quiet", "download", "prometheus"])).passed;
    // Without lists of packages there is nothing to be had; to fetch them takes root.
    let update = || step(within("apt-get", &["--quiet", "update"])).passed;
    if !(download() || (update() && download())) {
        return Err("the package prometheus could not be fetched: run `apt-get update` and try again, or install promtool".into());
    }
    let package = fs::read_dir(&scratch)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.ends_with(".deb"))
        .ok_or("apt-get downloaded nothing")?;
    if !step(within("dpkg", &["--extract", &package, "."])).passed {
        return Err("the package prometheus could not be unpacked".into());
    }
    fs::create_dir_all(program.parent().unwrap_or(Path::new(".")))
        .and_then(|()| fs::copy(scratch.join("usr/bin/promtool"), program))
        .map_err(|error| failed("keeping promtool", &error))?;
    fs::remove_dir_all(&scratch).map_err(|error| failed("tidying up", &error))
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
