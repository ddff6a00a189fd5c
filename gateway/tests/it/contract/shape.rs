//! What an answer must look like. A shape is JSON whose texts are words about the value in their place:
//!
//! | word | the value |
//! | --- | --- |
//! | `=text` | is this very text |
//! | `text`, `filled`, `int`, `float`, `number`, `bool`, `object`, `list`, `any` | is of this type; `filled` is not empty |
//! | `uuid`, `time`, `path`, `sha256` | is a text of this form; times are RFC 3339 in UTC with `Z` |
//! | `@name` | looks like the shape of this name in `golden/shapes.toml` |
//! | a word with `?` | may also be null |
//!
//! Other values are meant literally. Of an object every member is listed; a member with `?` behind its name may be
//! missing. `[]` is empty, `[shape]` holds one or more of them, `[shape, shape]` exactly these.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

/// The named shapes, and whether objects may have members that no shape lists.
pub(super) struct Rules<'a> {
    pub(super) named: &'a BTreeMap<String, Value>,
    pub(super) more_members: bool,
}

impl Rules<'_> {
    /// Where `value` does not look like `shape`; empty when it does.
    pub(super) fn mismatches(&self, shape: &Value, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.compare(shape, value, "", &mut found);
        found
    }

    fn compare(&self, shape: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        match (shape, value) {
            (Value::String(word), value) => self.word(word, value, at, found),
            (Value::Object(shapes), Value::Object(members)) => self.object(shapes, members, at, found),
            (Value::Array(shapes), Value::Array(items)) => self.list(shapes, items, at, found),
            (literal, value) if literal == value => {}
            (literal, value) => found.push(format!("{at}: {literal} wanted, {value} found")),
        }
    }

    fn word(&self, word: &str, value: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(text) = word.strip_prefix('=') {
            if value.as_str() != Some(text) {
                found.push(format!("{at}: {text:?} wanted, {value} found"));
            }
            return;
        }
        let (kind, may_be_null) = word.strip_suffix('?').map_or((word, false), |kind| (kind, true));
        if may_be_null && value.is_null() {
            return;
        }
        if let Some(name) = kind.strip_prefix('@') {
            let shape = self.named.get(name).unwrap_or_else(|| panic!("no shape is called {name:?}"));
            self.compare(shape, value, at, found);
        } else if !is_a(kind, value) {
            found.push(format!("{at}: {word} wanted, {value} found"));
        }
    }

    fn object(
        &self,
        shapes: &Map<String, Value>,
        members: &Map<String, Value>,
        at: &str,
        found: &mut Vec<String>,
    ) {
        let name_of = |listed: &str| listed.strip_suffix('?').unwrap_or(listed).to_owned();
        for (listed, shape) in shapes {
            let name = name_of(listed);
            match members.get(&name) {
                Some(value) => self.compare(shape, value, &format!("{at}/{name}"), found),
                None if listed.ends_with('?') => {}
                None => found.push(format!("{at}/{name}: missing")),
            }
        }
        if !self.more_members {
            let listed: Vec<String> = shapes.keys().map(|listed| name_of(listed)).collect();
            let more = members.keys().filter(|name| !listed.contains(name));
            found.extend(more.map(|name| format!("{at}/{name}: not in the contract")));
        }
    }

    fn list(&self, shapes: &[Value], items: &[Value], at: &str, found: &mut Vec<String>) {
        if let ([shape], [_, ..]) = (shapes, items) {
            for (index, item) in items.iter().enumerate() {
                self.compare(shape, item, &format!("{at}/{index}"), found);
            }
        } else if shapes.len() == items.len() {
            for (index, (shape, item)) in shapes.iter().zip(items).enumerate() {
                self.compare(shape, item, &format!("{at}/{index}"), found);
            }
        } else {
            found.push(format!("{at}: {} elements wanted, {} found", shapes.len(), items.len()));
        }
    }
}

fn is_a(kind: &str, value: &Value) -> bool {
    let text = value.as_str();
    match kind {
        "any" => true,
        "text" => text.is_some(),
        "filled" => text.is_some_and(|text| !text.trim().is_empty()),
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_f64(),
        "number" => value.is_number(),
        "bool" => value.is_boolean(),
        "object" => value.is_object(),
        "list" => value.is_array(),
        "uuid" => {
            text.is_some_and(|text| Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text))
        }
        "time" => text.is_some_and(|text| text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()),
        "path" => text.is_some_and(|text| text.starts_with('/')),
        "sha256" => text.is_some_and(|text| {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        }),
        other => panic!("a shape has no word {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mismatches(shape: Value, value: Value) -> Vec<String> {
        let named = BTreeMap::from([("thing".to_owned(), json!({"id": "uuid", "note?": "text?"}))]);
        Rules { named: &named, more_members: false }.mismatches(&shape, &value)
    }

    const ID: &str = "0b9d2c1e-5a0f-4a3e-9d4b-2f1c6a7e8d90";

    #[test]
    fn types_nulls_and_missing_members_are_told_apart() {
        let shape = json!({"data": ["@thing"], "total": "int", "cost": "float"});
        let good = json!({"data": [{"id": ID}, {"id": ID, "note": null}], "total": 2, "cost": 1.0});
        assert_eq!(mismatches(shape.clone(), good), Vec::<String>::new());
        let bad = json!({"data": [{"id": "1", "note": 7, "more": 1}], "total": 2.5, "cost": 1});
        let found = mismatches(shape, bad);
        assert_eq!(found.len(), 5, "{found:#?}");
    }

    #[test]
    fn a_list_is_empty_or_holds_what_it_should() {
        assert!(mismatches(json!([]), json!([1])).len() == 1);
        assert!(mismatches(json!(["int"]), json!([])).len() == 1);
        assert!(mismatches(json!(["int", "text"]), json!([1, "a"])).is_empty());
    }

    #[test]
    fn a_text_is_exact_behind_an_equals_sign_and_literals_are_literal() {
        assert!(mismatches(json!("=not found"), json!("not found")).is_empty());
        assert!(mismatches(json!("=not found"), json!("Not found")).len() == 1);
        assert!(mismatches(json!({"a": null, "b": 3}), json!({"a": null, "b": 3})).is_empty());
        assert!(mismatches(json!(null), json!(3)).len() == 1);
    }
}
