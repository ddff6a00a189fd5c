//! What must hold for everything that is bought.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod chaos;
mod client;
mod deliveries;
mod engine;
mod golden;
mod interleavings;
mod paused;
mod provider;
mod rates;
mod replays;
mod replicas;
mod scripted;
mod simulation;
mod stopping;
mod stops;
mod stories;
mod telling;
mod throttled;
