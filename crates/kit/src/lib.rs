//! How any of our processes keeps time, talks gRPC, refuses, signs, logs and stops.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `allocator` | where every process gets its memory from |
//! | [`clock`] | the one place that reads the time, movable in tests |
//! | [`error`] | refusals that cross gRPC whole: code, text, fields, facts |
//! | [`grpc`] | serving with health and reflection; calls to any number of replicas |
//! | [`deadline`] | how long the call being served may still take |
//! | [`trace`] | W3C trace context from call to call |
//! | [`signing`] | short-lived signed URLs |
//! | [`deps`] | what a service is given when it is built, and how it stops |
//! | [`readiness`] | whether a process wants to be sent work |
//! | `redact` | taking a secret out of what somebody else says |
//! | `served` | which service a call is for |
//! | `space` | failures that only say that a disk is full |
//! | [`work`] | how much there is to do, told every second |

mod allocator;
pub mod clock;
pub mod deadline;
pub mod deps;
pub mod error;
pub mod grpc;
pub mod readiness;
mod redact;
mod served;
pub mod signing;
mod space;
pub mod work;

pub use clock::Clock;
pub use deps::{Deps, Running, Tasks};
pub use error::{Code, ServiceError};
pub use readiness::{Dependency, Readiness};
pub use redact::redact;
pub use telemetry::trace;
