//! What watches: every process tells what it does, and what keeps that has a place for it.

use serde_json::json;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, shown, text},
    overlay::{Overlay, subject},
    quantity::bytes,
    workload::Workload,
};

/// Attributes of the resource, and what of the pod they are.
const OF_POD: [(&str, &str); 3] = [
    ("k8s.namespace.name", "metadata.namespace"),
    ("k8s.pod.name", "metadata.name"),
    ("k8s.node.name", "spec.nodeName"),
];

/// The most that a map may be, bytes: `kubectl apply` keeps a copy of each object in an annotation, of which there may be 256 KiB.
const MAP: usize = 200 << 10;

pub(super) fn telling(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    if !overlay.is_whole() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for workload in overlay.servers().into_iter().filter(|workload| workload.is_process()) {
        for what in untold(overlay, workload) {
            found.push(Finding::new(rule, workload.subject(), what));
        }
    }
    let collector = overlay.named("Deployment", "collector");
    // With two, each would show what it was told last, and of every series two values.
    if collector.is_none_or(|one| at(one, "/spec/replicas") != &json!(1)) {
        found.push(Finding::new(rule, "Deployment/collector", "there is not one of it"));
    }
    found
}

fn untold(overlay: &Overlay, workload: Workload<'_>) -> Vec<String> {
    let Some(container) = workload.containers().first() else { return Vec::new() };
    let environment = workload.environment(overlay, container);
    let set = |variable: &str| environment.get(variable).copied().unwrap_or_default();
    let mut wrong = Vec::new();
    if !leads(overlay, set("OTEL_EXPORTER_OTLP_ENDPOINT")) {
        wrong.push("tells nobody what it does (OTEL_EXPORTER_OTLP_ENDPOINT)".to_owned());
    }
    let attributes = set("OTEL_RESOURCE_ATTRIBUTES");
    for (attribute, field) in OF_POD {
        let told = list(container, "/env").iter().any(|one| {
            text(one, "/valueFrom/fieldRef/fieldPath") == field
                && attributes.split(',').any(|part| part == format!("{attribute}=$({})", text(one, "/name")))
        });
        if !told {
            wrong.push(format!("does not say which {attribute} it is (OTEL_RESOURCE_ATTRIBUTES)"));
        }
    }
    wrong
}

/// Whether an address is that of a Service of the overlay, with a port of its own.
fn leads(overlay: &Overlay, address: &str) -> bool {
    let Some((host, port)) = address.strip_prefix("http://").and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    overlay
        .named("Service", host)
        .is_some_and(|service| list(service, "/spec/ports").iter().any(|one| shown(at(one, "/port")) == port))
}

pub(super) fn maps(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let large = overlay.of("ConfigMap").filter(|map| map.to_string().len() > MAP);
    large
        .map(|map| Finding::new(rule, subject(map), "is too large for `kubectl apply`: make several of it"))
        .collect()
}

pub(super) fn retention(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let Some(prometheus) = overlay.named("StatefulSet", "prometheus") else { return Vec::new() };
    let args: Vec<String> =
        list(prometheus, "/spec/template/spec/containers/0/args").iter().map(shown).collect();
    let set = |name: &str| {
        args.iter().find_map(|arg| arg.strip_prefix(&format!("--storage.tsdb.retention.{name}=")))
    };
    let mut found = Vec::new();
    let mut wrong = |what: &str| found.push(Finding::new(rule, subject(prometheus), what));
    if set("time").is_none() {
        wrong("keeps metrics for as long as it happens to (retention.time)");
    }
    let volume = shown(at(prometheus, "/spec/volumeClaimTemplates/0/spec/resources/requests/storage"));
    let most = set("size").and_then(|size| size.strip_suffix("GB")).and_then(|size| size.parse::<u64>().ok());
    let room = bytes(&volume).unwrap_or(0);
    // A tenth for what it has not compacted yet.
    if most.is_none_or(|gigabytes| gigabytes * 1_000_000_000 > room - room / 10) {
        wrong("fills its volume (retention.size)");
    }
    found
}
