//! The settings of a process as a Markdown table, made from its default TOML.

use std::fmt::Write as _;

use super::{defaults, value::Value};

/// One row for each key: key, variable, default, meaning.
///
/// # Errors
/// The text is no TOML, or holds something that cannot be a setting.
pub fn markdown(defaults: &str) -> Result<String, String> {
    let mut out = String::from("| key | variable | default | meaning |\n| --- | --- | --- | --- |\n");
    for key in defaults::keys(defaults)? {
        let variable = key.variable();
        let variable =
            if key.secret { format!("`{variable}` or `{variable}_FILE`") } else { format!("`{variable}`") };
        let default = match &key.default {
            _ if key.required => "required".to_owned(),
            Value::Text(text) if text.is_empty() => "none".to_owned(),
            value => format!("`{}`", value.to_toml().replace('|', "\\|")),
        };
        let meaning = key.meaning.replace('|', "\\|");
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{}` | {variable} | {default} | {meaning} |", key.path);
    }
    Ok(out)
}
