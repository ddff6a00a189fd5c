//! Tests of the bus.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of the test functions themselves")]

mod connecting;
mod in_process;
mod laws;
mod nats;
mod nats_world;
mod rebuilding;
mod replicas;
mod simulation;
mod storm;
mod world;
