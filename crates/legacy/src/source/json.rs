//! JSON as Python writes it: where a number is none or has no end, its `json` writes a word that JSON does not have.

use serde::de::DeserializeOwned;

/// Those words; the longer one before the one that it ends with.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Reads JSON. What fails for those words alone is read as if each were `null`.
///
/// # Errors
/// It is no JSON, or JSON of another shape: what is wrong with the text as it is.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(text).or_else(|error| {
        let Some(mended) = with_null(text) else { return Err(error) };
        serde_json::from_str(&mended).map_err(|_| error)
    })
}

/// A JSON text with `null` in the place of each of those words; none when there are none in it. Within strings they are
/// words like any others. A text that is no JSON does not become any.
pub(crate) fn with_null(text: &str) -> Option<String> {
    if !WORDS.iter().any(|word| text.contains(*word)) {
        return None;
    }
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, from_quote) = rest.split_at(rest.find('"').unwrap_or(rest.len()));
        mended.push_str(&WORDS.iter().fold(plain.to_owned(), |plain, word| plain.replace(*word, "null")));
        let (string, after) = from_quote.split_at(end_of_string(from_quote));
        mended.push_str(string);
        rest = after;
    }
    (mended != text).then_some(mended)
}

/// How many bytes the string has that a text begins with, its quotation marks included; all of them when it has no end.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case(r#"{"score": NaN, "n": [Infinity, -Infinity, 1]}"#, json!({"score": null, "n": [null, null, 1]}))]
    #[case("NaN", json!(null))]
    #[case(r#"{"NaN": NaN, "view \" of": "Infinity pool \\"}"#, json!({"NaN": null, "view \" of": "Infinity pool \\"}))]
    fn numbers_that_json_does_not_have_are_null(#[case] text: &str, #[case] wanted: Value) {
        assert!(serde_json::from_str::<Value>(text).is_err());
        assert_eq!(read::<Value>(text).unwrap(), wanted);
    }

    #[rstest]
    #[case("NaNs")]
    #[case("[1NaN]")]
    #[case("--Infinity")]
    #[case("Infinity pool")]
    #[case(r#"{"a": NaN"#)]
    #[case(r#"["NaN]"#)]
    #[case("nan")]
    fn what_is_no_json_for_another_reason_does_not_become_any(#[case] text: &str) {
        let wanted = serde_json::from_str::<Value>(text).unwrap_err().to_string();
        assert_eq!(read::<Value>(text).unwrap_err().to_string(), wanted, "told of the text as it is");
    }

    /// Texts in which the words are not rare.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("NaN".to_owned()),
            Just("-Infinity".to_owned()),
            Just("Infinity".to_owned()),
            Just("\"".to_owned()),
            Just("\\".to_owned()),
            Just(": ".to_owned()),
            ".{0,4}",
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn words_within_strings_are_untouched(name in texts(), text in texts(), more in texts()) {
            let value = json!({name: [&text, {"deeper": &more}], "number": 1.5, "nothing": null});
            prop_assert_eq!(with_null(&value.to_string()), None);
            prop_assert_eq!(read::<Value>(&value.to_string()).unwrap(), value);
        }

        #[test]
        fn each_word_between_strings_becomes_null(
            items in proptest::collection::vec((texts(), proptest::sample::select(WORDS.to_vec())), 1..5),
        ) {
            let string = |text: &String| Value::from(text.as_str()).to_string();
            let parts: Vec<_> = items.iter().map(|(text, word)| format!("{},{word}", string(text))).collect();
            let wanted: Vec<_> = items.iter().flat_map(|(text, _)| [Value::from(text.as_str()), Value::Null]).collect();
            let read: Value = read(&format!("[{}]", parts.join(", "))).unwrap();
            prop_assert_eq!(read, Value::from(wanted));
        }

        #[test]
        fn any_text_at_all_is_read_as_it_is_where_it_is_json(text in texts()) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(read::<Value>(&text).unwrap(), value);
                prop_assert_eq!(with_null(&text), None);
            }
        }
    }
}
