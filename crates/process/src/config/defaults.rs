//! The embedded default TOML: every key, its default, and what the comment above it says.
//!
//! A comment that begins with `Required.` names a key without which the process does not start; one that begins
//! with `Secret.` (or `Required. Secret.`) names a value that is never shown and may come from a file.

use toml::de::{DeTable, DeValue};

use super::value::Value;

/// One thing that can be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its path in the TOML, such as `s3.endpoint`.
    pub path: String,
    /// Its default.
    pub default: Value,
    /// What it means, in one line, without the words `Required.` and `Secret.`.
    pub meaning: String,
    /// Whether there is no start without it.
    pub required: bool,
    /// Whether it is never shown.
    pub secret: bool,
}

impl Key {
    /// The variable that sets it: the path in capitals, dots as underscores.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(&self.path)
    }

    /// The default as TOML, such as `"30s"`.
    #[must_use]
    pub fn default_text(&self) -> String {
        self.default.to_toml()
    }
}

/// The variable for a key's path.
pub(super) fn variable(path: &str) -> String {
    path.to_ascii_uppercase().replace('.', "_")
}

/// The keys of a default TOML, in its order.
///
/// # Errors
/// The text is no TOML, or holds something that cannot be a setting.
pub fn keys(defaults: &str) -> Result<Vec<Key>, String> {
    let lines: Vec<&str> = defaults.lines().collect();
    let keys = settings(defaults)?.into_iter().map(|setting| {
        let comment = comment_above(&lines, setting.line);
        let (required, rest) = marker("Required.", &comment);
        let (secret, meaning) = marker("Secret.", rest);
        let default = setting.value.map_err(|wrong| format!("{}: {wrong}", setting.path))?;
        Ok(Key { path: setting.path, default, meaning: meaning.to_owned(), required, secret })
    });
    keys.collect()
}

/// One assignment in a TOML text.
pub(super) struct Setting {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) value: Result<Value, String>,
}

/// Every assignment of a TOML text, tables flattened to dotted paths, in its order.
pub(super) fn settings(text: &str) -> Result<Vec<Setting>, String> {
    let table = DeTable::parse(text).map_err(|error| {
        // Not the parser's own text: it shows the line, which may hold a secret.
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        format!("line {line}: {}", error.message())
    })?;
    let mut found = Vec::new();
    flatten(text, "", table.get_ref(), &mut found);
    found.sort_by_key(|setting| setting.line);
    Ok(found)
}

fn flatten(text: &str, prefix: &str, table: &DeTable<'_>, found: &mut Vec<Setting>) {
    for (key, value) in table {
        let path =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        if let DeValue::Table(inner) = value.get_ref() {
            flatten(text, &path, inner, found);
            continue;
        }
        let line = line_of(text, key.span().start);
        found.push(Setting { path, line, value: Value::from_toml(value.get_ref()) });
    }
}

/// The line of an offset, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The comment lines directly above a line, joined.
fn comment_above(lines: &[&str], line: usize) -> String {
    let above = lines.get(..line.saturating_sub(1)).unwrap_or_default().iter().rev();
    let mut comment: Vec<&str> =
        above.map_while(|line| line.trim_start().strip_prefix('#')).map(str::trim).collect();
    comment.reverse();
    comment.join(" ").trim().to_owned()
}

fn marker<'a>(word: &str, comment: &'a str) -> (bool, &'a str) {
    comment.strip_prefix(word).map_or((false, comment), |rest| (true, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# The head of the file.

# Where it listens.
# Port 0 takes a free one.
listen = \"127.0.0.1:1\"
# Required. Secret. The database.
database_url = \"\"

# About stopping.
[stop]
# How long.
delay = \"5s\"
tries = 3
on = true
";

    #[test]
    fn a_key_has_a_path_a_default_and_the_comment_above_it() {
        let keys = keys(TEXT).unwrap();
        let paths: Vec<_> = keys.iter().map(|key| key.path.as_str()).collect();
        assert_eq!(paths, ["listen", "database_url", "stop.delay", "stop.tries", "stop.on"]);
        assert_eq!(keys[0].meaning, "Where it listens. Port 0 takes a free one.");
        assert_eq!((keys[0].required, keys[0].secret), (false, false));
        assert_eq!(keys[1].meaning, "The database.");
        assert_eq!((keys[1].required, keys[1].secret), (true, true));
        assert_eq!(keys[2].meaning, "How long.");
        assert_eq!(keys[2].variable(), "STOP_DELAY");
        assert_eq!(keys[3].default, Value::Integer(3));
        assert_eq!(keys[4].default, Value::Bool(true));
    }

    #[test]
    fn a_text_that_is_no_toml_is_refused() {
        assert!(keys("listen = ").is_err());
    }
}
