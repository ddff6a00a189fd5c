//! What a schema allows, flattened: unions and parts are put together, references followed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::resolved;

/// A schema as far as the gate looks at it.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema<'d> {
    /// `string`, `object`, `null` and so on; none = anything.
    pub(super) types: BTreeSet<String>,
    pub(super) properties: BTreeMap<String, &'d Value>,
    pub(super) required: BTreeSet<String>,
    pub(super) items: Option<&'d Value>,
    /// The values of an enumeration; none when it is none.
    pub(super) values: Option<BTreeSet<String>>,
}

impl<'d> Schema<'d> {
    pub(super) fn of(document: &'d Value, value: &'d Value) -> Self {
        let value = resolved(document, value);
        let mut schema = Self {
            types: types(value),
            properties: value["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), schema))
                .collect(),
            required: value["required"].as_array().into_iter().flatten().filter_map(text).collect(),
            items: value.get("items"),
            values: value["enum"].as_array().map(|values| values.iter().map(Value::to_string).collect()),
        };
        for part in value["allOf"].as_array().into_iter().flatten() {
            let part = Self::of(document, part);
            schema.required.extend(part.required.iter().cloned());
            schema.take(part);
        }
        let mut variants = ["oneOf", "anyOf"].iter().filter_map(|name| value[name].as_array()).flatten();
        if let Some(first) = variants.next() {
            let mut union = Self::of(document, first);
            for variant in variants {
                let variant = Self::of(document, variant);
                // Null has no members: it does not make those of the other variants optional.
                if !variant.is_null() && !union.is_null() {
                    union.required = union.required.intersection(&variant.required).cloned().collect();
                } else if union.is_null() {
                    union.required.clone_from(&variant.required);
                }
                union.take(variant);
            }
            schema.required.extend(union.required.iter().cloned());
            schema.take(union);
        }
        schema
    }

    fn is_null(&self) -> bool {
        self.types.iter().eq(["null"])
    }

    /// Adds what another one allows, apart from what it needs.
    fn take(&mut self, other: Self) {
        self.types.extend(other.types);
        self.properties.extend(other.properties);
        self.items = self.items.or(other.items);
        if let Some(values) = other.values {
            self.values.get_or_insert_default().extend(values);
        }
    }
}

fn types(value: &Value) -> BTreeSet<String> {
    match &value["type"] {
        Value::String(one) => BTreeSet::from([one.clone()]),
        Value::Array(many) => many.iter().filter_map(text).collect(),
        _ => BTreeSet::new(),
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
