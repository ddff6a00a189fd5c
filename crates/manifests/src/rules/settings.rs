//! What processes are told: names that they know, and all that they need.
//!
//! A process takes no notice of a variable that it does not know, so a misspelled one would silently be the default.

use std::collections::BTreeMap;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{entries, list, text},
    overlay::Overlay,
    workload::Workload,
};

pub(super) fn known(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    let ours = overlay.workloads().into_iter().filter(|one| one.is_process() || one.is_job());
    for workload in ours {
        let process = workload.name().strip_suffix("-migrate").unwrap_or(workload.name());
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        for container in workload.containers() {
            let own = list(container, "/env").iter().map(|one| text(one, "/name"));
            let own = own.filter(|variable| !facts.reads(process, variable) && !is_part(container, variable));
            for variable in own {
                wrong(format!("{variable} is no setting of {process}"));
            }
            // All processes share one map, and take no notice of what is for others.
            for source in list(container, "/envFrom") {
                let map = overlay.named("ConfigMap", text(source, "/configMapRef/name"));
                let shared = map.into_iter().flat_map(|map| entries(map, "/data"));
                for (variable, _) in shared.filter(|(variable, _)| !facts.anyone_reads(variable)) {
                    wrong(format!("{variable} is no setting of any process"));
                }
            }
        }
    }
    found
}

/// Whether a variable is there to be put into another one: what the pod is told of itself.
fn is_part(container: &serde_json::Value, variable: &str) -> bool {
    let all = list(container, "/env");
    let of_pod = all.iter().find(|one| text(one, "/name") == variable);
    of_pod.is_some_and(|one| !text(one, "/valueFrom/fieldRef/fieldPath").is_empty())
        && all.iter().any(|one| text(one, "/value").contains(&format!("$({variable})")))
}

pub(super) fn complete(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    if !overlay.is_whole() {
        return Vec::new();
    }
    let processes = overlay.servers().into_iter().filter(|workload| workload.is_process());
    let found = processes.flat_map(|workload| {
        missing(overlay, facts, workload)
            .into_iter()
            .map(move |what| Finding::new(rule, workload.subject(), what))
    });
    found.collect()
}

fn missing(overlay: &Overlay, facts: &Facts, workload: Workload<'_>) -> Vec<String> {
    let Some(container) = workload.containers().first() else { return vec!["has no container".into()] };
    let environment = workload.environment(overlay, container);
    let mut wrong = lacking(facts, workload.name(), &environment);
    for (variable, value) in &environment {
        let used = facts.reads(workload.name(), variable);
        if used && variable.starts_with("SERVICES_") && !value.starts_with("dns://") {
            wrong.push(format!("{variable} does not follow the replicas (dns://name:port)"));
        }
    }
    if !listens(environment.get("LISTEN").copied().unwrap_or_default(), container) {
        wrong.push("LISTEN is not every address at the port that it exposes".into());
    }
    wrong
}

/// What a process lacks to start in an environment, a sentence for each variable.
#[must_use]
pub fn lacking(facts: &Facts, process: &str, environment: &BTreeMap<&str, &str>) -> Vec<String> {
    let is_set = |variable: &str| {
        let given = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
        given(variable) || given(&format!("{variable}_FILE"))
    };
    let mut needed: Vec<(&str, &str)> = Vec::new();
    for setting in facts.of(process).iter().filter(|setting| setting.required) {
        needed.push((&setting.variable, "to start"));
    }
    match process {
        "gateway" => needed.push(("API_AUTH_KEY", "off loopback")),
        "job" if !is_set("SOUNDSTAGE_URL") => needed.push(("XAI_API_KEY", "without a stand-in planner")),
        "render" | "audio" if !is_set("SOUNDSTAGE_URL") => {
            needed.push(("REPLICATE_API_KEY", "without stand-in providers"));
        }
        _ => {}
    }
    if matches!(process, "render" | "audio") && is_set("PUBLIC_BASE_URL") {
        needed.push(("LINK_SECRET", "with public_base_url"));
    }
    // Both or neither: without them it is the role that the machine or the pod has.
    if is_set("S3_ACCESS_KEY_ID") || is_set("S3_SECRET_ACCESS_KEY") {
        needed.extend(["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"].map(|half| (half, "with the other half")));
    }
    for setting in facts.of(process) {
        // Their defaults are this machine's own addresses, where no other container answers.
        if setting.variable.starts_with("SERVICES_") || setting.variable == "LISTEN" {
            needed.push((&setting.variable, "to be anywhere else than on loopback"));
        }
    }
    needed.retain(|(variable, _)| !is_set(variable));
    needed
        .iter()
        .map(|(variable, why)| format!("{variable} is not set, and {process} needs it {why}"))
        .collect()
}

fn listens(address: &str, container: &serde_json::Value) -> bool {
    let port = container.pointer("/ports/0/containerPort").map(ToString::to_string);
    address.strip_prefix("0.0.0.0:").map(str::to_owned) == port && port.is_some()
}
