//! Typed getters: each collects what is wrong, and none shows a secret.

use std::time::Duration;

use process::config::Reader;
use proptest::prelude::*;

use crate::layers::load;

/// What one getter says of a value.
fn told(variable: &str, value: &str, read: impl FnOnce(&mut Reader<'_>)) -> Vec<String> {
    let mut config = load(None, &[(variable, value)]);
    read(&mut Reader::new(&mut config));
    config.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let mut config = load(
        None,
        &[("LISTEN", "here"), ("STOP_DELAY", "5"), ("STOP_TRIES", "many"), ("STOP_HARD", "maybe")],
    );
    let mut reader = Reader::new(&mut config);
    reader.socket("listen");
    reader.required_secret("database_url");
    reader.duration("stop.delay", Duration::ZERO..=Duration::MAX);
    reader.integer("stop.tries", 1..=5);
    reader.bool("stop.hard");
    let keys: Vec<_> = config.problems().iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["listen", "database_url", "stop.delay", "stop.tries", "stop.hard"]);
}

#[test]
fn a_problem_names_key_variable_source_what_is_wrong_and_what_to_do() {
    let told = told("STOP_TRIES", "9", |reader| {
        reader.integer("stop.tries", 1..=5);
    });
    assert_eq!(
        told,
        ["stop.tries (STOP_TRIES): \"9\" is out of bounds [from the environment (STOP_TRIES)]\n      \
          Give a whole number from 1 to 5."]
    );
}

#[test]
fn a_required_secret_that_is_missing_names_both_variables() {
    let told = told("X", "x", |reader| drop(reader.required_secret("database_url")));
    assert!(told[0].contains("Set DATABASE_URL or DATABASE_URL_FILE, or database_url in"), "{told:?}");
}

#[test]
fn durations_have_bounds() {
    let bounds = Duration::from_secs(1)..=Duration::from_secs(60);
    let told = told("STOP_DELAY", "2m", |reader| {
        reader.duration("stop.delay", bounds);
    });
    assert!(told[0].contains("from 1s to 1m"), "{told:?}");
}

#[test]
fn services_have_addresses_of_three_forms() {
    let wrong = |text: &str| told("LISTEN", text, |reader| drop(reader.addresses("listen")));
    for good in [
        "http://asset:5001",
        "asset:5001",
        "127.0.0.1:1,http://127.0.0.1:2",
        "dns://asset:5001",
        "http://[::1]:5",
        "dns:///asset:5001",
    ] {
        assert_eq!(wrong(good), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "ftp://asset:1",
        "https://asset:1",
        "http://",
        "asset",
        "a:1,b",
        "http://asset:1/path",
        "http://asset:1?q=1",
        "http://user:word@asset:1",
        "asset:port",
        "asset:0",
        "asset:70000",
        "dns://asset",
        "http://[::1]",
    ] {
        assert_eq!(wrong(bad).len(), 1, "{bad}");
    }
}

#[test]
fn a_secret_that_signs_has_at_least_32_characters() {
    let short = |secret: &str| {
        told("DATABASE_URL", secret, |reader| {
            let secret = reader.secret("database_url").unwrap_or_default();
            reader.refuse_if_short("database_url", &secret);
        })
    };
    assert_eq!(short(&"é".repeat(32)), Vec::<String>::new());
    assert_eq!(short(""), Vec::<String>::new(), "one that is missing is told by who needs it");
    let (long, other) = ("x".repeat(32), "y".repeat(40));
    assert_eq!(short(&format!("{long}, {other}")), Vec::<String>::new(), "one that replaces another");
    for wrong in ["x".repeat(31), format!("{long},hunter2"), format!("hunter2,{long}"), ", ,".to_owned()] {
        let told = short(&wrong);
        assert!(told.len() == 1 && told[0].contains("openssl rand -hex 32"), "{wrong}: {told:?}");
        assert!(!told[0].contains("hunter2"), "{told:?}");
    }
}

#[test]
fn a_key_that_is_not_in_the_defaults_is_a_problem_and_not_a_panic() {
    assert_eq!(told("X", "x", |reader| drop(reader.text("nowhere"))).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever getter is used on it and however wrong it is.
    #[test]
    fn a_secret_is_never_shown(secret in "[!-~]{9,20}") {
        let mut config = load(None, &[("DATABASE_URL", &secret)]);
        let mut reader = Reader::new(&mut config);
        reader.url("database_url");
        reader.socket("database_url");
        reader.duration("database_url", Duration::ZERO..=Duration::ZERO);
        reader.integer("database_url", 0..=0);
        reader.bool("database_url");
        reader.addresses("database_url");
        reader.word("database_url", &[("a word", ())]);
        let told: Vec<_> = config.problems().iter().map(ToString::to_string).collect();
        prop_assert!(!told.concat().contains(&secret), "{:?}", told);
        prop_assert!(!process::config::dump::dump(&config).contains(&secret));
    }

    #[test]
    fn any_text_is_read_or_told(text in ".{0,20}") {
        let mut config = load(None, &[("LISTEN", &text)]);
        let mut reader = Reader::new(&mut config);
        reader.url("listen");
        reader.addresses("listen");
        reader.integer("listen", 0..=9);
        let _: u32 = reader.count("listen", 0..=9);
    }
}
