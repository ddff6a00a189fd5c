//! What a row says that has no place of its own here: kept as the member `legacy` of a JSON object.

use serde_json::{Map, Value};

/// How many characters of a `data:` URL are kept: such a text holds a whole picture.
const MOST_DATA: usize = 200;

/// Facts by name.
#[derive(Debug, Default)]
pub(super) struct Facts(Map<String, Value>);

impl Facts {
    /// Begins with the columns of a row that have no place.
    pub(super) fn of(others: Map<String, Value>) -> Self {
        Self(others)
    }

    /// Adds a fact, if there is one.
    pub(super) fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value.map(Into::into).filter(|value: &Value| !value.is_null()) {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// Leaves a fact out if it says no more than what is known anyway.
    pub(super) fn drop_if(&mut self, name: &str, known: impl Fn(&Value) -> bool) {
        if self.0.get(name).is_some_and(known) {
            self.0.remove(name);
        }
    }

    /// The facts themselves.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// An object as JSON with the facts added as its member `legacy`, or as `legacy_row` when it has such a member of its
    /// own; none when there is nothing to be said.
    pub(super) fn beside(self, object: Option<Map<String, Value>>) -> Option<String> {
        if self.0.is_empty() {
            return object.map(|object| Value::Object(object).to_string());
        }
        let mut object = object.unwrap_or_default();
        let name = if object.contains_key("legacy") { "legacy_row" } else { "legacy" };
        object.insert(name.to_owned(), self.into_value());
        let mut value = Value::Object(object);
        shorten(&mut value);
        Some(value.to_string())
    }
}

/// Cuts pictures off that were written out as texts: they are input of a model, and far too long for a field.
fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("data:") && text.len() > MOST_DATA => {
            let left: String = text.chars().take(MOST_DATA).collect();
            *text = format!("{left}… ({} characters in all)", text.chars().count());
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| shorten(member)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Option<Map<String, Value>> {
        value.as_object().cloned()
    }

    #[test]
    fn facts_are_added_as_a_member_that_takes_no_others_place() {
        let mut facts = Facts::default();
        assert_eq!(Facts::default().beside(None), None);
        assert_eq!(Facts::default().beside(object(json!({"a": 1}))), Some(r#"{"a":1}"#.to_owned()));
        facts.put("user_id", Some(7));
        facts.put("nothing", None::<i64>);
        let with = facts.beside(object(json!({"legacy": "mine"})));
        assert_eq!(with, Some(r#"{"legacy":"mine","legacy_row":{"user_id":7}}"#.to_owned()));
    }

    #[test]
    fn a_picture_written_out_as_a_text_is_cut() {
        let mut facts = Facts::default();
        facts.put("input", Some(json!({"image": format!("data:image/png;base64,{}", "A".repeat(5_000))})));
        let text = facts.beside(None).unwrap();
        assert!(text.len() < 400 && text.contains("5022 characters in all"), "{text}");
    }
}
