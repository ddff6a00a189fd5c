//! Where things are and what they say they are.

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, text},
    overlay::{Overlay, subject},
};

const PART_OF: &str = "/metadata/labels/app.kubernetes.io~1part-of";
const COMPONENTS: [&str; 6] = ["edge", "service", "migration", "store", "stand-in", "telemetry"];

/// What has no namespace is the cluster's, and those who deploy may not make it.
pub(super) fn namespace(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let name = facts.namespace();
    let others = overlay.objects.iter().filter(|object| text(object, "/metadata/namespace") != name);
    others
        .map(|object| Finding::new(rule, subject(object), format!("is not in the namespace {name:?}")))
        .collect()
}

/// What objects may be, since a schema that is not found is no fault to those who look for it.
const KINDS: [(&str, &str); 13] = [
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("policy/v1", "PodDisruptionBudget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("networking.k8s.io/v1", "Ingress"),
    ("keda.sh/v1alpha1", "ScaledObject"),
    ("v1", "PersistentVolumeClaim"),
    // Another rule says that it may not be here.
    ("v1", "Secret"),
];

pub(super) fn kinds(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let known =
        |object: &&serde_json::Value| KINDS.contains(&(text(object, "/apiVersion"), text(object, "/kind")));
    let others = overlay.objects.iter().filter(|object| !known(object));
    others
        .map(|object| {
            let what = format!("is of a kind that nobody here knows: {}", text(object, "/apiVersion"));
            Finding::new(rule, subject(object), what)
        })
        .collect()
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
