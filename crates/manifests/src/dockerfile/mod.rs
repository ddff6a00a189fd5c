//! The Dockerfile: read into stages, and held to our rules.

mod parse;
mod rules;

use std::{fs, path::Path};

use anyhow::Context as _;

pub use self::{
    parse::{Instruction, Stage},
    rules::check,
};

/// A Dockerfile.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// Its stages, in their order.
    pub stages: Vec<Stage>,
}

impl Dockerfile {
    /// Reads the repository's.
    ///
    /// # Errors
    /// It is not there.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        Ok(Self::parse(&fs::read_to_string(root.join("Dockerfile")).context("Dockerfile")?))
    }

    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { stages: parse::stages(text) }
    }

    /// The stage of that name.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// A stage and those that it is made from, the last one first.
    #[must_use]
    pub fn line(&self, name: &str) -> Vec<&Stage> {
        let mut line = Vec::new();
        let mut next = self.stage(name);
        while let Some(stage) = next {
            line.push(stage);
            next = self.stage(&stage.from).filter(|from| line.iter().all(|one| one.name != from.name));
        }
        line
    }

    /// The last instruction of that word in a stage's line, which is the one that holds.
    #[must_use]
    pub fn holds(&self, stage: &str, word: &str) -> Option<&Instruction> {
        self.line(stage).into_iter().find_map(|stage| stage.of(word).last())
    }
}
