//! Digests of requests: the same key with another digest is another request, and is refused.

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// SHA-256 (lower-case hex) of the canonical JSON of an input: members sorted by name, no white space.
#[must_use]
pub fn digest<T: Serialize>(input: &T) -> String {
    let value = serde_json::to_value(input).unwrap_or_default();
    hex::encode(Sha256::digest(canonical(value).to_string()))
}

/// The same JSON with the members of every object sorted by name.
#[must_use]
pub fn canonical(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(canonical).collect()),
        Value::Object(object) => {
            let mut members: Vec<_> = object.into_iter().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(
                members.into_iter().map(|(name, value)| (name, canonical(value))).collect::<Map<_, _>>(),
            )
        }
        other => other,
    }
}
