//! The media rules, each proved on tiny media made for the test.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod concat;
mod frame;
mod image;
mod join;
mod mix;
mod probe;
mod programs;
mod run;
mod studio;
mod threads;
