//! How our processes keep time, refuse, sign and talk.

#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

mod clock;
mod deps;
mod error;
mod grpc;
mod signing;
