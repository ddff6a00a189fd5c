//! What a row says that has no place of its own here: kept as the member `legacy` of a JSON object.

use serde_json::{Map, Value};

/// How many characters of a `data:` URL are kept where one is cut: such a text holds a whole picture.
const MOST_DATA: usize = 200;

/// The facts that are what the row itself has as an object. They are only cut when there is no other way.
const OWN: [&str; 2] = ["parameters", "metadata"];

/// How many bytes facts may have together without any of [`OWN`] being cut. A job travels in a message of 192 KiB at
/// most, with its scenes: one that is longer would not come at all, nor would its video.
const MOST_OWN: usize = 128 * 1024;

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

    /// Adds what is to be noted of how the row was read, if anything is.
    pub(super) fn note(&mut self, notes: Vec<String>) {
        self.put("notes", Some(notes).filter(|notes| !notes.is_empty()));
    }

    /// Takes a fact out that has a place of its own after all.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
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
    /// own; none when there is nothing to be said. The object itself is kept as it is: only the facts are shortened.
    pub(super) fn beside(mut self, object: Option<Map<String, Value>>) -> Option<String> {
        self.shorten();
        self.added_to(object)
    }

    /// The facts alone as such an object, and how many texts in them were cut.
    pub(super) fn alone(mut self) -> (String, usize) {
        let cut = self.shorten();
        (self.added_to(None).unwrap_or_else(|| "{}".to_owned()), cut)
    }

    fn added_to(self, object: Option<Map<String, Value>>) -> Option<String> {
        if self.0.is_empty() {
            return object.map(|object| Value::Object(object).to_string());
        }
        let mut object = object.unwrap_or_default();
        let name = if object.contains_key("legacy") { "legacy_row" } else { "legacy" };
        object.insert(name.to_owned(), self.into_value());
        Some(Value::Object(object).to_string())
    }

    /// Cuts pictures off; how many. To be done once: what was cut is not known as such.
    fn shorten(&mut self) -> usize {
        let others = self.0.iter_mut().filter(|(name, _)| !OWN.contains(&name.as_str()));
        let mut cut: usize = others.map(|(_, fact)| shorten(fact)).sum();
        let size: usize = self.0.values().map(|fact| fact.to_string().len()).sum();
        if size > MOST_OWN {
            for name in OWN {
                cut += self.0.get_mut(name).map_or(0, shorten);
            }
        }
        cut
    }
}

/// Cuts pictures off that were written out as texts: they are input of a model, and far too long for a field. How many.
fn shorten(value: &mut Value) -> usize {
    match value {
        Value::String(text) if text.starts_with("data:") && text.len() > MOST_DATA => {
            let left: String = text.chars().take(MOST_DATA).collect();
            *text = format!("{left}… ({} characters in all)", text.chars().count());
            1
        }
        Value::Array(items) => items.iter_mut().map(shorten).sum(),
        Value::Object(members) => members.values_mut().map(shorten).sum(),
        _ => 0,
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
        let (text, cut) = facts.alone();
        assert!(text.len() < 400 && text.contains("5022 characters in all"), "{text}");
        assert_eq!(cut, 1);
    }

    #[test]
    fn an_object_that_facts_are_added_to_is_never_cut() {
        let logo = format!("data:image/png;base64,{}", "A".repeat(200_000));
        let mut facts = Facts::default();
        facts.put("thumbnail_url", Some(logo.as_str()));
        let text = facts.beside(object(json!({"logo": logo, "parameters": {"logo": logo}}))).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert!(read["logo"] == logo && read["parameters"]["logo"] == logo);
        assert!(read["legacy"]["thumbnail_url"].as_str().unwrap().ends_with("(200022 characters in all)"));
    }

    #[test]
    fn what_the_row_has_as_an_object_is_only_cut_when_all_would_be_too_long_to_travel() {
        let with = |length: usize| {
            let picture = format!("data:image/png;base64,{}", "A".repeat(length));
            let mut facts = Facts::default();
            facts.put("parameters", Some(json!({"image": picture})));
            facts.put("metadata", Some(json!({"still": [picture]})));
            facts.put("progress", Some(json!({"thumbnail": picture})));
            facts.alone()
        };
        let (text, cut) = with(60_000);
        assert!(cut == 1 && text.len() > 120_000, "{cut} of {} bytes", text.len());
        let (text, cut) = with(70_000);
        assert!(cut == 3 && text.len() < 1_500, "{cut} of {} bytes", text.len());
    }
}
