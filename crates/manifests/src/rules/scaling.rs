//! How many replicas there are.

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, text},
    overlay::Overlay,
};

pub(super) fn scaling(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers().into_iter().filter(|workload| workload.is_process()) {
        let mut wrong = |what: &str| found.push(Finding::new(rule, workload.subject(), what));
        let scaler = overlay.of("HorizontalPodAutoscaler").find(|scaler| {
            text(scaler, "/spec/scaleTargetRef/kind") == workload.kind()
                && text(scaler, "/spec/scaleTargetRef/name") == workload.name()
        });
        let Some(scaler) = scaler else {
            wrong("nothing scales it");
            continue;
        };
        let count = |side: &str| at(scaler, &format!("/spec/{side}Replicas")).as_u64().unwrap_or(0);
        if count("min") == 0 || count("max") < count("min") {
            wrong("its least number of replicas is 0 or above its most");
        }
        if overlay.name != "dev" && count("min") < 2 {
            wrong("it may have a single replica, and would be away whenever that one is replaced");
        }
        if list(scaler, "/spec/metrics").is_empty() {
            wrong("it is scaled by nothing");
        }
        // Applying the manifests again would set the number back.
        if !at(workload.object, "/spec/replicas").is_null() {
            wrong("has a number of replicas of its own beside the one that scales it");
        }
    }
    found
}
