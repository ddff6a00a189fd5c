//! Which connections the policies of an overlay let through.
//!
//! As Kubernetes has it: a pod that no policy chooses for a direction may do everything in it; one that is chosen may do what
//! any of these policies says. Between two pods of ours both sides have to let it through.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    network::Edge,
    object::{at, list, selects, shown, text, texts},
    overlay::Overlay,
    workload::Workload,
};

/// Everybody: what a pod without a policy, or a rule without a peer, stands for.
const ANYBODY: &str = "anybody";

/// The graph of an overlay.
#[derive(Debug, Default)]
pub struct Graph {
    /// What may be opened.
    pub edges: BTreeSet<Edge>,
    /// What one side lets through and the other does not, with the reason.
    pub half: Vec<(Edge, String)>,
}

/// Computes it.
#[must_use]
pub fn of(overlay: &Overlay) -> Graph {
    let workloads = overlay.workloads();
    let (mut leaving, mut arriving) = (BTreeSet::new(), BTreeSet::new());
    for workload in &workloads {
        let own = workload.app();
        for (peer, port) in one_way(overlay, &workloads, *workload, "Egress") {
            leaving.insert(Edge { from: own.to_owned(), to: peer, port });
        }
        for (peer, port) in one_way(overlay, &workloads, *workload, "Ingress") {
            arriving.insert(Edge { from: peer, to: own.to_owned(), port });
        }
    }
    let ours = |name: &str| workloads.iter().any(|workload| workload.app() == name);
    let mut graph = Graph::default();
    for edge in &leaving {
        if !ours(&edge.to) || arriving.contains(edge) {
            graph.edges.insert(edge.clone());
        } else {
            graph.half.push((edge.clone(), format!("leaves {} and is not let in at {}", edge.from, edge.to)));
        }
        if let Some(target) = workloads.iter().find(|workload| workload.app() == edge.to)
            && !exposes(*target, &edge.port)
        {
            graph.half.push((edge.clone(), format!("{} exposes no such port", edge.to)));
        }
    }
    for edge in &arriving {
        if !ours(&edge.from) {
            graph.edges.insert(edge.clone());
        } else if !leaving.contains(edge) {
            graph
                .half
                .push((edge.clone(), format!("is let in at {} and cannot leave {}", edge.to, edge.from)));
        }
    }
    graph
}

fn exposes(workload: Workload<'_>, port: &str) -> bool {
    let ports = workload.containers().iter().flat_map(|container| list(container, "/ports"));
    ports.into_iter().any(|one| shown(at(one, "/containerPort")) == port)
}

/// Peers and ports of a workload in one direction.
fn one_way(
    overlay: &Overlay,
    workloads: &[Workload<'_>],
    own: Workload<'_>,
    direction: &str,
) -> BTreeSet<(String, String)> {
    let (rules, peers) =
        if direction == "Egress" { ("/spec/egress", "/to") } else { ("/spec/ingress", "/from") };
    let choosing: Vec<&Value> = overlay
        .of("NetworkPolicy")
        .filter(|policy| texts(policy, "/spec/policyTypes").contains(&direction))
        .filter(|policy| selects(at(policy, "/spec/podSelector"), own.labels()))
        .collect();
    if choosing.is_empty() {
        return BTreeSet::from([(ANYBODY.to_owned(), "any port".to_owned())]);
    }
    let mut all = BTreeSet::new();
    for rule in choosing.into_iter().flat_map(|policy| list(policy, rules)) {
        let names = match list(rule, peers) {
            [] => vec![ANYBODY.to_owned()],
            some => some.iter().flat_map(|peer| named(peer, workloads)).collect(),
        };
        for port in ports(rule) {
            all.extend(names.iter().map(|name| (name.clone(), port.clone())));
        }
    }
    all
}

/// Who a peer is: pods of ours by their names, others by what the policy says of them.
fn named(peer: &Value, workloads: &[Workload<'_>]) -> Vec<String> {
    let block = text(peer, "/ipBlock/cidr");
    if !block.is_empty() {
        return vec![block.to_owned()];
    }
    let namespace = at(peer, "/namespaceSelector");
    let pods = at(peer, "/podSelector");
    if !namespace.is_null() {
        let within = if pods.is_null() { String::new() } else { format!(" pods {}", labels(pods)) };
        return vec![format!("namespace {}{within}", labels(namespace))];
    }
    let chosen = workloads.iter().filter(|workload| selects(pods, workload.labels()));
    chosen.map(|workload| workload.app().to_owned()).collect()
}

/// A selector in one line.
fn labels(selector: &Value) -> String {
    let equal = crate::object::entries(selector, "/matchLabels");
    let mut all: Vec<String> = equal.map(|(key, value)| format!("{key}={}", shown(value))).collect();
    all.extend(list(selector, "/matchExpressions").iter().map(Value::to_string));
    if all.is_empty() { "any".to_owned() } else { all.join(",") }
}

fn ports(rule: &Value) -> Vec<String> {
    let named = list(rule, "/ports").iter().map(|port| {
        let mut shown_port = shown(at(port, "/port"));
        if !at(port, "/endPort").is_null() {
            shown_port = format!("{shown_port}-{}", at(port, "/endPort"));
        }
        match text(port, "/protocol") {
            "" | "TCP" => shown_port,
            other => format!("{shown_port}/{other}"),
        }
    });
    let all: Vec<String> = named.collect();
    if all.is_empty() { vec!["any port".to_owned()] } else { all }
}
