//! Tags: a JSON array of texts, or plain text with commas where a caller sent a single tag.

use serde_json::Value;

/// Reads tags. What is blank is dropped, all else is kept as it is and in its order.
///
/// # Errors
/// It begins as JSON and is none, or is JSON of another shape: what is wrong.
pub(super) fn read(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    if text.is_empty() || text == "null" {
        return Ok(Vec::new());
    }
    if !text.starts_with(['[', '{', '"']) {
        return Ok(separated(text));
    }
    match serde_json::from_str(text) {
        Ok(Value::String(one)) => Ok(separated(&one)),
        Ok(Value::Array(items)) => {
            let tags: Result<Vec<_>, _> = items.iter().map(tag).collect();
            Ok(tags?.into_iter().flatten().collect())
        }
        Ok(_) => Err("is a JSON object where an array of texts should be".to_owned()),
        Err(error) => Err(format!("is not valid JSON: {error}")),
    }
}

fn tag(item: &Value) -> Result<Option<String>, String> {
    match item {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
        Value::Number(number) => Ok(Some(number.to_string())),
        other => Err(format!("holds {other} where a text should be")),
    }
}

fn separated(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"["Ensuite Bathroom 1 3"]"#, &["Ensuite Bathroom 1 3"])]
    #[case(r#"["K\u00fcche 5", " ", null, 7]"#, &["Küche 5", "7"])]
    #[case("exterior, pool,,hero", &["exterior", "pool", "hero"])]
    #[case("hero", &["hero"])]
    #[case(r#""pool, hero""#, &["pool", "hero"])]
    #[case("[]", &[])]
    #[case("null", &[])]
    #[case("  ", &[])]
    fn both_shapes_of_tags_are_read(#[case] text: &str, #[case] wanted: &[&str]) {
        assert_eq!(read(text), Ok(wanted.iter().map(ToString::to_string).collect()));
    }

    #[rstest]
    #[case(r#"["pool""#, "not valid JSON")]
    #[case(r#"{"a": 1}"#, "a JSON object")]
    #[case(r#"[["pool"]]"#, "where a text should be")]
    fn what_begins_as_json_has_to_be_an_array_of_texts(#[case] text: &str, #[case] wanted: &str) {
        assert!(read(text).unwrap_err().contains(wanted));
    }

    proptest! {
        #[test]
        fn an_array_of_texts_comes_back_as_it_was(tags in proptest::collection::vec("\\S(.*\\S)?", 0..5)) {
            prop_assert_eq!(read(&serde_json::to_string(&tags).unwrap()), Ok(tags));
        }

        #[test]
        fn any_text_at_all_is_tags_that_say_something_or_an_error(text in any::<String>()) {
            if let Ok(tags) = read(&text) {
                prop_assert!(tags.iter().all(|tag| !tag.trim().is_empty()));
            }
        }
    }
}
