//! Where things are and what they say they are.

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, text},
    overlay::{Overlay, subject},
};

const PART_OF: &str = "/metadata/labels/app.kubernetes.io~1part-of";
const CLUSTER_WIDE: [&str; 2] = ["Namespace", "PriorityClass"];
const COMPONENTS: [&str; 5] = ["edge", "service", "migration", "store", "stand-in"];

pub(super) fn namespace(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let Some(space) = overlay.of("Namespace").next() else {
        return vec![Finding::new(rule, overlay.name.as_str(), "there is no Namespace")];
    };
    let modes = ["enforce", "audit", "warn"].into_iter().filter(|mode| {
        text(space, &format!("/metadata/labels/pod-security.kubernetes.io~1{mode}")) != "restricted"
    });
    let mut found: Vec<Finding> = modes
        .map(|mode| {
            let what = format!("pod-security.kubernetes.io/{mode} is not `restricted`");
            Finding::new(rule, subject(space), what)
        })
        .collect();
    let name = text(space, "/metadata/name");
    for object in &overlay.objects {
        let inside =
            CLUSTER_WIDE.contains(&text(object, "/kind")) || text(object, "/metadata/namespace") == name;
        if !inside {
            found.push(Finding::new(rule, subject(object), format!("is not in the namespace {name}")));
        }
    }
    found
}

pub(super) fn labels(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for object in &overlay.objects {
        if text(object, PART_OF) != "filmstrip" {
            found.push(Finding::new(
                rule,
                subject(object),
                "has no label app.kubernetes.io/part-of: filmstrip",
            ));
        }
    }
    for workload in overlay.workloads() {
        let mut lacks = |what: &str| found.push(Finding::new(rule, workload.subject(), what));
        if workload.app() != workload.name() {
            lacks("its pods have another app.kubernetes.io/name than its own");
        }
        if !COMPONENTS.contains(&workload.component()) {
            lacks("its pods have no app.kubernetes.io/component that is known");
        }
        let selector = at(workload.object, "/spec/selector/matchLabels/app.kubernetes.io~1name");
        if !workload.is_job() && selector.as_str() != Some(workload.name()) {
            lacks("its selector is not its pods' name");
        }
    }
    found
}
