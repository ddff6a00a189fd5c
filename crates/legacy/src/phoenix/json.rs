//! JSON columns, read as the Phoenix service read them, and the odd shapes of what is in them.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, json};

use crate::{
    model::Broken,
    source::{
        json as python,
        rows::{Record, uuid},
    },
};

/// A JSON object.
pub(super) type Members = Map<String, Value>;

/// The longest that a scene may be, in seconds: what is beyond it is no length of a scene.
const LONGEST: f64 = 86_400.0;

/// The object in a column; blank and `null` are as good as absent. Of two members with one name the first counts, as it
/// did there: the service itself wrote some of them twice.
pub(super) fn object(record: &Record, column: &'static str) -> Result<Option<Members>, Broken> {
    let Some(text) = record.filled(column)? else { return Ok(None) };
    let read = parse(text).map_err(|reason| record.broken(column, reason))?;
    Ok(read.map(|read| read.members))
}

/// The object in a column to the letter, so that no long number changes in its last digit, with what has no place of its
/// own here as its member `legacy`, or as `legacy_row` when it has such a member itself. None when there is nothing to be
/// said. Only numbers that JSON does not have are `null` in it, see [`python::read`].
pub(super) fn kept(record: &Record, column: &'static str, facts: Members) -> Result<Option<String>, Broken> {
    let text = record.filled(column)?.unwrap_or("null");
    let read = parse(text).map_err(|reason| record.broken(column, reason))?;
    let mended = python::with_null(text);
    Ok(with_facts(mended.as_deref().unwrap_or(text), read, facts))
}

fn with_facts(text: &str, read: Option<FirstCounts>, facts: Members) -> Option<String> {
    let Some(FirstCounts { members, twice }) = read else {
        return (!facts.is_empty()).then(|| json!({ "legacy": facts }).to_string());
    };
    let name = if members.contains_key("legacy") { "legacy_row" } else { "legacy" };
    let comma = if members.is_empty() { "" } else { "," };
    let text = if twice { Value::Object(members).to_string() } else { text.trim().to_owned() };
    if facts.is_empty() {
        return Some(text);
    }
    let open = text.strip_suffix('}')?;
    Some(format!("{open}{comma}\"{name}\":{}}}", Value::Object(facts)))
}

fn parse(text: &str) -> Result<Option<FirstCounts>, String> {
    let read: Option<FirstCounts> = python::read(text).map_err(|error| {
        if error.is_data() {
            format!("is no JSON object: {error}")
        } else {
            format!("is not valid JSON: {error}")
        }
    })?;
    let zero = |(name, value): (&String, &Value)| name.contains('\0') || has_zero(value);
    if read.as_ref().is_some_and(|read| read.members.iter().any(zero)) {
        return Err("has a zero character (\\u0000) in it, which no text may have".to_owned());
    }
    Ok(read)
}

/// Whether a zero character is in any of its texts.
fn has_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_zero),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_zero(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// An object of whose members with one name the first counts.
#[derive(Debug)]
struct FirstCounts {
    members: Members,
    /// Whether there were any such.
    twice: bool,
}

impl<'de> Deserialize<'de> for FirstCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FirstCountsVisitor)
    }
}

struct FirstCountsVisitor;

impl<'de> Visitor<'de> for FirstCountsVisitor {
    type Value = FirstCounts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FirstCounts, A::Error> {
        let mut read = FirstCounts { members: Members::new(), twice: false };
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if read.members.contains_key(&name) {
                read.twice = true;
            } else {
                read.members.insert(name, value);
            }
        }
        Ok(read)
    }
}

/// The tags of an asset: of its column, or of its metadata when the column has none.
pub(super) fn tags(record: &Record, metadata: Option<&Members>) -> Result<Vec<String>, Broken> {
    let mut tags = Vec::new();
    for (place, tag) in record.array("tags")?.unwrap_or_default().iter().enumerate() {
        match tag.as_str() {
            Some(tag) if tag.contains('\0') => {
                return Err(
                    record.broken("tags", format!("element {} has a zero character in it", place + 1))
                );
            }
            Some(tag) => tags.push(tag.to_owned()),
            None if tag.is_null() => {}
            None => {
                return Err(
                    record.broken("tags", format!("element {} is {tag}, which is no text", place + 1))
                );
            }
        }
    }
    let tags = filled(tags);
    Ok(if tags.is_empty() {
        metadata.and_then(|members| members.get("tags")).map_or(tags, loose_tags)
    } else {
        tags
    })
}

/// Tags as metadata have them: a list, a list as text, or texts with commas between. What is none of these has none.
fn loose_tags(value: &Value) -> Vec<String> {
    let texts = |items: &[Value]| items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    filled(match value {
        Value::Array(items) => texts(items),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => texts(&items),
            _ => text.split(',').map(str::to_owned).collect(),
        },
        _ => Vec::new(),
    })
}

/// Without white space around them, and without blank ones.
fn filled(tags: Vec<String>) -> Vec<String> {
    tags.into_iter().map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
}

/// The first of several members that is a text and says something, without white space around it.
pub(super) fn text<'a>(members: Option<&'a Members>, names: &[&str]) -> Option<&'a str> {
    let members = members?;
    names.iter().filter_map(|name| members.get(*name)?.as_str()).map(str::trim).find(|text| !text.is_empty())
}

/// A finite number of 0 or more, also one that a text begins with (`6 seconds`).
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => leading_number(text),
        _ => None,
    }
    .filter(|number| number.is_finite() && *number >= 0.0)
}

/// Digits at the beginning of a text, with a fraction if they have one.
fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let fraction = text.get(whole..)?.strip_prefix('.').map_or(0, digits);
    let end = if fraction == 0 { whole } else { whole + 1 + fraction };
    text.get(..end).filter(|number| !number.is_empty())?.parse().ok()
}

/// A length in seconds as milliseconds; none when it is no length, or one of 0.
pub(super) fn milliseconds(value: &Value) -> Option<u64> {
    let seconds = number(value).filter(|seconds| *seconds <= LONGEST)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a day")]
    let milliseconds = (seconds * 1000.0).round() as u64;
    Some(milliseconds).filter(|milliseconds| *milliseconds > 0)
}

/// Takes a text out of an object; what is no text, or a blank one, stays in it.
pub(super) fn take_text(members: &mut Members, name: &str) -> Option<String> {
    members.get(name)?.as_str().filter(|text| !text.trim().is_empty())?;
    match members.shift_remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Takes a list of texts out of an object, or a single text as a list of one; what is neither stays in it.
pub(super) fn take_texts(members: &mut Members, name: &str) -> Vec<String> {
    if let Some(text) = take_text(members, name) {
        return vec![text];
    }
    let Some(Value::Array(items)) = members.get(name) else { return Vec::new() };
    let Some(texts) = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    else {
        return Vec::new();
    };
    members.shift_remove(name);
    texts
}

/// A UUID in lower case, if a value is one.
pub(super) fn id(value: &Value) -> Option<String> {
    uuid(value.as_str()?)
}

#[cfg(test)]
mod tests;
