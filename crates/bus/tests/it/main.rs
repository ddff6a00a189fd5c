//! Tests of the bus.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of the test functions themselves")]

mod delivery;
mod faults;
mod nats;
mod nats_world;
mod rebuilding;
mod replicas;
mod storm;
mod world;
