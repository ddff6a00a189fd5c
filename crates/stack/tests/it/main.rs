//! `filmstrip-up` as the person who types it sees it.

#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

mod family;
mod up;
