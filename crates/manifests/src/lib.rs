//! What has to hold of the files that Filmstrip is deployed with: the Kubernetes manifests as kustomize renders them, the
//! Dockerfile and the compose file.
//!
//! Rules are pure functions over parsed YAML and over what the repository's documents say ([`facts`]): settings, memory that
//! was measured, the declared network. Each of them has a test that spoils the rendered manifests and must be caught.

pub mod compose;
pub mod dockerfile;
pub mod facts;
pub mod finding;
pub mod network;
pub mod object;
pub mod overlay;
pub mod quantity;
pub mod render;
pub mod rules;
pub mod workload;
