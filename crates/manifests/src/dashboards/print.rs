//! JSON that a person can review: what fits on a line stands on one.

use serde_json::Value;

/// The longest line that is not broken.
const WIDTH: usize = 130;

/// Writes it, with a new line at its end.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, 0, &mut out);
    out.push('\n');
    out
}

/// `used` is what stands on the line already.
fn write(value: &Value, depth: usize, used: usize, out: &mut String) {
    let short = value.to_string();
    let simple = !matches!(value, Value::Array(_) | Value::Object(_));
    if simple || short.len() + used <= WIDTH {
        out.push_str(&short);
        return;
    }
    let pad = "  ".repeat(depth + 1);
    match value {
        Value::Array(all) => {
            out.push_str("[\n");
            for (at, one) in all.iter().enumerate() {
                out.push_str(&pad);
                write(one, depth + 1, pad.len(), out);
                out.push_str(if at + 1 < all.len() { ",\n" } else { "\n" });
            }
        }
        Value::Object(all) => {
            out.push_str("{\n");
            for (at, (key, one)) in all.iter().enumerate() {
                let key = format!("{pad}{}: ", Value::String(key.clone()));
                out.push_str(&key);
                write(one, depth + 1, key.len(), out);
                out.push_str(if at + 1 < all.len() { ",\n" } else { "\n" });
            }
        }
        _ => {}
    }
    out.push_str(&"  ".repeat(depth));
    out.push(if value.is_array() { ']' } else { '}' });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let long = json!({"a": [1, 2], "b": "x".repeat(100), "c": [{"d": "y".repeat(120)}], "e": {}});
        let text = text(&long);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), long);
        assert!(text.lines().any(|line| line == "  \"a\": [1,2],"), "{text}");
    }
}
