//! The audio service as a whole: over gRPC, against the stand-in provider, with real files.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod arithmetic;
mod golden;
mod lasting;
mod limits;
mod overlaid;
mod paid;
mod refused;
mod replicas;
mod requests;
mod telling;
mod tracks;
mod voices;
mod world;
