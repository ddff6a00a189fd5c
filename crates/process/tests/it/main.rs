//! What holds for every process: configuration, and the documentation of its settings.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of the test functions themselves")]

mod deploying;
mod layers;
mod reading;
