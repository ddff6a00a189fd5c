//! Shapes of JSON, one by one and any at all.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Longer ones may be read with another last digit: what is kept is the text.
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn of_two_members_with_one_name_the_first_counts() {
    let read = parse(r#"{"audio_status":"completed","percentage":100,"audio_status":"generating"}"#)
        .unwrap()
        .unwrap();
    assert_eq!(Value::Object(read.members), json!({"audio_status": "completed", "percentage": 100}));
}

#[rstest]
#[case::array("[1]", "is no JSON object")]
#[case::text("\"a\"", "is no JSON object")]
#[case::cut_off("{\"a\":", "is not valid JSON")]
#[case::more_behind("{} {}", "is not valid JSON")]
#[case::zero("{\"a\":[{\"b\":\"x\\u0000\"}]}", "has a zero character")]
fn what_is_no_object_is_said(#[case] text: &str, #[case] reason: &str) {
    let error = parse(text).unwrap_err();
    assert!(error.starts_with(reason), "{error}");
}

#[test]
fn null_is_as_good_as_absent() {
    assert!(parse("null").unwrap().is_none());
}

#[rstest]
#[case::list(json!(["a", " b ", "", 3, null]), &["a", "b"])]
#[case::list_as_text(json!("[\"a, b\", \"c\"]"), &["a, b", "c"])]
#[case::commas(json!("pool, hero shot ,,"), &["pool", "hero shot"])]
#[case::other(json!({"a": 1}), &[])]
fn tags_of_metadata_come_in_three_shapes(#[case] value: Value, #[case] tags: &[&str]) {
    assert_eq!(loose_tags(&value), tags);
}

#[rstest]
#[case(json!(5), Some(5_000))]
#[case(json!(1.5), Some(1_500))]
#[case(json!("6 seconds"), Some(6_000))]
#[case(json!(" 2.25s"), Some(2_250))]
#[case(json!("3."), Some(3_000))]
#[case(json!("about 4"), None)]
#[case(json!("-4"), None)]
#[case(json!(-4), None)]
#[case(json!(0), None)]
#[case(json!(1e300), None)]
#[case(json!(""), None)]
#[case(json!([5]), None)]
fn a_length_is_a_number_or_a_text_that_begins_with_one(#[case] value: Value, #[case] expected: Option<u64>) {
    assert_eq!(milliseconds(&value), expected);
}

#[test]
fn what_is_no_text_stays_where_it_is() {
    let mut members = json!({"title": 5, "prompt": "x", "blank": " "}).as_object().unwrap().clone();
    assert_eq!(take_text(&mut members, "title"), None);
    assert_eq!(take_text(&mut members, "blank"), None);
    assert_eq!(take_text(&mut members, "prompt"), Some("x".to_owned()));
    assert_eq!(Value::Object(members), json!({"title": 5, "blank": " "}));
}

#[test]
fn texts_are_a_list_or_a_single_one_and_nothing_of_a_mixed_list_is_lost() {
    let mut members = json!({"a": ["x", "y"], "b": "z", "c": ["x", 1]}).as_object().unwrap().clone();
    assert_eq!(take_texts(&mut members, "a"), ["x", "y"]);
    assert_eq!(take_texts(&mut members, "b"), ["z"]);
    assert!(take_texts(&mut members, "c").is_empty());
    assert_eq!(Value::Object(members), json!({"c": ["x", 1]}));
}

fn with(text: &str, facts: Value) -> Option<String> {
    with_facts(text, parse(text).unwrap(), facts.as_object().cloned().unwrap())
}

#[rstest]
#[case::nothing("null", json!({}), None)]
#[case::facts_alone("null", json!({"a": 1}), Some(r#"{"legacy":{"a":1}}"#))]
#[case::empty("{}", json!({"a": 1}), Some(r#"{"legacy":{"a":1}}"#))]
#[case::added(r#" {"b": 2 } "#, json!({"a": 1}), Some(r#"{"b": 2 ,"legacy":{"a":1}}"#))]
#[case::taken(r#"{"legacy":2}"#, json!({"a": 1}), Some(r#"{"legacy":2,"legacy_row":{"a":1}}"#))]
#[case::to_the_letter(r#"{"x": -4.1442262128725154e-168}"#, json!({}), Some(r#"{"x": -4.1442262128725154e-168}"#))]
#[case::twice(r#"{"b":1, "b":2}"#, json!({}), Some(r#"{"b":1}"#))]
fn an_object_is_kept_to_the_letter_and_facts_take_no_others_place(
    #[case] text: &str,
    #[case] facts: Value,
    #[case] expected: Option<&str>,
) {
    assert_eq!(with(text, facts).as_deref(), expected);
}

proptest! {
    #[test]
    fn a_number_before_any_words_is_read(whole in 0_u32..80_000, thousandths in 0_u32..1_000, words in "( ?[a-zé][^0-9]{0,8})?") {
        let text = Value::from(format!("{whole}.{thousandths:03}{words}"));
        let expected = u64::from(whole) * 1_000 + u64::from(thousandths);
        prop_assert_eq!(milliseconds(&text), Some(expected).filter(|milliseconds| *milliseconds > 0));
    }

    #[test]
    fn any_text_and_any_value_is_a_length_within_a_day_or_none(text in ".{0,20}", value in any_json()) {
        for length in [milliseconds(&Value::from(text)), milliseconds(&value)].into_iter().flatten() {
            prop_assert!((1..=86_400_000).contains(&length));
        }
    }

    #[test]
    fn any_object_is_read_as_it_is(value in any_json()) {
        let read = parse(&value.to_string());
        match &value {
            Value::Object(members) if has_zero(&value) || members.keys().any(|name| name.contains('\0')) => {
                prop_assert!(read.is_err());
            }
            Value::Object(members) => {
                prop_assert_eq!(Value::Object(read.unwrap().unwrap().members), value.clone());
                let kept = with(&value.to_string(), json!({"a": [1]})).unwrap();
                let kept: Value = serde_json::from_str(&kept).unwrap();
                let name = if members.contains_key("legacy") { "legacy_row" } else { "legacy" };
                prop_assert_eq!(&kept[name], &json!({"a": [1]}));
                prop_assert!(members.iter().all(|(name, member)| name == "legacy_row" || kept[name] == *member));
            }
            Value::Null => prop_assert!(read.unwrap().is_none()),
            _ => prop_assert!(read.is_err()),
        }
    }

    #[test]
    fn any_text_is_an_object_or_a_reason(text in ".{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_tag_is_blank(value in any_json()) {
        prop_assert!(loose_tags(&value).iter().all(|tag| !tag.trim().is_empty() && tag.trim() == tag));
    }
}
