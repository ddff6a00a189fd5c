//! How the stage misbehaves: rules sent over the control plane, matched against each request.

mod engine;
mod fate;
mod rules;
mod transport;

pub(crate) use engine::{Faults, Script};
pub(crate) use fate::{End, Fate, OutputFault, WebhookFault, output_fault, webhook_faults};
pub use rules::{Fault, FaultRules, HoldAt, Kind, Rule, When, WrongMedia};
pub(crate) use transport::{arrive, depart};
