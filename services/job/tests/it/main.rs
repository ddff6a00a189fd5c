//! Tests of the job service: the real service over gRPC, with scripted workers around it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod create;
mod estimates;
mod feed;
mod legacy;
mod lifecycle;
mod listing;
mod newer;
mod pipeline;
mod planner;
mod publish;
mod quirks;
mod recording;
mod regenerate;
mod replicas;
mod scenes;
mod stage;
mod stalled;
mod traces;
mod troubles;
