//! The stage as the product sees it: over HTTP, in draft mode.

mod control_plane;
mod faults;
mod files;
mod media;
mod planner;
mod predictions;
mod restart;
mod scratch;
mod webhooks;
