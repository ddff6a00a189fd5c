//! The rules over what is kept in `k8s/rendered`, the Dockerfile and the compose file; and each of them over what was spoiled.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of the test functions themselves")]

mod change;
mod cluster;
mod compose;
mod dockerfile;
mod kept;
mod keys;
mod manifests;
mod network;
mod observability;
mod operations;

use std::path::PathBuf;

use ::manifests::facts::Facts;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn facts() -> Facts {
    Facts::read(&root()).unwrap()
}
