//! The laws of the object store, and what is particular to each backend.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken;
mod budget;
mod laws;
mod local;
mod s3;
