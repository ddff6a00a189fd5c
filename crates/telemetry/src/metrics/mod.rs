//! Metrics: all of them are declared in the catalogue, and recorded through what is declared there.
//!
//! Names, units and attributes follow the semantic conventions of OpenTelemetry where those have a word for it
//! (<https://opentelemetry.io/docs/specs/semconv/>); the others begin with `filmstrip.`. Attributes have few values:
//! never an id. `docs/METRICS.md` is made from the catalogue.

mod catalogue;
mod instrument;
mod machine;
mod page;

pub use catalogue::*;
pub use instrument::{Counter, Describe, Gauge, Held, Histogram, Kind, Metric, Sum, UpDown};
pub(crate) use machine::observe;
pub use page::{page, prometheus};

/// Every metric, in the order of the page.
#[must_use]
pub fn catalogue() -> Vec<&'static Metric> {
    ALL.iter().flat_map(|(_, metrics)| metrics.iter().map(|metric| metric.metric())).collect()
}
