//! Fits a plan to the JSON schema that the request came with.

use serde_json::{Map, Value, json};

/// The schema of a request's `response_format`, if it has one.
pub(super) fn of(request: &Value) -> Option<&Value> {
    request.get("response_format")?.get("json_schema")?.get("schema")
}

/// The scenes as `{"scenes": [...]}`, or as a bare array where the schema wants one. With `strict`, members that the
/// schema does not know are left out where it forbids them, and enumerations are kept.
pub(super) fn fit(scenes: Vec<Value>, schema: Option<&Value>, strict: bool) -> Value {
    let bare = schema.and_then(|s| s.get("type")).and_then(Value::as_str) == Some("array");
    let list = if bare { schema } else { schema.and_then(|s| s.pointer("/properties/scenes")) };
    let item = list.and_then(|list| list.get("items")).map(|item| resolve(item, schema));
    let scenes = scenes.into_iter().map(|scene| fit_scene(scene, item, strict)).collect();
    if bare { Value::Array(scenes) } else { json!({"scenes": Value::Array(scenes)}) }
}

/// Follows a local `$ref`.
fn resolve<'a>(item: &'a Value, schema: Option<&'a Value>) -> &'a Value {
    let path = item.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    path.and_then(|path| schema?.pointer(path)).unwrap_or(item)
}

fn fit_scene(scene: Value, item: Option<&Value>, strict: bool) -> Value {
    let Some(known) = item.and_then(|item| item.get("properties")).and_then(Value::as_object) else {
        return scene;
    };
    let closed = item.and_then(|item| item.get("additionalProperties")) == Some(&Value::Bool(false));
    let mut fitted = Map::new();
    for (name, value) in scene.as_object().into_iter().flatten() {
        match known.get(name) {
            Some(schema) => {
                fitted.insert(name.clone(), fit_value(value.clone(), schema, strict));
            }
            None if closed => {}
            None => {
                fitted.insert(name.clone(), value.clone());
            }
        }
    }
    let required = item.and_then(|item| item.get("required")).and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if !fitted.contains_key(name) {
            fitted.insert(name.to_owned(), known.get(name).map_or(Value::Null, nothing));
        }
    }
    Value::Object(fitted)
}

fn fit_value(value: Value, schema: &Value, strict: bool) -> Value {
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && strict
        && !allowed.contains(&value)
    {
        return allowed.first().cloned().unwrap_or(value);
    }
    match (kind_of(schema), &value) {
        ("integer", Value::Number(n)) => n.as_f64().map_or(Value::Null, |n| json!(n.round() as i64)),
        ("string", Value::Array(parts)) => {
            parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ").into()
        }
        ("array", Value::String(_)) => json!([value]),
        _ => value,
    }
}

/// The type of a schema, the first that is not `null` when there are several.
fn kind_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default()
        }
        _ => "",
    }
}

/// An empty value of a schema's type, for members that the plan knows nothing of.
fn nothing(schema: &Value) -> Value {
    match kind_of(schema) {
        "string" => schema.get("enum").and_then(|e| e.get(0)).cloned().unwrap_or_else(|| "".into()),
        "integer" | "number" => json!(0),
        "boolean" => json!(false),
        "array" => json!([]),
        "object" => json!({}),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_schema_keeps_only_its_members_and_its_enumerations() {
        let schema = json!({"type": "object", "properties": {"scenes": {"type": "array", "items": {
            "type": "object", "additionalProperties": false, "required": ["title", "duration", "note"],
            "properties": {
                "title": {"type": "string"}, "duration": {"type": "integer"}, "note": {"type": "string"},
                "transition": {"enum": ["fade", "cut"]}}}}}});
        let scene = json!({"title": "A", "duration": 5.6, "transition": "dissolve", "prompt": "x"});
        let expected = json!({"scenes": [{"title": "A", "duration": 6, "transition": "fade", "note": ""}]});
        assert_eq!(fit(vec![scene], Some(&schema), true), expected);
    }

    #[test]
    fn an_array_schema_gets_a_bare_array() {
        let schema = json!({"type": "array", "items": {"type": "object"}});
        assert_eq!(fit(vec![json!({"a": 1})], Some(&schema), true), json!([{"a": 1}]));
        assert_eq!(fit(vec![json!({"a": 1})], None, true), json!({"scenes": [{"a": 1}]}));
    }
}
