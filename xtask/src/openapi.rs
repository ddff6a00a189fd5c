//! `cargo xtask openapi`: the committed API description, written from the gateway's handlers.

use std::fs;
use std::process::ExitCode;

use crate::process::{cargo, root};

/// Where the description lies in the repository.
const FILE: &str = "gateway/openapi/v3.json";
/// That of the last release: what it has may not be taken away.
const RELEASED: &str = "gateway/openapi/released.json";

/// Writes the description; with `--check` only compares, and fails when it drifted; with `--release` it is also kept
/// as the one that callers rely on.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    let flag = match args {
        [] => "",
        [flag] if flag == "--check" || flag == "--release" => flag,
        _ => return Err("openapi takes only --check or --release".into()),
    };
    let wanted = generate()?;
    if flag == "--release" {
        fs::write(root().join(RELEASED), &wanted).map_err(|error| format!("{RELEASED}: {error}"))?;
    }
    let path = root().join(FILE);
    if flag == "--check" {
        let committed =
            fs::read(&path).map_err(|error| format!("{FILE}: {error}; run `cargo xtask openapi`"))?;
        if committed != wanted {
            return Err(format!("{FILE} differs from the handlers; run `cargo xtask openapi` and commit it"));
        }
        println!("{FILE} is up to date.");
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::write(&path, &wanted).map_err(|error| format!("{FILE}: {error}"))?;
    println!("{FILE}: {} bytes written.", wanted.len());
    Ok(ExitCode::SUCCESS)
}

fn generate() -> Result<Vec<u8>, String> {
    let mut command = cargo(["run", "--quiet", "--package", "filmstrip", "--", "openapi"]);
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() || !output.stdout.starts_with(b"{") {
        return Err("`filmstrip openapi` did not print a document; its words are above".into());
    }
    Ok(output.stdout)
}
