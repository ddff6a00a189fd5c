//! How many replicas there are.

use serde_json::Value;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, text},
    overlay::Overlay,
};

/// How long a service has to need fewer replicas before one goes, and how long until the next one, seconds.
const CALM: u64 = 300;

/// The first of the two for stitch: what a replica encodes when it goes is encoded anew.
const CALM_STITCH: u64 = 900;

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
        for what in scaling_down(workload.name(), scaler) {
            wrong(what);
        }
        // Applying the manifests again would set the number back.
        if !at(workload.object, "/spec/replicas").is_null() {
            wrong("has a number of replicas of its own beside the one that scales it");
        }
    }
    found
}

/// Without rules of its own a scaler may take all replicas but the least away at one time, after five minutes.
fn scaling_down(name: &str, scaler: &Value) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let down = at(scaler, "/spec/behavior/scaleDown");
    let calm = if name == "stitch" { CALM_STITCH } else { CALM };
    if at(down, "/stabilizationWindowSeconds").as_u64().is_none_or(|window| window < calm) {
        wrong.push("its replicas go before it has been calm for long (scaleDown.stabilizationWindowSeconds)");
    }
    let one_at_a_time = |policy: &Value| {
        let number = |key: &str| at(policy, key).as_u64();
        text(policy, "/type") == "Pods"
            && number("/value") == Some(1)
            && number("/periodSeconds").is_some_and(|period| period >= CALM)
    };
    let policies = list(down, "/policies");
    if policies.is_empty() || !policies.iter().all(one_at_a_time) {
        wrong.push("more than one of its replicas may go in five minutes (scaleDown.policies)");
    }
    wrong
}
