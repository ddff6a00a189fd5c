//! The metrics that Filmstrip has, as `docs/METRICS.md` tells them; a test of the telemetry crate holds that page to the code.

use anyhow::ensure;

/// What kind of numbers a metric has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One number: a counter or a gauge.
    Number,
    /// Buckets, a sum and a count.
    Histogram,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name at Prometheus; a histogram's without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// What kind it is.
    pub kind: Kind,
    /// The labels that its attributes become.
    pub labels: Vec<String>,
}

impl Metric {
    /// The names of its series.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        match self.kind {
            Kind::Number => vec![self.name.clone()],
            Kind::Histogram => ["bucket", "sum", "count"].map(|end| format!("{}_{end}", self.name)).to_vec(),
        }
    }

    /// Whether its series has a label, those included that every series has.
    #[must_use]
    pub fn has(&self, label: &str) -> bool {
        EVERYWHERE.contains(&label)
            || (label == "le" && self.kind == Kind::Histogram)
            || self.labels.iter().any(|own| own == label)
    }
}

/// What the collector makes of the resource: the service, and the replica.
const EVERYWHERE: [&str; 2] = ["job", "instance"];

/// Reads the page: rows of `` | `name` | kind, unit | `name at Prometheus` | attributes | meaning | ``.
///
/// # Errors
/// There is no such row, or one of a kind that is not known.
pub fn read(page: &str) -> anyhow::Result<Vec<Metric>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let all = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, _, kind, name, attributes, ..] = cells.as_slice() else {
            anyhow::bail!("docs/METRICS.md: {row:?} is no row of five cells");
        };
        let kind = match kind.split(',').next().unwrap_or_default() {
            "histogram" => Kind::Histogram,
            "counter" | "up-down counter" | "gauge" => Kind::Number,
            other => anyhow::bail!("docs/METRICS.md: {other:?} is no kind of metric"),
        };
        let labels = attributes.split('`').skip(1).step_by(2).map(|key| key.replace('.', "_")).collect();
        Ok(Metric { name: name.trim_matches('`').to_owned(), kind, labels })
    });
    let all: Vec<_> = all.collect::<anyhow::Result<_>>()?;
    ensure!(!all.is_empty(), "docs/METRICS.md has no metric");
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
| metric | kind, unit | at Prometheus | attributes | what it tells |
| --- | --- | --- | --- | --- |
| `rpc.server.call.duration` | histogram, s | `rpc_server_call_duration_seconds` | `rpc.method`, `error.type` | How long. |
| `filmstrip.leases.held` | gauge, {lease} | `filmstrip_leases_held` | none | Leases. |
";

    #[test]
    fn metrics_are_read_with_their_labels() {
        let found = read(PAGE).unwrap();
        assert_eq!(found[0].labels, ["rpc_method", "error_type"]);
        assert_eq!(found[0].series()[2], "rpc_server_call_duration_seconds_count");
        assert!(found[0].has("le") && found[0].has("job") && !found[0].has("rpc.method"));
        assert_eq!(found[1].series(), ["filmstrip_leases_held"]);
        assert!(found[1].labels.is_empty() && !found[1].has("le"));
        assert!(read("no table").is_err());
    }
}
