//! The outside world on one port: a stand-in for Replicate, xAI and ElevenLabs.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `http` | the three wire formats, output files and the control plane |
//! | `ledger` | SQLite: every accepted prediction, file and webhook delivery |
//! | `models` | which models exist, what they accept and what they cost |
//! | `runner` | the life of one prediction, from accepted to over |
//! | `media` | clips and music: camera, synthesiser, ffmpeg, cache |
//! | `planner` | storyboards as a language model would answer them |
//! | `faults` | rules that make the stage misbehave |
//! | `webhooks` | signed deliveries with backoff |
//! | `client` | typed access to the control plane, for tests |
//!
//! The stage knows nothing of the product: it has its own directory, its own clock and its own ledger.

pub mod client;
mod clock;
mod error;
mod faults;
mod fetch;
mod http;
mod ledger;
mod media;
mod models;
mod planner;
pub mod report;
mod runner;
mod server;
mod stage;
mod sweeper;
mod webhooks;

pub use error::StageError;
pub use faults::{Fault, FaultRules, HoldAt, Kind, Rule, When, WrongMedia};
pub use stage::{Stage, StageOptions, start};
