//! The rules of a job: decide, evolve, plan. Pure.
//!
//! A job is a stream of [`JobEvent`]s. [`decide`] turns a [`Command`] into the events that it causes, or a
//! [`Refusal`]; [`evolve`] folds one event into the [`Job`]; [`plan`] says which requests to the workers should
//! be outstanding now. Nothing here knows a clock, a database, a network or a source of randomness: ids and
//! times come in with the command or with the recorded event.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `event`, `command`, `refusal`, `state` | the nouns |
//! | `decide/` | one file per group of rules |
//! | `evolve` | the fold: one match, no rules |
//! | `effect`, `keys`, `digest` | what should be outstanding, under which key, with which input |
//! | `models`, `estimate` | the model registry and what a storyboard will cost |
//! | `wishes`, `storyboard/` | what a caller may ask for; templates and the check of a planner's proposal |
//! | `soundtrack_wish` | what a person may wish of a soundtrack |
//! | `pipeline/` | the settings that new jobs are made under |
//! | `imported` | what an older database says of a finished job |
//! | `watch/` | who has to move next, until when, and why a job stands still |
//! | `progress`, `view`, `timeline` | what people see of a job |

pub mod blob;
pub mod command;
mod decide;
pub mod digest;
pub mod effect;
pub mod estimate;
pub mod event;
mod evolve;
pub mod imported;
pub mod input;
pub mod keys;
pub mod models;
pub mod parameters;
pub mod pipeline;
pub mod progress;
pub mod refusal;
pub mod scene;
pub mod soundtrack_wish;
pub mod state;
pub mod storyboard;
pub mod timeline;
pub mod view;
pub mod watch;
pub mod wishes;

pub use blob::BlobRef;
pub use command::{Command, CreateJob, CutOutcome, MixOutcome, SceneOutcome, SoundtrackOutcome};
pub use decide::{carry_out, decide, has_next, next};
pub use effect::{Effect, has_outstanding, plan};
pub use event::{JobCreated, JobEvent};
pub use evolve::{evolve, replay};
pub use imported::{JobImported, LegacyOrigin};
pub use pipeline::JobTerms;
pub use refusal::{Refusal, RefusalKind, Violation};
pub use scene::{Frame, SceneChanges, SceneDraft, SceneSpec};
pub use soundtrack_wish::SoundtrackWish;
pub use state::{Job, JobStatus, Outcome, SceneStatus};

/// A job's id: from a counter, never used twice.
pub type JobId = i32;
/// A scene's id: a UUID given with the command that makes the scene.
pub type SceneId = String;
/// An asset's id: a UUID.
pub type AssetId = String;
