//! Which machines pods run on, and who goes first when there is no room.

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, selects, text},
    overlay::Overlay,
};

const ZONES_AND_MACHINES: [&str; 2] = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"];

pub(super) fn spread(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers().into_iter().filter(|workload| workload.is_process()) {
        let constraints = list(workload.pod(), "/topologySpreadConstraints");
        for key in ZONES_AND_MACHINES {
            let spreads = constraints.iter().any(|one| {
                let own = at(one, "/labelSelector/matchLabels/app.kubernetes.io~1name");
                text(one, "/topologyKey") == key
                    && at(one, "/maxSkew").as_u64() == Some(1)
                    && own.as_str() == Some(workload.app())
                    && selects(at(one, "/labelSelector"), workload.labels())
            });
            if !spreads {
                let what = format!("its pods are not spread over {key}");
                found.push(Finding::new(rule, workload.subject(), what));
            }
        }
    }
    found
}

pub(super) fn priorities(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let name = text(workload.pod(), "/priorityClassName");
        if facts.cluster.named("PriorityClass", name).is_none() {
            let what = format!("its priority {name:?} is none of ours");
            found.push(Finding::new(rule, workload.subject(), what));
        }
        // What watches must never be kept at the cost of what is watched.
        if (workload.component() == "telemetry") != (name == "filmstrip-telemetry") {
            let what = format!("its priority {name:?} is that of something else");
            found.push(Finding::new(rule, workload.subject(), what));
        }
    }
    found
}
