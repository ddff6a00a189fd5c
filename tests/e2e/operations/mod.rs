//! What `docs/OPERATIONS.md` tells to type works: its SQL on tables of today, its commands with programs of today, and its
//! way to a stuck job on a stack with a stuck job. What it names besides is held to the code in `crates/manifests`.

mod programs;
mod statements;
mod stuck;

use std::{path::PathBuf, process::Stdio};

use tokio::process::Command;

use crate::world::PATIENCE;

/// The top of the repository.
fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where the programs are.
fn programs() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_filmstrip")).parent().unwrap().to_owned()
}

fn guide() -> String {
    std::fs::read_to_string(top().join("docs/OPERATIONS.md")).unwrap()
}

/// What stands below a heading, up to the next one of its level or above.
fn section<'a>(guide: &'a str, heading: &str) -> &'a str {
    let (_, body) = guide.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading:?}"));
    let level = |line: &str| line.chars().take_while(|at| *at == '#').count();
    let (mut end, mut in_code) = (0, false);
    for line in body.split_inclusive('\n') {
        in_code ^= line.trim_start().starts_with("```");
        // A comment in code looks like a heading.
        if !in_code && (1..=level(heading)).contains(&level(line)) {
            break;
        }
        end += line.len();
    }
    &body[..end]
}

/// The blocks of a text that are typed into a shell.
fn typed(text: &str) -> Vec<&str> {
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

/// Code within lines, outside of blocks.
fn spans(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// Runs a script as a person's shell would, at the top of the repository; what it printed.
async fn shell(script: &str) -> Result<String, String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command.args(["-e", "-c", script]).current_dir(top()).env_clear();
    command.env("PATH", format!("{}:{path}", programs().display()));
    let ended = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, ended).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{}\n{said}\n{words}\n{script}", output.status))
    }
}
