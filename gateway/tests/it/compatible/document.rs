//! Reading an OpenAPI document: its operations by method and path, and what a reference leads to.

use std::collections::BTreeMap;

use serde_json::Value;

const METHODS: [&str; 6] = ["get", "put", "post", "delete", "patch", "head"];

/// The operations of a document. Names of variable parts of a path are left out: no caller sees them.
pub(super) fn operations(document: &Value) -> BTreeMap<String, (String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let mut found = BTreeMap::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let name = format!("{} {path}", method.to_uppercase());
                found.insert(crate::contract::index::shape_of(&name), (name, operation));
            }
        }
    }
    found
}

/// What a value stands for: itself, or what its `$ref` leads to.
pub(super) fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let mut value = value;
    // A chain of references is short; a ring of them would be our own fault.
    for _ in 0..8 {
        let Some(pointer) = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) else {
            return value;
        };
        value = document.pointer(pointer).unwrap_or(&Value::Null);
    }
    value
}
