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

pub(super) fn priorities(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let value =
        |name: &str| overlay.named("PriorityClass", name).and_then(|class| at(class, "/value").as_i64());
    let mut found = Vec::new();
    let order: Vec<_> =
        ["store", "service", "worker"].iter().map(|end| value(&format!("filmstrip-{end}"))).collect();
    if order.iter().any(Option::is_none) || !order.is_sorted_by(|above, below| above > below) {
        let what = "stores do not go before services, or services before workers";
        found.push(Finding::new(rule, "PriorityClass", what));
    }
    for workload in overlay.workloads() {
        let name = text(workload.pod(), "/priorityClassName");
        if value(name).is_none() {
            found.push(Finding::new(
                rule,
                workload.subject(),
                format!("its priority {name:?} is none of ours"),
            ));
        }
    }
    found
}
