//! A job that did not move in time.

use crate::watch::Owner;
use serde::{Deserialize, Serialize};

/// What was told of a job that stands still. Nothing is decided on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// Who kept the job waiting when it was told last.
    pub owner: Owner,
    /// What was waited for, such as `take 1 of scene 2`.
    pub what: String,
    /// Why, in words.
    pub cause: String,
    /// When it was told first, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it was told last.
    pub told_at_ms: i64,
    /// How often it was told.
    pub times: u32,
}
