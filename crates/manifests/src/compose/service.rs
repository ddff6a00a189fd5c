//! A service of the compose file.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    compose::{CHOSEN, PROFILES},
    facts::PROCESSES,
    object::{at, entries, list, text, texts},
};

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Service<'a> {
    /// Its key.
    pub name: &'a str,
    /// What stands under it.
    pub value: &'a Value,
}

impl<'a> Service<'a> {
    /// The target of the Dockerfile that its image is of, by the image's name: `asset` of `filmstrip-asset`, and
    /// `filmstrip` itself. Empty when it is somebody else's image.
    #[must_use]
    pub fn target(self) -> &'a str {
        let name = self.image().split(':').next().unwrap_or_default();
        if name == "filmstrip" { name } else { name.strip_prefix("filmstrip-").unwrap_or_default() }
    }

    /// Its image, with the tag.
    #[must_use]
    pub fn image(self) -> &'a str {
        text(self.value, "/image")
    }

    /// Whether its image is built for it, and not for another one.
    #[must_use]
    pub fn is_built(self) -> bool {
        !at(self.value, "/build").is_null()
    }

    /// Its command, as a list.
    #[must_use]
    pub fn command(self) -> Vec<&'a str> {
        texts(self.value, "/command")
    }

    /// Whether it runs once and ends.
    #[must_use]
    pub fn is_once(self) -> bool {
        text(self.value, "/restart") == "no"
    }

    /// The process of ours that it serves as.
    #[must_use]
    pub fn process(self) -> Option<&'a str> {
        let serves = !self.is_once() && PROCESSES.contains(&self.target());
        serves.then_some(self.target())
    }

    /// Its variables; a value that is left out is empty.
    #[must_use]
    pub fn environment(self) -> BTreeMap<&'a str, &'a str> {
        let pairs = entries(self.value, "/environment");
        pairs.map(|(name, value)| (name, value.as_str().unwrap_or_default())).collect()
    }

    /// What it waits for, with the condition.
    pub fn waits_for(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        entries(self.value, "/depends_on").map(|(name, how)| (name, text(how, "/condition")))
    }

    /// Paths of the machine that it mounts: source, target, whether read-only.
    #[must_use]
    pub fn binds(self) -> Vec<(&'a str, &'a str, bool)> {
        let mounts = list(self.value, "/volumes").iter().filter(|one| text(one, "/type") == "bind");
        mounts
            .map(|one| {
                (text(one, "/source"), text(one, "/target"), at(one, "/read_only") == &Value::Bool(true))
            })
            .collect()
    }

    /// The profiles with which it starts; what starts with the chosen one may start with each.
    #[must_use]
    pub fn profiles(self) -> Vec<&'a str> {
        let told = texts(self.value, "/profiles");
        if told == [CHOSEN] { PROFILES.to_vec() } else { told }
    }
}
