//! Grafana's dashboards: one for the product and one for each service, made here and kept beside the component that shows them.

mod board;
mod panel;
mod parts;
mod print;
mod product;
mod service;

use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::board::SCHEMA;
use crate::facts::PROCESSES;

/// Where they are kept.
pub const KEPT: &str = "k8s/components/observability/config/dashboards";

/// The uid of a dashboard: its file's name, so that it is told from those of others in the same Grafana.
#[must_use]
pub fn uid(name: &str) -> String {
    if name == "filmstrip" { name.to_owned() } else { format!("filmstrip-{name}") }
}

/// All of them: their names, which are those of their files, and what they are.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    let mut all = vec![("filmstrip", product::board())];
    all.extend(PROCESSES.into_iter().map(|process| (process, service::board(process))));
    all
}

/// A dashboard as its file has it.
#[must_use]
pub fn text(board: &Value) -> String {
    print::text(board)
}

/// The file of a dashboard.
#[must_use]
pub fn kept_at(root: &Path, name: &str) -> PathBuf {
    root.join(KEPT).join(format!("{name}.json"))
}
