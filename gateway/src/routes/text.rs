//! How values of the services are spelled in the API.

use serde_json::{Map, Value};

/// USD micros as dollars, rounded to cents; a whole amount stays a float.
pub(crate) fn dollars(micros: i64) -> f64 {
    // Rounded while it is a whole number, so that no binary fraction tips it.
    let cents = (micros + micros.signum() * 5_000) / 10_000;
    cents as f64 / 100.0
}

/// Milliseconds as seconds.
pub(crate) fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// JSON that a service keeps as text; none when there is none.
pub(crate) fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|value: &Value| !value.is_null())
}

/// A JSON object that a service keeps as text.
pub(crate) fn object(text: Option<&str>) -> Option<Map<String, Value>> {
    match text.and_then(json) {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// A path's job id: decimal digits that fit an id; all else names no job.
pub(crate) fn job_id(path: &str) -> Option<i32> {
    path.bytes().all(|byte| byte.is_ascii_digit()).then(|| path.parse().ok()).flatten()
}

/// `text` unless it is blank.
pub(crate) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_dollars_rounded_to_cents_and_always_a_float() {
        for (micros, wanted) in [
            (1_000_000, "1.0"),
            (1_204_999, "1.2"),
            (1_205_000, "1.21"),
            (0, "0.0"),
            (5_400_000, "5.4"),
            (-1_000_000, "-1.0"),
        ] {
            assert_eq!(serde_json::json!(dollars(micros)).to_string(), wanted);
        }
    }

    #[test]
    fn only_digits_that_fit_name_a_job() {
        assert_eq!(job_id("43"), Some(43));
        for path in ["", "abc", "-1", "+1", "1.0", "12abc", "99999999999", " 1"] {
            assert_eq!(job_id(path), None, "{path:?}");
        }
    }
}
