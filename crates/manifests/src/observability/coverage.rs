//! Metrics and dashboards know of each other: what is asked for exists, and what exists is shown.

use std::collections::BTreeSet;

use super::{Observability, boards::targets, expression};
use crate::{
    facts::{Facts, PROCESSES},
    finding::Finding,
    object::text,
    promql,
};

pub(super) fn check(all: &Observability, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut shown = BTreeSet::new();
    let shows = |name: &str| name == "filmstrip" || PROCESSES.contains(&name);
    for (name, board) in &all.dashboards {
        if !shows(name) {
            found.push(Finding::new("dashboard-metrics", name.as_str(), "is about no service"));
        }
        for target in targets(board).filter(|target| text(target, "/datasource/uid") == "prometheus") {
            let query = text(target, "/expr");
            found.extend(expression("dashboard-metrics", name, query, all, facts));
            found.extend(legend(name, query, text(target, "/legendFormat"), facts));
            shown.extend(promql::asked(query).series.into_iter().map(|(series, _)| series));
        }
    }
    for name in PROCESSES.into_iter().chain(["filmstrip"]) {
        if !all.dashboards.contains_key(name) {
            found.push(Finding::new("dashboard-coverage", name, "has no dashboard"));
        }
    }
    for metric in facts.metrics.iter().filter(|metric| !metric.series().iter().any(|one| shown.contains(one)))
    {
        found.push(Finding::new("dashboard-coverage", metric.name.as_str(), "is on no dashboard"));
    }
    found
}

/// A name is made of labels that the results have.
fn legend(name: &str, query: &str, legend: &str, facts: &Facts) -> Vec<Finding> {
    let asked = promql::asked(query);
    let labels =
        legend.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(label, _)| label.trim());
    let of_series = |label: &str| {
        asked.groups.is_empty()
            && asked.series.iter().any(|(series, _)| {
                facts.metrics.iter().any(|metric| metric.series().contains(series) && metric.has(label))
            })
    };
    let unknown = labels.filter(|label| !asked.groups.contains(*label) && !of_series(label));
    unknown
        .map(|label| {
            Finding::new("dashboard-metrics", name, format!("{query:?} gives nothing with a label {label}"))
        })
        .collect()
}
