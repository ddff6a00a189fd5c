//! Reading typed values out of a request's fields, gathering what is wrong with each.

use serde_json::{Map, Number, Value};

use super::{Params, leading_integer};
use crate::problem::{Family, Problem};

const INVALID: &str = "is invalid";

/// Reads fields and remembers every one that is wrong.
pub(crate) struct Fields<'a> {
    params: &'a Params,
    violations: Vec<(String, String)>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(params: &'a Params) -> Self {
        Self { params, violations: Vec::new() }
    }

    /// The field, or the first of its aliases that is there when the field itself is absent.
    pub(crate) fn value(&self, name: &str, aliases: &[&str]) -> Option<&'a Value> {
        let params: &'a Params = self.params;
        params.get(name).or_else(|| aliases.iter().find_map(|alias| params.get(alias)))
    }

    /// Like [`Fields::value`], but a null lets the aliases speak.
    pub(crate) fn present(&self, name: &str, aliases: &[&str]) -> Option<&'a Value> {
        let params: &'a Params = self.params;
        let own = params.get(name).filter(|value| !value.is_null());
        own.or_else(|| aliases.iter().find_map(|alias| params.get(alias).filter(|value| !value.is_null())))
    }

    /// Those of the names that the caller sent, whatever their values.
    pub(crate) fn sent(&self, names: &[&str]) -> Vec<String> {
        let sent = names.iter().filter(|name| self.params.get(name).is_some());
        sent.map(|name| (*name).to_owned()).collect()
    }

    /// Text; anything else is rejected.
    pub(crate) fn text(&mut self, name: &str, aliases: &[&str]) -> Option<String> {
        match self.value(name, aliases) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => self.clean(name, text),
            Some(_) => self.reject(name, INVALID),
        }
    }

    /// Text of at most so many characters: what events carry to everyone must not be of any size.
    pub(crate) fn short_text(&mut self, name: &str, most: usize) -> Option<String> {
        let text = self.scalar(name, &[])?;
        if text.chars().count() > most {
            return self.reject(name, &format!("should be at most {most} character(s)"));
        }
        Some(text)
    }

    /// Text, or a number or boolean as text; anything else is rejected.
    pub(crate) fn scalar(&mut self, name: &str, aliases: &[&str]) -> Option<String> {
        match self.value(name, aliases) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => self.clean(name, text),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Some(_) => self.reject(name, INVALID),
        }
    }

    /// The texts of a list; a list that holds anything else is rejected.
    pub(crate) fn texts_of(&mut self, name: &str, items: &[Value]) -> Option<Vec<String>> {
        let texts =
            items.iter().map(|item| item.as_str().filter(|text| !text.contains('\0')).map(str::to_owned));
        texts.collect::<Option<_>>().or_else(|| self.reject(name, "must be an array of strings"))
    }

    /// A JSON object; anything else is rejected.
    pub(crate) fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        match self.value(name, &[]) {
            None | Some(Value::Null) => None,
            Some(Value::Object(object)) if object_has_nul(object) => self.reject(name, INVALID),
            Some(Value::Object(object)) => Some(object),
            Some(_) => self.reject(name, INVALID),
        }
    }

    /// A finite number, also as text; anything else is rejected, and an empty text says nothing.
    pub(crate) fn number(&mut self, name: &str, aliases: &[&str]) -> Option<f64> {
        let number = match self.value(name, aliases) {
            None | Some(Value::Null) => return None,
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) if text.trim().is_empty() => return None,
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        number.filter(|number| number.is_finite()).or_else(|| self.reject(name, INVALID))
    }

    /// A whole number, also as text; anything else is rejected, and an empty text says nothing.
    pub(crate) fn integer(&mut self, name: &str, aliases: &[&str]) -> Option<i64> {
        let number = match self.value(name, aliases) {
            None | Some(Value::Null) => return None,
            Some(Value::Number(number)) => whole(number),
            Some(Value::String(text)) if text.trim().is_empty() => return None,
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        number.or_else(|| self.reject(name, INVALID))
    }

    /// A whole number of a query, which is read as the older API did: the start of a text counts, and text that is no
    /// number is as good as none.
    pub(crate) fn lenient_integer(&mut self, name: &str) -> Option<i64> {
        match self.value(name, &[]) {
            Some(Value::String(text)) => leading_integer(text),
            _ => self.integer(name, &[]),
        }
    }

    /// Remembers that a field is wrong.
    pub(crate) fn reject<T>(&mut self, name: &str, message: &str) -> Option<T> {
        self.violations.push((name.to_owned(), message.to_owned()));
        None
    }

    /// What is wrong so far, field by field.
    pub(crate) fn into_violations(self) -> Vec<(String, String)> {
        self.violations
    }

    /// Ends the reading: an error when any field was wrong.
    pub(crate) fn finish(self, family: Family) -> Result<(), Problem> {
        if self.violations.is_empty() { Ok(()) } else { Err(Problem::validation(family, self.violations)) }
    }

    /// Text that databases and tools can hold.
    pub(crate) fn clean(&mut self, name: &str, text: &str) -> Option<String> {
        if text.contains('\0') {
            self.reject(name, "must not contain NUL characters")
        } else {
            Some(text.to_owned())
        }
    }
}

/// The whole number that a JSON number is, also when it is written with a fraction of nothing.
fn whole(number: &Number) -> Option<i64> {
    let whole = number.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64);
    number.as_i64().or(whole)
}

fn has_nul<'v>(values: impl IntoIterator<Item = &'v Value>) -> bool {
    values.into_iter().any(|value| match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => has_nul(items),
        Value::Object(object) => object_has_nul(object),
        _ => false,
    })
}

pub(crate) fn object_has_nul(object: &Map<String, Value>) -> bool {
    object.keys().any(|key| key.contains('\0')) || has_nul(object.values())
}
