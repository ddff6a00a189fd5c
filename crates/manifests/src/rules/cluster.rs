//! What belongs to the cluster: applied by whoever administers it, before everything else.

use crate::{
    facts::Facts,
    finding::Finding,
    object::text,
    overlay::{Overlay, subject},
};

/// Those that may be here; what has a namespace is in an overlay.
const KINDS: [&str; 2] = ["Namespace", "PriorityClass"];

/// Who goes first.
const ORDER: [&str; 4] = ["store", "service", "worker", "telemetry"];

pub(super) fn scope(rule: &'static str, cluster: &Overlay, _: &Facts) -> Vec<Finding> {
    let others = cluster.objects.iter().filter(|object| !KINDS.contains(&text(object, "/kind")));
    let mut found: Vec<Finding> =
        others.map(|object| Finding::new(rule, subject(object), "does not belong to the cluster")).collect();
    let unnamed = cluster
        .objects
        .iter()
        .filter(|object| text(object, "/metadata/labels/app.kubernetes.io~1part-of") != "filmstrip");
    found.extend(unnamed.map(|object| {
        Finding::new(rule, subject(object), "has no label app.kubernetes.io/part-of: filmstrip")
    }));
    found
}

pub(super) fn namespace(rule: &'static str, cluster: &Overlay, _: &Facts) -> Vec<Finding> {
    let Some(space) = cluster.of("Namespace").next() else {
        return vec![Finding::new(rule, cluster.name.as_str(), "there is no Namespace")];
    };
    let modes = ["enforce", "audit", "warn"].into_iter().filter(|mode| {
        text(space, &format!("/metadata/labels/pod-security.kubernetes.io~1{mode}")) != "restricted"
    });
    modes
        .map(|mode| {
            let what = format!("pod-security.kubernetes.io/{mode} is not `restricted`");
            Finding::new(rule, subject(space), what)
        })
        .collect()
}

pub(super) fn priorities(rule: &'static str, cluster: &Overlay, _: &Facts) -> Vec<Finding> {
    let value = |end: &&str| {
        let class = cluster.named("PriorityClass", &format!("filmstrip-{end}"))?;
        class.pointer("/value")?.as_i64()
    };
    let order: Vec<_> = ORDER.iter().map(value).collect();
    let mut found = Vec::new();
    if order.iter().any(Option::is_none) || !order.is_sorted_by(|above, below| above > below) {
        found.push(Finding::new(rule, "PriorityClass", format!("they do not go in the order {ORDER:?}")));
    }
    for class in cluster.of("PriorityClass").filter(|class| text(class, "/preemptionPolicy") != "Never") {
        found.push(Finding::new(
            rule,
            subject(class),
            "takes the places of pods that run (preemptionPolicy)",
        ));
    }
    found
}
