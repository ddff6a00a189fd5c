//! Storyboards: drawn from templates here, or proposed by a planner and checked here.

pub mod frames;
mod mood;
pub mod proposal;
pub mod templates;

pub use frames::{AssetKind, PlanAsset, check_frame, usable_frames};
pub use proposal::{Proposal, ProposalError, ProposedScene, allowed_types, check};
pub use templates::draw;

/// The label of a storyboard that was drawn from templates.
pub const TEMPLATE_PLANNER: &str = "template";
