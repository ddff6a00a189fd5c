//! The laws of the object store, and what is particular to a local directory.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod laws;
mod local;
