//! Looking into parsed YAML without asking at each step whether there is something.

use serde_json::Value;

static NOTHING: Value = Value::Null;

/// What lies at a JSON pointer, or null.
#[must_use]
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&NOTHING)
}

/// The text at a pointer; empty when there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_default()
}

/// The list at a pointer; empty when there is none.
#[must_use]
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer).as_array().map_or(&[], Vec::as_slice)
}

/// The keys and values at a pointer; none when there is no map.
pub fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    at(value, pointer).as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

/// The texts of a list.
#[must_use]
pub fn texts<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    list(value, pointer).iter().filter_map(Value::as_str).collect()
}

/// A number or a text as text, the two ways in which a port is written.
#[must_use]
pub fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a label selector chooses something with these labels. An empty selector chooses everything.
#[must_use]
pub fn selects(selector: &Value, labels: &Value) -> bool {
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let equal = entries(selector, "/matchLabels").all(|(key, wanted)| label(key) == wanted.as_str());
    let expressions = list(selector, "/matchExpressions").iter().all(|expression| {
        let (has, values) = (label(text(expression, "/key")), texts(expression, "/values"));
        match text(expression, "/operator") {
            "In" => has.is_some_and(|has| values.contains(&has)),
            "NotIn" => has.is_none_or(|has| !values.contains(&has)),
            "Exists" => has.is_some(),
            "DoesNotExist" => has.is_none(),
            _ => false,
        }
    });
    equal && expressions
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_selector_chooses_everything() {
        assert!(selects(&json!({}), &json!({"a": "b"})));
    }

    #[test]
    fn all_parts_of_a_selector_have_to_fit() {
        let selector = json!({
            "matchLabels": {"a": "b"},
            "matchExpressions": [{"key": "c", "operator": "In", "values": ["d", "e"]}],
        });
        assert!(selects(&selector, &json!({"a": "b", "c": "e"})));
        assert!(!selects(&selector, &json!({"a": "b", "c": "x"})));
        assert!(!selects(&selector, &json!({"a": "x", "c": "e"})));
        assert!(!selects(&selector, &json!({"a": "b"})));
    }
}
