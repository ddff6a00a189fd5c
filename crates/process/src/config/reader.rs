//! Typed access to a configuration. A getter never fails: what is wrong is collected, so that all of it is told
//! at once, and the getter returns something harmless that is thrown away with the rest.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{
    defaults::variable,
    duration,
    load::{Config, Entry},
    problem::{Problem, Source},
    size,
    value::Value,
};

/// Characters of a secret that signs.
const SHORTEST_SECRET: usize = 32;

/// Reads settings out of a [`Config`].
#[derive(Debug)]
pub struct Reader<'a> {
    config: &'a mut Config,
}

impl<'a> Reader<'a> {
    /// A reader that adds to what is wrong with `config`.
    pub fn new(config: &'a mut Config) -> Self {
        Self { config }
    }

    /// How many things are wrong so far.
    #[must_use]
    pub fn problems(&self) -> usize {
        self.config.problems.len()
    }

    /// Whether something is wrong with the key.
    #[must_use]
    pub fn is_refused(&self, path: &str) -> bool {
        self.config.problems.iter().any(|problem| problem.key == path)
    }

    /// Whether the key has no other value than its default.
    #[must_use]
    pub fn is_default(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| entry.source == Source::Default)
    }

    /// Whether the key has a value at all, usable or not.
    #[must_use]
    pub fn is_set(&self, path: &str) -> bool {
        self.entry(path).is_some_and(|entry| !entry.value.as_written().trim().is_empty())
    }

    /// Says that a value cannot be used for a reason that only the caller knows.
    pub fn refuse(&mut self, path: &str, what: impl Into<String>, fix: impl Into<String>) {
        let source = self.entry(path).map(|entry| entry.source.clone());
        self.config.problems.push(Problem {
            key: path.to_owned(),
            variable: Some(variable(path)),
            source: source.filter(|source| *source != Source::Default),
            what: what.into(),
            fix: fix.into(),
        });
    }

    /// A text; blanks around it are dropped.
    pub fn text(&mut self, path: &str) -> String {
        match self.take(path) {
            Value::List(_) => {
                self.refuse(path, "is a list", "Give one text.");
                String::new()
            }
            value => value.as_written().trim().to_owned(),
        }
    }

    /// A text that must not be empty.
    pub fn required_text(&mut self, path: &str) -> String {
        let text = self.text(path);
        if text.is_empty() {
            self.missing(path);
        }
        text
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, path: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(path);
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            let fix = format!("Give {}.", known.join(" or "));
            self.refuse_value(path, &text, "is not known", &fix);
        }
        found
    }

    /// A secret; empty when it is not set. Never shown.
    pub fn secret(&mut self, path: &str) -> Option<SecretString> {
        let declared = self.entry(path).is_some_and(|entry| entry.key.secret);
        if !declared {
            self.refuse(path, "is read as a secret but not declared as one", "This build is broken.");
        }
        Some(self.text(path)).filter(|text| !text.is_empty()).map(SecretString::from)
    }

    /// A secret that must be set.
    pub fn required_secret(&mut self, path: &str) -> SecretString {
        let secret = self.secret(path);
        if secret.is_none() {
            self.missing(path);
        }
        secret.unwrap_or_default()
    }

    /// Refuses a list of secrets, separated by commas, one of which could be guessed. One that is not set is left to
    /// [`Reader::required_secret`].
    pub fn refuse_if_short(&mut self, path: &str, list: &SecretString) {
        let short = |secret: &str| secret.chars().count() < SHORTEST_SECRET;
        let nothing_but_commas =
            !list.expose_secret().is_empty() && kit::signing::secrets(list).next().is_none();
        if nothing_but_commas || kit::signing::secrets(list).any(short) {
            let what =
                format!("the secret value, or one of several, has fewer than {SHORTEST_SECRET} characters");
            self.refuse(path, what, "Make one with `openssl rand -hex 32`.");
        }
    }

    /// An `http(s)` URL, or none when it is empty.
    pub fn url(&mut self, path: &str) -> Option<Url> {
        let text = self.text(path);
        if text.is_empty() {
            return None;
        }
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            let fix = "Give an address such as \"https://host.example\".";
            self.refuse_value(path, &text, "is no http(s) URL", fix);
        }
        url
    }

    /// An `http(s)` URL that must be set; none says that a problem was noted.
    pub fn required_url(&mut self, path: &str) -> Option<Url> {
        let before = self.problems();
        let url = self.url(path);
        if url.is_none() && self.problems() == before {
            self.missing(path);
        }
        url
    }

    /// An address to listen on, such as `127.0.0.1:5001`.
    pub fn socket(&mut self, path: &str) -> SocketAddr {
        let text = self.text(path);
        text.parse().unwrap_or_else(|_| {
            let fix = "Give an IP address and a port, such as \"127.0.0.1:5001\" or \"[::]:5001\".";
            self.refuse_value(path, &text, "is no address to listen on", fix);
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    /// A duration such as `30s`, within bounds.
    pub fn duration(&mut self, path: &str, bounds: RangeInclusive<Duration>) -> Duration {
        let text = self.text(path);
        let Some(found) = duration::parse(&text) else {
            let fix = "Give a whole number with its unit, such as \"500ms\", \"30s\", \"2m\" or \"1h\".";
            self.refuse_value(path, &text, "is no duration", fix);
            return *bounds.start();
        };
        if !bounds.contains(&found) {
            let (least, most) = (duration::text(*bounds.start()), duration::text(*bounds.end()));
            let fix = format!("Give a duration from {least} to {most}.");
            self.refuse_value(path, &text, "is out of bounds", &fix);
        }
        found
    }

    /// A size such as `7Gi` in bytes, at least `least`; none when it is empty.
    pub fn optional_size(&mut self, path: &str, least: u64) -> Option<u64> {
        let text = self.text(path);
        if text.is_empty() {
            return None;
        }
        let found = size::parse(&text);
        if found.is_none_or(|found| found < least) {
            let least = size::text(least);
            let what = if found.is_some() { "is too small" } else { "is no size" };
            let fix =
                format!("Give at least {least}: a number of bytes, or one with Ki, Mi or Gi (\"7Gi\").");
            self.refuse_value(path, &text, what, &fix);
        }
        found
    }

    /// A whole number within bounds.
    pub fn integer(&mut self, path: &str, bounds: RangeInclusive<i64>) -> i64 {
        let value = self.take(path);
        let found = match &value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Bool(_) | Value::List(_) => None,
        };
        match found.filter(|number| bounds.contains(number)) {
            Some(number) => number,
            None => {
                let fix = format!("Give a whole number from {} to {}.", bounds.start(), bounds.end());
                let what = if found.is_some() { "is out of bounds" } else { "is no whole number" };
                self.refuse_value(path, &value.as_written(), what, &fix);
                *bounds.start()
            }
        }
    }

    /// A whole number within bounds, at least 0, as the type that holds it.
    pub fn count<T: TryFrom<i64> + Default>(&mut self, path: &str, bounds: RangeInclusive<i64>) -> T {
        let found = self.integer(path, bounds);
        T::try_from(found).unwrap_or_else(|_| {
            self.refuse(path, format!("{found} is too large"), "Give a smaller number.");
            T::default()
        })
    }

    /// `true` or `false`.
    pub fn bool(&mut self, path: &str) -> bool {
        let value = self.take(path);
        match value.as_written().trim() {
            "true" => true,
            "false" => false,
            other => {
                let other = other.to_owned();
                self.refuse_value(path, &other, "is neither true nor false", "Give true or false.");
                false
            }
        }
    }

    /// `true` or `false`, or none when it is empty.
    pub fn optional_bool(&mut self, path: &str) -> Option<bool> {
        let empty = self.entry(path).is_some_and(|entry| entry.value == Value::Text(String::new()));
        if empty {
            self.take(path);
            return None;
        }
        Some(self.bool(path))
    }

    /// Several texts: a list, or a text with commas. Blanks and empty ones are dropped.
    pub fn list(&mut self, path: &str) -> Vec<String> {
        let items = match self.take(path) {
            Value::List(items) => items,
            other => other.as_written().split(',').map(str::to_owned).collect(),
        };
        items.iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }

    /// Where a service listens: one address, several separated by commas, or `dns://name:port`; as one text.
    pub fn addresses(&mut self, path: &str) -> String {
        let addresses = self.list(path);
        if addresses.is_empty() {
            self.missing(path);
        }
        for address in &addresses {
            if !is_address(address) {
                let fix =
                    "Give \"http://host:port\", several of them separated by commas, or \"dns://name:port\".";
                self.refuse_value(path, address, "is no address of a service", fix);
            }
        }
        addresses.join(",")
    }

    /// A path, or none when it is empty.
    pub fn path(&mut self, path: &str) -> Option<PathBuf> {
        Some(self.text(path)).filter(|text| !text.is_empty()).map(PathBuf::from)
    }

    fn missing(&mut self, path: &str) {
        let secret = self.entry(path).is_some_and(|entry| entry.key.secret);
        let name = variable(path);
        let also = if secret { format!(" or {name}_FILE") } else { String::new() };
        self.refuse(path, "is not set", format!("Set {name}{also}, or {path} in the configuration file."));
    }

    /// Repeats the value that is wrong, unless it is a secret.
    fn refuse_value(&mut self, path: &str, value: &str, what: &str, fix: &str) {
        let secret = self.entry(path).is_some_and(|entry| entry.key.secret);
        let what = if secret { format!("the secret value {what}") } else { format!("{value:?} {what}") };
        self.refuse(path, what, fix);
    }

    fn entry(&self, path: &str) -> Option<&Entry> {
        self.config.entries.iter().find(|entry| entry.key.path == path)
    }

    fn take(&mut self, path: &str) -> Value {
        self.config.read.insert(path.to_owned());
        if let Some(entry) = self.entry(path) {
            return entry.value.clone();
        }
        self.refuse(path, "is not in the defaults of this process", "This build is broken; use another.");
        Value::Text(String::new())
    }
}

/// Whether callers take it, and its port is given.
fn is_address(address: &str) -> bool {
    // No service listens on the port that a caller would take when none is given.
    let port = address.trim_end_matches('/').rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    kit::grpc::check(address).is_ok() && matches!(port, Some(Ok(1..)))
}
