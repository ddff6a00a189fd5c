//! How a new version takes over.

use serde_json::json;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, text},
    overlay::Overlay,
};

/// How long a replica that went may still be called, and one that came may not be known, seconds: callers look names
/// up every 5 s, and the cluster's DNS may give an answer that is 30 s old.
pub(super) const NAMES: u64 = 35;

/// How long a new replica is ready before it counts as one, seconds: until every caller knows it, and a probe longer.
const READY: u64 = NAMES + 5;

pub(super) fn rollout(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers() {
        let strategy = at(workload.object, "/spec/strategy");
        let mut wrong = |what: &str| found.push(Finding::new(rule, workload.subject(), what));
        let ready = at(workload.object, "/spec/minReadySeconds").as_u64().unwrap_or(0);
        if workload.component() == "service" && ready < READY {
            wrong("the old replicas may go before callers know the new ones (minReadySeconds)");
        }
        match (workload.kind(), workload.component()) {
            ("Deployment", "edge" | "service") => {
                if at(strategy, "/rollingUpdate/maxUnavailable") != &json!(0) {
                    wrong("a replica goes before its successor is ready (maxUnavailable is not 0)");
                }
                if at(strategy, "/rollingUpdate/maxSurge").as_u64().is_none_or(|more| more == 0) {
                    wrong("no successor may run beside it (maxSurge)");
                }
            }
            // It has a directory of its own.
            ("Deployment", "stand-in") if text(strategy, "/type") != "Recreate" => {
                wrong("two of it may run at one time");
            }
            _ => {}
        }
    }
    found
}
