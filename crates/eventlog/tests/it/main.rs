//! Tests of the event log.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of the test functions themselves")]

mod boundaries;
mod crash;
mod model;
mod outages;
mod postgres;
mod simulation;
mod sqlite;
mod upcast;
