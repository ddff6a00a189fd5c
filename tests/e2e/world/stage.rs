//! `filmstrip soundstage` as a process: the outside world, which outlives us.

use std::path::PathBuf;

use serde_json::Value;
use soundstage::client::StageControl;

use super::process::Process;

/// A soundstage; killed when dropped.
pub(crate) struct Stage {
    _process: Process,
    base: String,
}

impl Stage {
    /// Small clips, made at once.
    pub(crate) const INSTANT: &[&str] = &["--draft", "--instant"];
    /// Small clips that take their time.
    pub(crate) const DRAFT: &[&str] = &["--draft"];

    pub(crate) async fn start(dir: PathBuf, flags: &[&str]) -> Self {
        std::fs::create_dir_all(&dir).unwrap();
        let mut arguments = vec!["soundstage".to_owned(), "--dir".to_owned(), dir.display().to_string()];
        arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let log = dir.join("test.log");
        let mut process = Process::start(&arguments, &[], &log);
        let base = process.says("soundstage", &log).await;
        Self { _process: process, base }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn control(&self) -> StageControl {
        StageControl::new(&self.base)
    }

    /// Makes it misbehave by these rules.
    pub(crate) async fn faults(&self, rules: Value) {
        self.control().faults(serde_json::json!({ "rules": rules })).await.unwrap();
    }
}
