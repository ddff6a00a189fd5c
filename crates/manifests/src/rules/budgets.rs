//! How many pods may be taken away on purpose at one time.

use serde_json::json;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, selects},
    overlay::Overlay,
};

pub(super) fn budgets(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers() {
        let mut wrong = |what: &str| found.push(Finding::new(rule, workload.subject(), what));
        let choosing: Vec<_> = overlay
            .of("PodDisruptionBudget")
            .filter(|budget| selects(at(budget, "/spec/selector"), workload.labels()))
            .collect();
        match choosing.as_slice() {
            [] => wrong("has no PodDisruptionBudget"),
            [budget] => {
                // A least number that stay would keep a node with a single replica from ever being drained.
                if at(budget, "/spec/maxUnavailable") != &json!(1) {
                    wrong("its PodDisruptionBudget has no maxUnavailable of 1");
                }
                if at(budget, "/spec/unhealthyPodEvictionPolicy") != &json!("AlwaysAllow") {
                    wrong(
                        "a pod that is not ready would keep its node from being drained (unhealthyPodEvictionPolicy)",
                    );
                }
            }
            _ => wrong("has several PodDisruptionBudgets: none of its pods could be taken away"),
        }
    }
    found
}
