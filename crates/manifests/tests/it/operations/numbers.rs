//! The numbers of the guide are those of the manifests: what a replica asks for and may have, and how many there are.

use manifests::{
    object::{at, list, shown, text},
    overlay::Overlay,
    render::kept,
};
use serde_json::Value;

use super::{guide, page::section};
use crate::root;

/// The rows of the table whose first line begins so, as cells.
fn rows(section: &str, begin: &str) -> Vec<Vec<String>> {
    let lines = section.lines().skip_while(|line| !line.starts_with(begin)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// An amount as the guide spells it: `250m` is 0.25, `1536Mi` is 1.5 Gi.
fn spelled(amount: &Value) -> String {
    let amount = shown(amount);
    if let Some(thousandths) = amount.strip_suffix('m') {
        return (thousandths.parse::<f64>().unwrap() / 1000.0).to_string();
    }
    if let Some(mebibytes) = amount.strip_suffix("Mi") {
        let mebibytes: f64 = mebibytes.parse().unwrap();
        return if mebibytes < 1024.0 {
            format!("{mebibytes} Mi")
        } else {
            format!("{} Gi", mebibytes / 1024.0)
        };
    }
    amount.strip_suffix("Gi").map_or_else(|| amount.clone(), |gibibytes| format!("{gibibytes} Gi"))
}

fn pod<'a>(overlay: &'a Overlay, service: &str) -> &'a Value {
    let deployment = overlay.named("Deployment", service).unwrap_or_else(|| panic!("there is no {service}"));
    at(deployment, "/spec/template/spec")
}

#[test]
fn what_the_guide_says_that_a_replica_needs_is_what_it_asks_for() {
    let (guide, prod) = (guide(), kept(&root(), "prod").unwrap());
    let rows = rows(&section(&guide, "### What a platform team asks"), "| one replica of |");
    assert_eq!(rows.len(), 6, "{rows:?}");
    for row in rows {
        let pod = pod(&prod, &row[0]);
        let both = |side: &str| {
            let of = |kind: &str| spelled(at(pod, &format!("/containers/0/resources/{side}/{kind}")));
            format!("{}, {}", of("cpu"), of("memory"))
        };
        let scratch = list(pod, "/volumes").iter().find(|volume| text(volume, "/name") == "scratch").unwrap();
        let is = [both("requests"), both("limits"), spelled(at(scratch, "/emptyDir/sizeLimit"))];
        assert_eq!(row[1..], is, "{}", row[0]);
    }
}

#[test]
fn as_many_replicas_as_the_guide_says_are_what_the_scalers_say() {
    let (guide, prod) = (guide(), kept(&root(), "prod").unwrap());
    let rows = rows(&section(&guide, "## Scale"), "| service | what limits it |");
    assert_eq!(rows.len(), 6, "{rows:?}");
    for row in rows {
        let bounds = |scaler: &Value, least: &str, most: &str| {
            format!("{} to {}", shown(at(scaler, least)), shown(at(scaler, most)))
        };
        let is = match prod.named("ScaledObject", &row[0]) {
            Some(scaler) => bounds(scaler, "/spec/minReplicaCount", "/spec/maxReplicaCount"),
            None => bounds(
                prod.named("HorizontalPodAutoscaler", &row[0]).unwrap(),
                "/spec/minReplicas",
                "/spec/maxReplicas",
            ),
        };
        assert!(row[3].starts_with(&is), "{}: {} is {is}", row[0], row[3]);
    }
}
