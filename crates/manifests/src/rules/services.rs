//! The names under which pods are found.

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, shown, text},
    overlay::Overlay,
    workload::{NAME, Workload},
};

pub(super) fn services(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers() {
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        let Some(service) = overlay.named("Service", workload.name()) else {
            wrong("has no Service of its name".into());
            continue;
        };
        let chosen = at(service, "/spec/selector").get(NAME).and_then(|name| name.as_str());
        if chosen != Some(workload.app()) {
            wrong("its Service chooses other pods".into());
        }
        let ports = list(service, "/spec/ports");
        if ports.is_empty() {
            wrong("its Service has no port".into());
        }
        for port in ports {
            let target = shown(at(port, "/targetPort"));
            if !exposes(workload, &target) {
                wrong(format!("its Service leads to the port {target}, which it does not expose"));
            }
        }
        // Connections of gRPC live long: behind one address all calls would go to one replica.
        if workload.component() == "service" && text(service, "/spec/clusterIP") != "None" {
            wrong("its Service has an address of its own, so callers do not see the replicas".into());
        }
    }
    found
}

fn exposes(workload: Workload<'_>, port: &str) -> bool {
    let ports = workload.containers().iter().flat_map(|container| list(container, "/ports"));
    ports.into_iter().any(|one| text(one, "/name") == port || shown(at(one, "/containerPort")) == port)
}
