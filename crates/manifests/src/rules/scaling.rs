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

/// What is said of replicas, wherever it stands.
struct Scaler<'a> {
    object: &'a Value,
    /// Where the least, the most, what it goes by and how it goes down stand.
    places: [&'static str; 4],
}

/// Everything that sets the number of replicas of a workload.
fn scalers<'a>(overlay: &'a Overlay, kind: &str, name: &str) -> Vec<Scaler<'a>> {
    let own = ["/spec/minReplicas", "/spec/maxReplicas", "/spec/metrics", "/spec/behavior/scaleDown"];
    let keda = [
        "/spec/minReplicaCount",
        "/spec/maxReplicaCount",
        "/spec/triggers",
        "/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown",
    ];
    let all = [("HorizontalPodAutoscaler", own), ("ScaledObject", keda)].into_iter();
    let all = all.flat_map(|(of, places)| overlay.of(of).map(move |object| Scaler { object, places }));
    all.filter(|scaler| {
        text(scaler.object, "/spec/scaleTargetRef/kind") == kind
            && text(scaler.object, "/spec/scaleTargetRef/name") == name
    })
    .collect()
}

pub(super) fn scaling(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers().into_iter().filter(|workload| workload.is_process()) {
        let mut wrong = |what: &str| found.push(Finding::new(rule, workload.subject(), what));
        let all = scalers(overlay, workload.kind(), workload.name());
        let [scaler] = all.as_slice() else {
            wrong(if all.is_empty() { "nothing scales it" } else { "two scalers pull at it" });
            continue;
        };
        let [least, most, goes_by, down] = scaler.places;
        let count = |place: &str| at(scaler.object, place).as_u64().unwrap_or(0);
        if count(least) == 0 || count(most) < count(least) {
            wrong("its least number of replicas is 0 or above its most");
        }
        if overlay.name != "dev" && count(least) < 2 {
            wrong("it may have a single replica, and would be away whenever that one is replaced");
        }
        if list(scaler.object, goes_by).is_empty() {
            wrong("it is scaled by nothing");
        }
        for what in scaling_down(workload.name(), at(scaler.object, down)) {
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
fn scaling_down(name: &str, down: &Value) -> Vec<&'static str> {
    let mut wrong = Vec::new();
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
