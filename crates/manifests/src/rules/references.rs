//! What objects refer to by name.

use crate::{
    facts::Facts,
    finding::Finding,
    object::{list, text},
    overlay::{Overlay, subject},
    workload::Workload,
};

pub(super) fn references(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        for (kind, name) in named(workload) {
            if overlay.named(kind, name).is_none() {
                found.push(Finding::new(rule, workload.subject(), format!("there is no {kind}/{name}")));
            }
        }
        for container in workload.all_containers() {
            for mount in list(container, "/volumeMounts") {
                let name = text(mount, "/name");
                if !volumes(workload).contains(&name) {
                    found.push(Finding::new(rule, workload.subject(), format!("there is no volume {name}")));
                }
            }
        }
    }
    for ingress in overlay.of("Ingress") {
        for rule_of_ingress in list(ingress, "/spec/rules") {
            for path in list(rule_of_ingress, "/http/paths") {
                let name = text(path, "/backend/service/name");
                let port = text(path, "/backend/service/port/name");
                let leads = overlay.named("Service", name).is_some_and(|service| {
                    list(service, "/spec/ports").iter().any(|one| text(one, "/name") == port)
                });
                if !leads {
                    found.push(Finding::new(
                        rule,
                        subject(ingress),
                        format!("there is no port {name}:{port}"),
                    ));
                }
            }
        }
    }
    for scaler in overlay.of("HorizontalPodAutoscaler").chain(overlay.of("ScaledObject")) {
        let target = |part: &str| text(scaler, &format!("/spec/scaleTargetRef/{part}"));
        if overlay.named(target("kind"), target("name")).is_none() {
            found.push(Finding::new(rule, subject(scaler), "what it scales is not there"));
        }
    }
    found
}

/// The maps that a workload's pods take.
fn named(workload: Workload<'_>) -> Vec<(&'static str, &str)> {
    let mut all = Vec::new();
    for volume in list(workload.pod(), "/volumes") {
        all.push(("ConfigMap", text(volume, "/configMap/name")));
        all.push(("PersistentVolumeClaim", text(volume, "/persistentVolumeClaim/claimName")));
        let projected = list(volume, "/projected/sources").iter();
        all.extend(projected.map(|source| ("ConfigMap", text(source, "/configMap/name"))));
    }
    for container in workload.all_containers() {
        all.extend(
            list(container, "/envFrom").iter().map(|one| ("ConfigMap", text(one, "/configMapRef/name"))),
        );
        let from_map = |one| ("ConfigMap", text(one, "/valueFrom/configMapKeyRef/name"));
        all.extend(list(container, "/env").iter().map(from_map));
    }
    all.retain(|(_, name)| !name.is_empty());
    all
}

fn volumes(workload: Workload<'_>) -> Vec<&str> {
    let own = list(workload.pod(), "/volumes").iter().map(|volume| text(volume, "/name"));
    let claimed = list(workload.object, "/spec/volumeClaimTemplates").iter();
    own.chain(claimed.map(|claim| text(claim, "/metadata/name"))).collect()
}
