//! Replicas by waiting work: what a scaler of KEDA asks for is told by the service itself, and no answer takes nothing away.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{list, text},
    overlay::{Overlay, subject},
    promql,
};

pub(super) fn scaled(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for scaler in overlay.of("ScaledObject") {
        let mut wrong = |what: String| found.push(Finding::new(rule, subject(scaler), what));
        let triggers = list(scaler, "/spec/triggers");
        let asking: Vec<_> = triggers.iter().filter(|one| text(one, "/type") == "prometheus").collect();
        if asking.is_empty() {
            wrong("asks for no waiting work".into());
        }
        // Replicas that work hard have not to wait until the queue says so, nor for a Prometheus that is away.
        if !triggers.iter().any(|one| text(one, "/type") == "cpu") {
            wrong("goes by Prometheus alone".into());
        }
        for trigger in asking {
            for what in asks(trigger, text(scaler, "/spec/scaleTargetRef/name"), facts) {
                wrong(what);
            }
        }
    }
    found
}

fn asks(trigger: &Value, name: &str, facts: &Facts) -> Vec<String> {
    let set = |key: &str| text(trigger, &format!("/metadata/{key}"));
    let query = set("query");
    let mut wrong = promql::unknown(query, &facts.metrics, &BTreeSet::new());
    if !query.contains(&format!("job=\"filmstrip-{name}\"")) {
        wrong.push(format!("asks for the work of another service than {name}"));
    }
    if !query.contains("max by (") {
        wrong.push("adds up what every replica tells of all of them (no `max by`)".to_owned());
    }
    if set("ignoreNullValues") != "false" {
        wrong.push("takes no answer for no work (ignoreNullValues)".to_owned());
    }
    if set("threshold").parse::<u32>().is_ok_and(|each| each == 0) || set("threshold").parse::<u32>().is_err()
    {
        wrong.push("does not say how much work is one replica's (threshold)".to_owned());
    }
    // It asks from a namespace of its own.
    let host = set("serverAddress").split("://").nth(1).and_then(|rest| rest.split(':').next());
    if !host.is_some_and(|host| host.contains('.')) {
        wrong.push("names a Prometheus that is not found from another namespace (serverAddress)".to_owned());
    }
    wrong
}
