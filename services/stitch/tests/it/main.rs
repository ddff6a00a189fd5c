//! The stitch service over real gRPC, on tiny media.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backlog;
mod crash;
mod cut;
mod events;
mod frames;
mod full;
mod mix;
mod overlay;
mod replicas;
mod requests;
mod stage;
