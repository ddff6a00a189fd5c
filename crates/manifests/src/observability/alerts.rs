//! Alerts: each says how bad it is and what to do, asks for what there is, and is tested both ways.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Observability, expression};
use crate::{
    facts::Facts,
    finding::Finding,
    object::{list, text},
};

const SEVERITIES: [&str; 2] = ["critical", "warning"];
const GUIDE: &str = "docs/OPERATIONS.md#";

/// What has to be watched, by the section of the guide that tells what to do about it.
const NEEDED: [&str; 9] = [
    "a-job-is-stalled",
    "the-oldest-job-is-too-old",
    "requests-fail",
    "published-events-lag",
    "a-consumer-lags",
    "the-provider-fails",
    "a-dependency-is-away",
    "spending-is-too-fast",
    "a-service-is-silent",
];

pub(super) fn check(all: &Observability, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let anchors: BTreeSet<String> = all.operations.lines().filter_map(anchor).collect();
    let mut led_to = BTreeSet::new();
    for alert in Observability::rules(&all.alerts) {
        let name = text(alert, "/alert");
        let mut wrong = |what: String| found.push(Finding::new("alerts", name, what));
        if !SEVERITIES.contains(&text(alert, "/labels/severity")) {
            wrong(format!("its severity is none of {SEVERITIES:?}"));
        }
        if text(alert, "/annotations/summary").is_empty() {
            wrong("has no summary".into());
        }
        let url = text(alert, "/annotations/runbook_url");
        match url.strip_prefix(GUIDE) {
            Some(section) if anchors.contains(section) => {
                led_to.insert(section.to_owned());
            }
            _ => wrong(format!("its runbook_url {url:?} leads to no section of docs/OPERATIONS.md")),
        }
        for what in untested(all, name) {
            wrong(what);
        }
        found.extend(expression("alert-metrics", name, text(alert, "/expr"), all, facts));
    }
    for section in NEEDED.into_iter().filter(|section| !led_to.contains(*section)) {
        found.push(Finding::new("alerts", section, "no alert leads to this section"));
    }
    for rule in Observability::rules(&all.recorded) {
        let threshold = text(rule, "/expr").starts_with("vector(");
        if !threshold {
            found.extend(expression("alert-metrics", text(rule, "/record"), text(rule, "/expr"), all, facts));
        }
    }
    found
}

/// How an alert is not tested.
fn untested(all: &Observability, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let tests = list(&all.tests, "/tests").iter().flat_map(|test| list(test, "/alert_rule_test"));
    let own: Vec<&Value> = tests.filter(|test| text(test, "/alertname") == name).collect();
    let fires = |test: &&Value| !list(test, "/exp_alerts").is_empty();
    if !own.iter().any(fires) {
        wrong.push("no test shows that it fires".to_owned());
    }
    if own.iter().all(fires) {
        wrong.push("no test shows when it does not fire".to_owned());
    }
    wrong
}

/// The anchor of a line of Markdown that is a heading: lower case, blanks as dashes, no other signs.
fn anchor(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = title.trim().to_lowercase();
    let kept = kept.chars().filter(|at| at.is_alphanumeric() || matches!(at, ' ' | '-' | '_'));
    Some(kept.map(|at| if at == ' ' { '-' } else { at }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_the_anchors_that_their_readers_follow() {
        assert_eq!(anchor("### A job is stalled").as_deref(), Some("a-job-is-stalled"));
        assert_eq!(anchor("## `job`: what, and why?").as_deref(), Some("job-what-and-why"));
        assert_eq!(anchor("#no heading"), None);
        assert_eq!(anchor("text"), None);
    }
}
