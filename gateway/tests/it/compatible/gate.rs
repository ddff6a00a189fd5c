//! What of a document breaks the callers of an earlier one. Adding breaks nobody; taking away, needing more and letting
//! in fewer do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    document::{operations, resolved},
    schema::Schema,
};

/// Deeper than any schema of ours; one that holds itself ends here.
const DEEPEST: usize = 8;

/// Every change from `old` to `new` that breaks a caller, a line each.
pub(super) fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut gate = Gate { old, new, found: Vec::new() };
    let offered = operations(new);
    for (key, (name, operation)) in operations(old) {
        match offered.get(&key) {
            Some((_, offered)) => gate.operation(&name, operation, offered),
            None => gate.found.push(format!("{name}: is gone")),
        }
    }
    gate.found
}

struct Gate<'d> {
    old: &'d Value,
    new: &'d Value,
    found: Vec<String>,
}

/// Which way a schema is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Callers read it: it may hold more, never less or something else.
    Answer,
    /// Callers write it: it may take more, never need more.
    Request,
}

impl<'d> Gate<'d> {
    fn operation(&mut self, name: &str, old: &'d Value, new: &'d Value) {
        self.security(name, &old["security"], &new["security"]);
        self.parameters(name, old, new);
        let (old_body, new_body) =
            (resolved(self.old, &old["requestBody"]), resolved(self.new, &new["requestBody"]));
        if new_body["required"] == true && old_body["required"] != true {
            self.found.push(format!("{name}: a body is needed"));
        }
        self.content(&format!("{name} request"), old_body, new_body, Way::Request);
        for (status, old) in old["responses"].as_object().into_iter().flatten() {
            let at = format!("{name} {status}");
            match new["responses"].get(status) {
                Some(new) => {
                    self.content(&at, resolved(self.old, old), resolved(self.new, new), Way::Answer);
                }
                None if status.starts_with(['2', '3']) => self.found.push(format!("{at}: is gone")),
                None => {}
            }
        }
    }

    /// Each way in, such as a key or none at all, has to stay.
    fn security(&mut self, name: &str, old: &Value, new: &Value) {
        let ways_in = |security: &Value| -> BTreeSet<String> {
            security.as_array().into_iter().flatten().map(Value::to_string).collect()
        };
        let (old, new) = (ways_in(old), ways_in(new));
        if !old.is_subset(&new) && !new.is_empty() && !new.contains("{}") {
            self.found.push(format!("{name}: lets in fewer: {new:?} instead of {old:?}"));
        }
    }

    fn parameters(&mut self, name: &str, old: &'d Value, new: &'d Value) {
        let (old, new) = (parameters(self.old, old), parameters(self.new, new));
        for (parameter, old) in &old {
            match new.get(parameter) {
                Some(new) => {
                    let at = format!("{name} {parameter}");
                    self.schema(&at, &old["schema"], &new["schema"], Way::Request, 0);
                }
                None => self.found.push(format!("{name} {parameter}: is gone")),
            }
        }
        let is_needed = |parameter: &Value| parameter["required"] == true;
        for (parameter, new) in &new {
            if is_needed(new) && !old.get(parameter).is_some_and(|old| is_needed(old)) {
                self.found.push(format!("{name} {parameter}: is needed"));
            }
        }
    }

    fn content(&mut self, at: &str, old: &'d Value, new: &'d Value, way: Way) {
        for (kind, old) in old["content"].as_object().into_iter().flatten() {
            // A range of types stands for each of them.
            match new["content"].get(kind).or_else(|| new["content"].get("*/*")) {
                Some(new) => self.schema(at, &old["schema"], &new["schema"], way, 0),
                None => self.found.push(format!("{at}: {kind} is gone")),
            }
        }
    }

    fn schema(&mut self, at: &str, old: &'d Value, new: &'d Value, way: Way, depth: usize) {
        if depth > DEEPEST || old.is_null() {
            return;
        }
        let (old, new) = (Schema::of(self.old, old), Schema::of(self.new, new));
        let narrower = match way {
            Way::Answer => types_beyond(&new, &old),
            Way::Request => types_beyond(&old, &new),
        };
        if !narrower.is_empty() {
            let what = if way == Way::Answer { "may be" } else { "may no longer be" };
            self.found.push(format!("{at}: {what} {}", narrower.join(", ")));
        }
        self.values(at, &old, &new, way);
        for (name, property) in &old.properties {
            match new.properties.get(name) {
                Some(offered) => self.schema(&format!("{at}/{name}"), property, offered, way, depth + 1),
                None => self.found.push(format!("{at}/{name}: is gone")),
            }
        }
        match way {
            Way::Answer => {
                for name in old.required.difference(&new.required) {
                    if new.properties.contains_key(name) {
                        self.found.push(format!("{at}/{name}: may be missing"));
                    }
                }
            }
            Way::Request => {
                for name in new.required.difference(&old.required) {
                    self.found.push(format!("{at}/{name}: is needed"));
                }
            }
        }
        if let (Some(old), Some(new)) = (old.items, new.items) {
            self.schema(&format!("{at}/*"), old, new, way, depth + 1);
        }
    }

    fn values(&mut self, at: &str, old: &Schema<'_>, new: &Schema<'_>, way: Way) {
        match (&old.values, &new.values) {
            (Some(old), Some(new)) => {
                for value in old.difference(new) {
                    self.found.push(format!("{at}: the value {value} is gone"));
                }
            }
            (None, Some(new)) if way == Way::Request => {
                self.found.push(format!("{at}: only {new:?} from now on"));
            }
            _ => {}
        }
    }
}

/// Types that the wider schema would need to have as well. Whole numbers are numbers; no types at all is any type.
fn types_beyond(these: &Schema<'_>, wider: &Schema<'_>) -> Vec<String> {
    if wider.types.is_empty() {
        return Vec::new();
    }
    if these.types.is_empty() {
        return vec!["anything".to_owned()];
    }
    let is_known = |kind: &&String| {
        wider.types.contains(*kind) || (*kind == "integer" && wider.types.contains("number"))
    };
    these.types.iter().filter(|kind| !is_known(kind)).cloned().collect()
}

/// The parameters of an operation by place and name; a part of the path by its place alone.
fn parameters<'d>(document: &'d Value, operation: &'d Value) -> BTreeMap<String, &'d Value> {
    let listed = operation["parameters"].as_array().into_iter().flatten();
    listed
        .map(|parameter| resolved(document, parameter))
        .filter(|parameter| parameter["in"] != "path")
        .map(|parameter| {
            let text = |member: &str| parameter[member].as_str().unwrap_or_default().to_owned();
            let name = text("name");
            (if text("in") == "header" { name.to_lowercase() } else { name }, parameter)
        })
        .collect()
}
