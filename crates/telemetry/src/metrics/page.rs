//! The page of metrics, and their names at Prometheus.

use std::fmt::Write as _;

use super::{
    catalogue::ALL,
    instrument::{Kind, Metric},
};

const INTRODUCTION: &str = "\
# Metrics

Every metric that Filmstrip has. This page is made from `crates/telemetry/src/metrics/catalogue.rs`; a test compares the
two (`UPDATE_METRICS=1 cargo nextest run -p filmstrip-telemetry` writes it anew).

They are sent to a collector by OTLP when `OTEL_EXPORTER_OTLP_ENDPOINT` is set. `service.name`, `service.instance.id` and
`service.version` are attributes of the resource, so of every metric; the collector gives them to Prometheus as the labels `job`,
`instance` and, in `target_info`, `service_version`. Attributes never hold ids: those are in traces and logs. Where a line says that
every replica tells the same, take the largest value over the replicas, not the sum.
";

/// The page, as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (about, metrics) in ALL {
        let _ = write!(
            page,
            "\n## {about}\n\n| metric | kind, unit | at Prometheus | attributes | what it tells |\n| --- | --- | --- | --- | --- |\n"
        );
        for metric in metrics.iter().map(|metric| metric.metric()) {
            let attributes: Vec<_> = metric.attributes.iter().map(|key| format!("`{key}`")).collect();
            let attributes = if attributes.is_empty() { "none".to_owned() } else { attributes.join(", ") };
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::UpDown => "up-down counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            let Metric { name, unit, meaning, .. } = metric;
            let prometheus = prometheus(metric);
            let _ =
                writeln!(page, "| `{name}` | {kind}, {unit} | `{prometheus}` | {attributes} | {meaning} |");
        }
    }
    page
}

/// A metric's name at Prometheus, by the rules of the OpenTelemetry collector's exporter; a histogram's without `_bucket`, `_sum` and
/// `_count` (<https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/>).
#[must_use]
pub fn prometheus(metric: &Metric) -> String {
    let mut name = metric.name.replace('.', "_");
    let unit = match metric.unit {
        "s" => Some("seconds"),
        "By" => Some("bytes"),
        "1" if metric.kind == Kind::Gauge => Some("ratio"),
        unit if unit.starts_with('{') || unit == "1" => None,
        unit => Some(unit),
    };
    if let Some(unit) = unit {
        name = format!("{name}_{unit}");
    }
    if metric.kind == Kind::Counter {
        name.push_str("_total");
    }
    name
}
