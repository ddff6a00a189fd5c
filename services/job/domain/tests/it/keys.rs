//! Keys and digests.

use job_domain::digest::{canonical, digest};
use job_domain::keys::{Key, stream};
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};
use serde_json::json;

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        (any::<i32>(), any::<u32>(), any::<u32>()).prop_map(|(job, scene, take)| Key::Take {
            job,
            scene,
            take
        }),
        (any::<i32>(), any::<u32>()).prop_map(|(job, take)| Key::Soundtrack { job, take }),
        (any::<i32>(), any::<u32>()).prop_map(|(job, cut)| Key::Cut { job, cut }),
        (any::<i32>(), any::<u32>()).prop_map(|(job, cut)| Key::Mix { job, cut }),
    ]
}

proptest! {
    #[test]
    fn a_key_reads_back_from_its_text(key in key()) {
        prop_assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn any_text_is_a_key_or_refused(text in "[a-z0-9/+-]{0,24}") {
        if let Ok(key) = text.parse::<Key>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}

#[test]
fn keys_are_spelled_the_same_for_ever() {
    assert_eq!(Key::Take { job: 43, scene: 2, take: 1 }.to_string(), "job-43/scene-2/take-1");
    assert_eq!(Key::Soundtrack { job: 43, take: 1 }.to_string(), "job-43/soundtrack-1");
    assert_eq!(Key::Cut { job: 43, cut: 1 }.to_string(), "job-43/cut-1");
    assert_eq!(Key::Mix { job: 43, cut: 1 }.to_string(), "job-43/cut-1/mix");
    assert_eq!(stream(43), "job-43");
}

#[test]
fn what_is_not_a_key_is_refused() {
    for text in [
        "",
        "job-43",
        "job-x/cut-1",
        "job-43/cut-1/mix/2",
        "job-43/scene-2",
        "job-43/cut-+1",
        "job-43/cut-01",
    ] {
        assert!(text.parse::<Key>().is_err(), "{text}");
    }
}

#[test]
fn a_digest_does_not_depend_on_the_order_of_members() {
    let one = json!({"b": [{"y": 1, "x": 2}], "a": null});
    let other = json!({"a": null, "b": [{"x": 2, "y": 1}]});
    assert_eq!(digest(&one), digest(&other));
    assert_eq!(canonical(one).to_string(), r#"{"a":null,"b":[{"x":2,"y":1}]}"#);
}

#[test]
fn a_digest_is_the_same_for_ever() {
    assert_eq!(digest(&json!({"a": 1})), "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
}
