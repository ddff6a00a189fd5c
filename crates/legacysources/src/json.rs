//! JSON as Python writes it: a space after each comma and colon, nothing beyond ASCII.

use std::fmt::Write as _;

use serde_json::Value;

/// The text of a value.
pub(crate) fn python(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (n, (name, member)) in members.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                ascii(&Value::from(name.as_str()).to_string(), out);
                out.push_str(": ");
                write(member, out);
            }
            out.push('}');
        }
        other => ascii(&other.to_string(), out),
    }
}

fn ascii(text: &str, out: &mut String) {
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a text cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn json_is_spaced_and_escaped_as_python_does_it() {
        let value = json!({"größe": [1, null, "a, \"b\" 🏡"], "n": {}});
        assert_eq!(
            super::python(&value),
            r#"{"gr\u00f6\u00dfe": [1, null, "a, \"b\" \ud83c\udfe1"], "n": {}}"#
        );
    }
}
