//! What is in force, as TOML that can be used as a configuration file (but for the secrets).

use std::fmt::Write as _;

use super::{load::Config, value::Value};

/// The configuration with a comment of each key's source. Secrets are `***`, or empty when they are not set.
#[must_use]
pub fn dump(config: &Config) -> String {
    let mut out = String::new();
    let mut section = "";
    for entry in &config.entries {
        let (table, name) = entry.key.path.rsplit_once('.').unwrap_or(("", &entry.key.path));
        if table != section {
            section = table;
            // Writing to a String cannot fail.
            let _ = writeln!(out, "\n[{table}]");
        }
        let set = entry.value != Value::Text(String::new());
        let value = if entry.key.secret && set { "\"***\"".to_owned() } else { entry.value.to_toml() };
        let _ = writeln!(out, "{name} = {value} # {}", entry.source);
    }
    out
}
