//! What belongs to the cluster holds to its rules, and each of them catches what it is there for.

use std::collections::BTreeSet;

use manifests::{
    overlay::subject,
    rules::{CLUSTER_RULES, check_cluster},
};
use serde_json::json;

use crate::{
    change::{
        Change::{self, Remove, Set},
        make,
    },
    facts,
};

#[test]
fn what_belongs_to_the_cluster_holds() {
    let facts = facts();
    let found: Vec<_> = check_cluster(&facts).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(facts.namespace(), "filmstrip");
    assert_eq!(facts.cluster.of("PriorityClass").count(), 4);
}

#[rustfmt::skip] // A table.
fn mutations() -> Vec<(&'static str, &'static str, &'static str, Change)> {
    let enforce = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    let part_of = "/metadata/labels/app.kubernetes.io~1part-of";
    vec![
        ("cluster-scope", "Namespace/filmstrip", "/kind", Set(json!("ConfigMap"))),
        ("cluster-scope", "PriorityClass/filmstrip-store", part_of, Remove),
        ("cluster-namespace", "Namespace/filmstrip", enforce, Remove),
        ("cluster-namespace", "Namespace/filmstrip", enforce, Set(json!("baseline"))),
        ("cluster-namespace", "Namespace/filmstrip", "/kind", Set(json!("Other"))),
        ("cluster-priorities", "PriorityClass/filmstrip-worker", "/value", Set(json!(2_000_000))),
        ("cluster-priorities", "PriorityClass/filmstrip-service", "/metadata/name", Set(json!("other"))),
        ("cluster-priorities", "PriorityClass/filmstrip-store", "/preemptionPolicy", Remove),
        ("cluster-priorities", "PriorityClass/filmstrip-telemetry", "/preemptionPolicy", Set(json!("PreemptLowerPriority"))),
    ]
}

#[test]
fn every_mutation_is_caught() {
    for (rule, whose, pointer, change) in mutations() {
        let mut spoiled = facts();
        let object = spoiled.cluster.objects.iter_mut().find(|object| subject(object) == whose).unwrap();
        assert!(make(object, pointer, &change), "there is no {pointer} in {whose}");
        let found: Vec<_> = check_cluster(&spoiled).iter().map(ToString::to_string).collect();
        let caught = found.iter().any(|finding| finding.ends_with(&format!("[{rule}]")));
        assert!(caught, "{rule}: {whose} {pointer} {change:?} and nobody noticed: {found:#?}");
    }
}

#[test]
fn every_rule_has_a_mutation() {
    let tried: BTreeSet<_> = mutations().iter().map(|mutation| mutation.0).collect();
    assert_eq!(tried, CLUSTER_RULES.iter().map(|rule| rule.name).collect());
}
