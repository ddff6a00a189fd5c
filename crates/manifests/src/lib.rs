//! What has to hold of the files that Filmstrip is deployed with: the Kubernetes manifests as kustomize renders them, the
//! Dockerfile, the compose file, and the alerts and dashboards.
//!
//! Rules are pure functions over parsed YAML and over what the repository's documents say ([`facts`]): settings, memory that
//! was measured, the declared network. Each of them has a test that spoils the rendered manifests and must be caught.

pub mod compose;
pub mod dashboards;
pub mod dockerfile;
pub mod facts;
pub mod finding;
pub mod metrics;
pub mod network;
pub mod object;
pub mod observability;
pub mod overlay;
pub mod promql;
pub mod quantity;
pub mod render;
pub mod rules;
pub mod workload;
