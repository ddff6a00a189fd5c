//! Reads a model's input by its schema and collects everything that is wrong with it.

use serde_json::{Map, Value};

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// Like `input.duration`.
    pub(crate) field: String,
    /// What is wrong, in the provider's words.
    pub(crate) description: String,
}

/// Takes members out of an input one by one.
pub(super) struct Reader<'a> {
    members: Option<&'a Map<String, Value>>,
    pub(super) wrong: Vec<Invalid>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a Value) -> Self {
        let members = input.as_object();
        let mut reader = Self { members, wrong: Vec::new() };
        if members.is_none() {
            reader.wrong.push(Invalid {
                field: "input".to_owned(),
                description: format!("Invalid type. Expected: object, given: {}", type_of(input)),
            });
        }
        reader
    }

    pub(super) fn complain(&mut self, name: &str, description: impl Into<String>) {
        self.wrong.push(Invalid { field: format!("input.{name}"), description: description.into() });
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn required(&mut self, name: &str) {
        if self.members.is_some() && self.get(name).is_none() {
            self.wrong
                .push(Invalid { field: "input".to_owned(), description: format!("{name} is required") });
        }
    }

    pub(super) fn string(&mut self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        let Some(text) = value.as_str() else {
            self.complain(name, format!("Invalid type. Expected: string, given: {}", type_of(value)));
            return None;
        };
        Some(text.to_owned())
    }

    /// An `http(s)` URL or a `data:` URI.
    pub(super) fn uri(&mut self, name: &str) -> Option<String> {
        let text = self.string(name)?;
        let known = url::Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "data"));
        if !known {
            self.complain(name, "Does not match format 'uri'");
            return None;
        }
        Some(text)
    }

    pub(super) fn boolean(&mut self, name: &str, default: bool) -> bool {
        let Some(value) = self.get(name) else { return default };
        value.as_bool().unwrap_or_else(|| {
            self.complain(name, format!("Invalid type. Expected: boolean, given: {}", type_of(value)));
            default
        })
    }

    /// A whole number; `6.0` counts as one.
    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        let whole = value
            .as_i64()
            .or_else(|| value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1e9).map(|n| n as i64));
        if whole.is_none() {
            self.complain(name, format!("Invalid type. Expected: integer, given: {}", type_of(value)));
        }
        whole
    }

    pub(super) fn integer_of(&mut self, name: &str, allowed: &[i64], default: i64) -> i64 {
        let Some(value) = self.integer(name) else { return default };
        if !allowed.contains(&value) {
            let list = allowed.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            self.complain(name, format!("{name} must be one of the following: {list}"));
        }
        value
    }

    pub(super) fn choice(&mut self, name: &str, allowed: &[&str], default: &str) -> String {
        let Some(value) = self.string(name) else { return default.to_owned() };
        if !allowed.contains(&value.as_str()) {
            let list = allowed.iter().map(|a| format!("\"{a}\"")).collect::<Vec<_>>().join(", ");
            self.complain(name, format!("{name} must be one of the following: {list}"));
        }
        value
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
