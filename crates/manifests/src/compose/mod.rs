//! The compose file: read, and held to our rules.

mod rules;
mod service;
mod stacks;
mod watching;

use std::{fs, path::Path};

use anyhow::Context as _;
use serde_json::Value;

pub use self::{rules::check, service::Service};

/// Where the secrets of a stack on one machine are made; not in the repository.
pub const SECRETS: &str = "./deploy/secrets/";

/// What can be asked for: everything with the real providers, or with stand-ins.
pub const PROFILES: [&str; 2] = ["core", "soundstage"];

/// What may be asked for besides: what shows metrics, traces and logs.
pub const OBSERVABILITY: &str = "observability";

/// The one of them whose project it is, as the file writes it.
pub const CHOSEN: &str = "${STACK:-soundstage}";

/// Reads the repository's.
///
/// # Errors
/// It is not there or not YAML.
pub fn read(root: &Path) -> anyhow::Result<Value> {
    let name = "docker-compose.yml";
    let text = fs::read_to_string(root.join(name)).context(name)?;
    parse(&text)
}

/// Reads one; what it merges is merged.
///
/// # Errors
/// It is not YAML.
pub fn parse(text: &str) -> anyhow::Result<Value> {
    serde_saphyr::from_str(text).map_err(|error| anyhow::anyhow!("docker-compose.yml is not YAML: {error}"))
}

/// Its services.
#[must_use]
pub fn services(file: &Value) -> Vec<Service<'_>> {
    crate::object::entries(file, "/services").map(|(name, value)| Service { name, value }).collect()
}
