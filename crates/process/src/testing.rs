//! A binary's configuration without its process, for its tests.

use crate::{
    config::{Config, Layers},
    program::{Edge, Service},
    run,
};

/// What a service makes of these variables, or everything that is wrong, a text each. Keys of the default TOML
/// that nobody reads are wrong as well.
///
/// # Errors
/// Something is wrong.
pub fn read_service<S: Service>(variables: &[(&str, &str)]) -> Result<S, Vec<String>> {
    let mut config = config(S::DEFAULTS, variables);
    let read = run::read_service::<S>(&mut config).map(|(service, _, _)| service);
    outcome(&config, read)
}

/// As [`read_service`], for a process without a database.
///
/// # Errors
/// Something is wrong.
pub fn read_edge<E: Edge>(variables: &[(&str, &str)]) -> Result<E, Vec<String>> {
    let mut config = config(E::DEFAULTS, variables);
    let read = run::read_edge::<E>(&mut config).map(|(edge, _, _)| edge);
    outcome(&config, read)
}

fn config(defaults: &str, variables: &[(&str, &str)]) -> Config {
    let lookup =
        |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, text)| (*text).to_owned());
    Config::load(defaults, &Layers { file: None, lookup })
}

fn outcome<T>(config: &Config, read: Option<T>) -> Result<T, Vec<String>> {
    let mut wrong: Vec<String> = config.problems().iter().map(ToString::to_string).collect();
    wrong.extend(config.unread().iter().map(|path| format!("{path}: is in the defaults but never read")));
    match read {
        Some(read) if wrong.is_empty() => Ok(read),
        _ => Err(wrong),
    }
}
