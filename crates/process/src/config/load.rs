//! Layers: the defaults, then a file, then the environment.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{
    defaults::{self, Key, variable},
    problem::{Problem, Source},
    value::Value,
};

/// One key with the value that is in force.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Value,
    pub(super) source: Source,
}

/// Where the layers above the defaults come from.
#[derive(Debug)]
pub struct Layers<'a, F> {
    /// The configuration file, if one was named.
    pub file: Option<&'a Path>,
    /// The environment.
    pub lookup: F,
}

/// What is configured, and what is wrong with it so far.
#[derive(Debug)]
pub struct Config {
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
    pub(super) read: BTreeSet<String>,
}

impl Config {
    /// Lays the file over the defaults and the environment over both. Nothing fails here: what is wrong is
    /// collected and told by [`Config::problems`].
    pub fn load<F: Fn(&str) -> Option<String>>(defaults: &str, layers: &Layers<'_, F>) -> Self {
        let mut config = Self { entries: Vec::new(), problems: Vec::new(), read: BTreeSet::new() };
        match defaults::keys(defaults) {
            Ok(keys) => {
                config.entries = keys
                    .into_iter()
                    .map(|key| Entry { value: key.default.clone(), source: Source::Default, key })
                    .collect();
            }
            Err(error) => {
                config.add(None, "the embedded defaults", error, "This build is broken; use another.")
            }
        }
        if let Some(path) = layers.file {
            config.overlay_file(path);
        }
        config.overlay_environment(&layers.lookup);
        config
    }

    /// What is wrong, in the order in which it was found.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Keys that nobody has asked for: a mistake of the program.
    #[must_use]
    pub fn unread(&self) -> Vec<&str> {
        let paths = self.entries.iter().map(|entry| entry.key.path.as_str());
        paths.filter(|path| !self.read.contains(*path)).collect()
    }

    fn add(&mut self, source: Option<Source>, key: &str, what: impl Into<String>, fix: impl Into<String>) {
        let variable = self.entries.iter().any(|entry| entry.key.path == key).then(|| variable(key));
        self.problems.push(Problem {
            key: key.to_owned(),
            variable,
            source,
            what: what.into(),
            fix: fix.into(),
        });
    }

    fn overlay_file(&mut self, path: &Path) {
        let name = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let what = format!("the configuration file cannot be read: {error}");
                let fix = "Name a readable TOML file with --config or FILMSTRIP_CONFIG, or leave both out.";
                return self.add(None, &name, what, fix);
            }
        };
        let settings = match defaults::settings(&text) {
            Ok(settings) => settings,
            Err(error) => {
                let what = format!("the configuration file is no TOML: {error}");
                return self.add(None, &name, what, "Correct the file; `config --dump` shows the form.");
            }
        };
        for setting in settings {
            let source = Source::File { file: name.clone(), line: setting.line };
            let Some(entry) = self.entries.iter_mut().find(|entry| entry.key.path == setting.path) else {
                let fix = self.nearest(&setting.path).map_or_else(
                    || "Remove it; `config --dump` lists all keys.".to_owned(),
                    |near| format!("Did you mean {near:?}? `config --dump` lists all keys."),
                );
                self.add(Some(source), &setting.path, "is no setting of this process", fix);
                continue;
            };
            match setting.value {
                Ok(value) => (entry.value, entry.source) = (value, source),
                Err(what) => {
                    self.add(Some(source), &setting.path, what, "Give a text, number or list of texts.")
                }
            }
        }
    }

    /// The known path that is spelled most alike, if any is alike at all.
    fn nearest(&self, path: &str) -> Option<&str> {
        let scored = self.entries.iter().map(|entry| {
            let known = entry.key.path.as_str();
            (strsim::jaro_winkler(path, known), known)
        });
        scored.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
    }

    fn overlay_environment(&mut self, lookup: impl Fn(&str) -> Option<String>) {
        // A variable that is set to nothing is not set: that is how compose files and charts leave one out.
        let given = |name: &str| lookup(name).filter(|text| !text.is_empty());
        for index in 0..self.entries.len() {
            let (path, secret) = (self.entries[index].key.path.clone(), self.entries[index].key.secret);
            let name = variable(&path);
            let from_file = if secret { given(&format!("{name}_FILE")) } else { None };
            match (given(&name), from_file) {
                (Some(_), Some(_)) => {
                    let what = format!("{name} and {name}_FILE are both set");
                    self.add(Some(Source::Variable(name)), &path, what, "Set only one of them.");
                }
                (Some(text), None) => {
                    self.entries[index].value = Value::Text(text);
                    self.entries[index].source = Source::Variable(name);
                }
                (None, Some(file)) => self.secret_file(index, &name, PathBuf::from(file)),
                (None, None) => {}
            }
        }
    }

    fn secret_file(&mut self, index: usize, name: &str, file: PathBuf) {
        let path = self.entries[index].key.path.clone();
        let source =
            Source::SecretFile { variable: format!("{name}_FILE"), file: file.display().to_string() };
        match fs::read_to_string(&file) {
            Ok(text) => {
                // The line break at the end is the editor's, not the secret's.
                self.entries[index].value = Value::Text(text.trim_end_matches(['\r', '\n']).to_owned());
                self.entries[index].source = source;
            }
            Err(error) => {
                let what = format!("the file with the secret cannot be read: {error}");
                self.add(Some(source), &path, what, format!("Let {name}_FILE name a readable file."));
            }
        }
    }
}
