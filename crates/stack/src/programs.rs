//! Where the built programs lie.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::Service;

/// A directory that holds every program of the project.
#[derive(Clone, Debug)]
pub(crate) struct Programs(PathBuf);

impl Programs {
    /// The programs in `directory`, or beside the running program.
    pub(crate) fn find(directory: Option<&Path>) -> anyhow::Result<Self> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => beside(&std::env::current_exe().context("finding the running program")?),
        };
        let missing = missing(&directory);
        ensure!(
            missing.is_empty(),
            "{} not found in {}; build them first: cargo build --workspace --bins",
            missing.join(", "),
            directory.display()
        );
        Ok(Self(directory))
    }

    pub(crate) fn of(&self, service: Service) -> PathBuf {
        self.0.join(service.program())
    }

    /// The command with the stand-in providers in it.
    pub(crate) fn filmstrip(&self) -> PathBuf {
        self.0.join("filmstrip")
    }
}

/// Test programs lie one directory deeper than the others.
fn beside(program: &Path) -> PathBuf {
    let directory = program.parent().unwrap_or(Path::new("."));
    match directory.file_name() {
        Some(name) if name == "deps" => directory.parent().unwrap_or(directory).to_owned(),
        _ => directory.to_owned(),
    }
}

fn missing(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = Service::ALL.iter().map(|service| service.program()).collect();
    names.push("filmstrip".to_owned());
    names.retain(|name| !directory.join(name).is_file());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_finds_the_programs_above_itself() {
        assert_eq!(beside(Path::new("/t/debug/deps/e2e-1f")), Path::new("/t/debug"));
        assert_eq!(beside(Path::new("/t/debug/filmstrip-up")), Path::new("/t/debug"));
    }

    #[test]
    fn programs_that_are_not_built_are_named_with_the_command_that_builds_them() {
        let empty = tempfile::tempdir().unwrap();
        let error = Programs::find(Some(empty.path())).unwrap_err().to_string();
        assert!(
            error.contains("filmstrip-render") && error.contains("cargo build --workspace --bins"),
            "{error}"
        );
    }
}
