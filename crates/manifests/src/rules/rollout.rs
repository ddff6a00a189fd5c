//! How a new version takes over.

use serde_json::json;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, text},
    overlay::Overlay,
};

pub(super) fn rollout(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers() {
        let strategy = at(workload.object, "/spec/strategy");
        let mut wrong = |what: &str| found.push(Finding::new(rule, workload.subject(), what));
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
