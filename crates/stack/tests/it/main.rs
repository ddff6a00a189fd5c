//! `filmstrip-up` and the six programs as the person who types them sees them.

#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

mod family;
mod programs;
mod up;
