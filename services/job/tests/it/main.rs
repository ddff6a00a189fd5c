//! Tests of the job service: the real service over gRPC, with scripted workers around it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod create;
mod feed;
mod lifecycle;
mod planner;
mod publish;
mod recording;
mod regenerate;
mod replicas;
mod stage;
mod traces;
mod troubles;
