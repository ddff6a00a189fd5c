//! The graph is that of Kubernetes: chosen pods, both sides, and everything for a pod that nothing chooses.

use manifests::{network::graph, overlay::Overlay};

fn edges(policies: &str) -> (Vec<String>, Vec<String>) {
    let pods = "\
kind: Deployment
metadata: {name: a}
spec: {template: {metadata: {labels: {app.kubernetes.io/name: a}}, spec: {containers: [{ports: [{containerPort: 1}]}]}}}
---
kind: Deployment
metadata: {name: b}
spec: {template: {metadata: {labels: {app.kubernetes.io/name: b}}, spec: {containers: [{ports: [{containerPort: 2}]}]}}}
";
    let overlay = Overlay::parse("dev", &format!("{pods}---\n{policies}")).unwrap();
    let graph = graph::of(&overlay);
    let half = graph.half.iter().map(|(edge, _)| edge.to_string()).collect();
    (graph.edges.iter().map(ToString::to_string).collect(), half)
}

const DENY: &str = "\
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
";

fn with_deny(more: &str) -> (Vec<String>, Vec<String>) {
    edges(&format!("{DENY}---\n{more}"))
}

#[test]
fn denied_pods_reach_nobody() {
    assert_eq!(edges(DENY), (vec![], vec![]));
}

#[test]
fn without_a_policy_everybody_reaches_everybody() {
    let (found, _) = edges("kind: Other");
    assert!(found.contains(&"a -> anybody any port".to_owned()), "{found:?}");
    assert!(found.contains(&"anybody -> b any port".to_owned()), "{found:?}");
}

const OUT: &str = "\
kind: NetworkPolicy
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: a}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app.kubernetes.io/name: b}}}], ports: [{port: 2}]}]
";
const IN: &str = "\
kind: NetworkPolicy
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: b}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app.kubernetes.io/name: a}}}], ports: [{port: 2}]}]
";

#[test]
fn an_edge_needs_both_sides() {
    assert_eq!(with_deny(&format!("{OUT}---\n{IN}")), (vec!["a -> b 2".to_owned()], vec![]));
    assert_eq!(with_deny(OUT), (vec![], vec!["a -> b 2".to_owned()]));
    assert_eq!(with_deny(IN), (vec![], vec!["a -> b 2".to_owned()]));
}

#[test]
fn a_port_that_nobody_listens_at_is_no_way_in() {
    let wrong = format!("{OUT}---\n{IN}").replace("port: 2", "port: 9");
    let (_, half) = with_deny(&wrong);
    assert_eq!(half, ["a -> b 9"]);
}

#[test]
fn a_rule_without_a_peer_is_for_everybody() {
    let open = "\
kind: NetworkPolicy
spec: {podSelector: {matchLabels: {app.kubernetes.io/name: a}}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}
";
    assert_eq!(with_deny(open).0, ["a -> anybody 443"]);
}

#[test]
fn an_empty_pod_selector_is_every_pod() {
    let open = "\
kind: NetworkPolicy
spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{podSelector: {}}]}], ingress: [{from: [{podSelector: {}}]}]}
";
    let (found, _) = with_deny(open);
    assert_eq!(found.len(), 4, "{found:?}");
}
