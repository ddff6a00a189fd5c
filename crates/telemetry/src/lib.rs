//! What a process tells of itself: traces, metrics and logs, as OpenTelemetry has them.
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`trace`] | W3C trace context from call to call, and the spans of our own work |
//! | [`subject`] | which job, scene and take the work at hand is for |
//! | [`metrics`] | every metric there is: its name, its meaning, its attributes |
//! | [`logs`] | one line an event on standard error, with the ids of trace and subject |
//! | [`export`] | sending all three to a collector (OTLP), if there is one |
//!
//! Nothing here fails a caller: what cannot be told is dropped.

pub mod export;
pub mod logs;
pub mod metrics;
pub mod subject;
pub mod trace;

pub use export::{Exporting, Guard, start};
pub use logs::LogFormat;
pub use opentelemetry::KeyValue;
pub use subject::Subject;
