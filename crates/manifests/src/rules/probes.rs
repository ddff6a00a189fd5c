//! The three questions that a server is asked.
//!
//! *Started*: it listens, which takes up to `start.patience`. *Ready*: its own answer, which its database can take away.
//! *Living*: it answers at all; never its readiness, or a database that is away would have everything restarted.

use serde_json::Value;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, shown, text},
    overlay::Overlay,
    quantity::seconds,
    workload::Workload,
};

/// The name under which a process says no more than that it answers (`grpc.health.v1`).
const LIVE: &str = "live";

pub(super) fn probes(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers() {
        for container in workload.containers() {
            for kind in ["startupProbe", "readinessProbe", "livenessProbe"] {
                if at(container, &format!("/{kind}")).is_null() {
                    found.push(Finding::new(rule, workload.subject(), format!("has no {kind}")));
                }
            }
            for what in meanings(workload, container) {
                found.push(Finding::new(rule, workload.subject(), what));
            }
        }
        if workload.is_process() {
            found.extend(patience(rule, overlay, facts, workload));
        }
    }
    found
}

fn meanings(workload: Workload<'_>, container: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let port = at(container, "/ports/0/containerPort");
    match workload.component() {
        "edge" => {
            for (probe, path) in
                [("startupProbe", "/livez"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")]
            {
                if text(container, &format!("/{probe}/httpGet/path")) != path {
                    wrong.push(format!("{probe} does not ask {path}"));
                }
            }
        }
        "service" => {
            if at(container, "/readinessProbe/grpc/port") != port || port.is_null() {
                wrong.push("readinessProbe does not ask for gRPC health at its port".to_owned());
            }
            if at(container, "/startupProbe/tcpSocket").is_null() {
                wrong.push("startupProbe is not whether the port accepts connections".to_owned());
            }
            if at(container, "/livenessProbe/grpc/port") != port
                || text(container, "/livenessProbe/grpc/service") != LIVE
            {
                wrong.push(format!("livenessProbe does not ask for gRPC health of the name {LIVE:?}"));
            }
        }
        _ => {}
    }
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        for way in ["httpGet", "tcpSocket"] {
            let asked = at(container, &format!("/{probe}/{way}/port"));
            let exposed = list(container, "/ports");
            let known =
                exposed.iter().any(|one| at(one, "/name") == asked || at(one, "/containerPort") == asked);
            if !asked.is_null() && !known {
                wrong.push(format!("{probe} asks at {}, which it does not expose", shown(asked)));
            }
        }
    }
    wrong
}

/// A process that waits for what it needs must not be taken for one that does not start.
fn patience(rule: &'static str, overlay: &Overlay, facts: &Facts, workload: Workload<'_>) -> Vec<Finding> {
    let Some(container) = workload.containers().first() else { return Vec::new() };
    let environment = workload.environment(overlay, container);
    let set = environment.get("START_PATIENCE").copied();
    let waits = seconds(set.unwrap_or_else(|| facts.default(workload.name(), "START_PATIENCE")));
    let number = |name: &str, default: u64| {
        at(container, &format!("/startupProbe/{name}")).as_u64().unwrap_or(default)
    };
    let given = number("periodSeconds", 10) * number("failureThreshold", 3);
    if waits.is_some_and(|waits| given > waits) {
        return Vec::new();
    }
    let what = format!("startupProbe gives it {given} s, and start.patience is longer");
    vec![Finding::new(rule, workload.subject(), what)]
}
