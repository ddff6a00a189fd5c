//! The render service against a soundstage.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod faults;
mod golden;
mod lifecycle;
mod outputs;
mod replicas;
mod webhooks;
mod world;
