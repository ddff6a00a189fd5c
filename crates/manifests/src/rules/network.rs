//! The network: what may connect to what.

use std::collections::BTreeSet;

use crate::{
    facts::Facts,
    finding::Finding,
    network::{declared, graph},
    object::{at, entries, list, shown, text, texts},
    overlay::{Overlay, subject},
};

/// What is not the internet: private, shared, loopback and link-local addresses, the cloud's metadata among them.
const PRIVATE: [&str; 6] =
    ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];

pub(super) fn default_deny(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let denies = overlay.of("NetworkPolicy").any(|policy| {
        let types = texts(policy, "/spec/policyTypes");
        entries(policy, "/spec/podSelector").next().is_none()
            && at(policy, "/spec/podSelector").is_object()
            && types.contains(&"Ingress")
            && types.contains(&"Egress")
            && list(policy, "/spec/ingress").is_empty()
            && list(policy, "/spec/egress").is_empty()
    });
    if denies {
        return Vec::new();
    }
    vec![Finding::new(rule, overlay.name.as_str(), "no policy denies every pod all connections")]
}

pub(super) fn edges(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let computed = graph::of(overlay);
    let mut found: Vec<Finding> =
        computed.half.iter().map(|(edge, why)| Finding::new(rule, edge.to_string(), why.clone())).collect();
    let declared = match declared::edges(&facts.network, overlay) {
        Ok(declared) => declared,
        Err(what) => {
            found.push(Finding::new(rule, "k8s/network.yaml", what));
            return found;
        }
    };
    let extra = computed.edges.difference(&declared);
    found.extend(extra.map(|edge| {
        Finding::new(rule, edge.to_string(), "is let through and not declared in k8s/network.yaml")
    }));
    let lacking = declared.difference(&computed.edges);
    found.extend(lacking.map(|edge| Finding::new(rule, edge.to_string(), "is declared and not let through")));
    found
}

pub(super) fn internet(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in overlay.of("NetworkPolicy") {
        for way in list(policy, "/spec/egress") {
            let blocks =
                list(way, "/to").iter().map(|peer| at(peer, "/ipBlock")).filter(|block| !block.is_null());
            for block in blocks {
                let mut wrong = |what: String| found.push(Finding::new(rule, subject(policy), what));
                let cidr = text(block, "/cidr");
                if cidr.contains(':') {
                    wrong(format!("{cidr}: addresses of version 6 are not thought through here"));
                }
                if cidr != "0.0.0.0/0" {
                    continue;
                }
                let except: BTreeSet<_> = texts(block, "/except").into_iter().collect();
                for private in PRIVATE.into_iter().filter(|private| !except.contains(private)) {
                    wrong(format!("lets pods reach {private}, which is not the internet"));
                }
                let ports: Vec<_> = list(way, "/ports").iter().map(|port| shown(at(port, "/port"))).collect();
                if ports != ["443"] {
                    wrong("lets pods reach the internet on other ports than 443".into());
                }
            }
        }
    }
    let allowed = texts(&facts.network, "/internet");
    let graph = graph::of(overlay);
    let going = graph.edges.iter().filter(|edge| edge.to == "0.0.0.0/0");
    for edge in going.filter(|edge| !allowed.contains(&edge.from.as_str())) {
        found.push(Finding::new(rule, edge.from.as_str(), "reaches the internet and has no need to"));
    }
    found
}
