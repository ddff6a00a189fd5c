//! Defaults, file, environment, and where each value came from.

use std::{fs, path::Path};

use process::config::{Config, Layers, Reader, dump::dump};
use secrecy::ExposeSecret as _;

pub(crate) const DEFAULTS: &str = "\
# Where it listens.
listen = \"127.0.0.1:1\"
# Required. Secret. The database.
database_url = \"\"
# Names.
names = [\"a\", \"b\"]

[stop]
# How long.
delay = \"5s\"
# How often.
tries = 3
# Whether.
hard = false
";

pub(crate) fn load(file: Option<&Path>, variables: &[(&str, &str)]) -> Config {
    let lookup =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, text)| (*text).to_owned());
    Config::load(DEFAULTS, &Layers { file, lookup })
}

fn with_file(text: &str, variables: &[(&str, &str)]) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    fs::write(&path, text).unwrap();
    load(Some(&path), variables)
}

fn told(config: &Config) -> Vec<String> {
    config.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn the_environment_lies_over_the_file_and_the_file_over_the_defaults() {
    let mut config = with_file(
        "listen = \"127.0.0.1:2\"\nnames = [\"c\"]\n[stop]\ndelay = \"6s\"\n",
        &[("STOP_DELAY", "7s"), ("UNKNOWN", "x")],
    );
    let mut reader = Reader::new(&mut config);
    assert_eq!(reader.socket("listen").port(), 2, "from the file");
    assert_eq!(reader.list("names"), ["c"], "from the file");
    assert_eq!(reader.text("stop.delay"), "7s", "from the environment");
    assert_eq!(reader.integer("stop.tries", 1..=5), 3, "the default");
    assert_eq!(config.problems(), []);
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let mut config = with_file("[stop]\ndelay = \"6s\"\n", &[("STOP_DELAY", "")]);
    assert_eq!(Reader::new(&mut config).text("stop.delay"), "6s");
}

#[test]
fn a_key_of_a_file_that_is_unknown_is_told_with_its_line_and_the_nearest_known_one() {
    let config = with_file("\nlisten = \"127.0.0.1:2\"\n[stop]\ndealy = \"6s\"\nq = 1\n", &[]);
    let told = told(&config);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("stop.dealy") && told[0].contains(":4]"), "{}", told[0]);
    assert!(told[0].contains("Did you mean \"stop.delay\"?"), "{}", told[0]);
    assert!(told[1].contains("stop.q") && told[1].contains("config --dump"), "{}", told[1]);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let config = load(Some(Path::new("/nowhere/config.toml")), &[]);
    assert!(told(&config)[0].contains("/nowhere/config.toml"), "{:?}", told(&config));
}

#[test]
fn a_file_that_is_no_toml_is_told_without_showing_the_line() {
    let told = told(&with_file("listen = \"x\"\ndatabase_url = postgres://a:hunter2@b\n", &[]));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("line 2") && !told[0].contains("hunter2"), "{}", told[0]);
}

#[test]
fn a_secret_may_lie_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    fs::write(&path, "hunter2\n").unwrap();
    let file = path.display().to_string();
    let mut config = load(None, &[("DATABASE_URL_FILE", &file)]);
    let secret = Reader::new(&mut config).required_secret("database_url");
    assert_eq!(secret.expose_secret(), "hunter2");
    assert!(dump(&config).contains(&format!("database_url = \"***\" # {file} (DATABASE_URL_FILE)")));

    let both = load(None, &[("DATABASE_URL_FILE", &file), ("DATABASE_URL", "x")]);
    assert!(told(&both)[0].contains("both set"), "{:?}", told(&both));
    let absent = load(None, &[("DATABASE_URL_FILE", "/nowhere/secret")]);
    assert!(told(&absent)[0].contains("DATABASE_URL_FILE"), "{:?}", told(&absent));
    let no_secret = load(None, &[("LISTEN_FILE", &file)]);
    assert_eq!(no_secret.problems(), [], "only secrets come from files");
}

#[test]
fn a_dump_is_toml_that_says_where_each_value_came_from() {
    let config = load(None, &[("STOP_TRIES", "4"), ("DATABASE_URL", "postgres://a:hunter2@b/c")]);
    let text = dump(&config);
    assert!(text.contains("listen = \"127.0.0.1:1\" # the default"), "{text}");
    assert!(text.contains("tries = \"4\" # the environment (STOP_TRIES)"), "{text}");
    assert!(text.contains("database_url = \"***\"") && !text.contains("hunter2"), "{text}");
    let mut again = with_file(&text, &[]);
    assert_eq!(again.problems(), []);
    let mut reader = Reader::new(&mut again);
    assert_eq!(reader.integer("stop.tries", 0..=9), 4);
    assert_eq!(reader.list("names"), ["a", "b"]);
    assert!(!reader.bool("stop.hard"));
}
