//! What shows metrics, traces and logs beside a stack: asked for by a profile of its own, and never at the cost of the stack.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    compose::{CHOSEN, OBSERVABILITY, Service},
    finding::Finding,
    object::{at, text, texts},
    render::kept,
};

/// The settings that ask for it.
const SETTINGS: &str = "deploy/observability.env";

/// The variable that names the collector, and how each process takes it: nobody, unless somebody says so.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TAKEN: &str = "${OTEL_EXPORTER_OTLP_ENDPOINT:-}";

/// Whether a service is part of it.
fn watches(service: Service<'_>) -> bool {
    texts(service.value, "/profiles") == [OBSERVABILITY]
}

pub(super) fn telling(all: &[Service<'_>], root: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut wrong = |subject: &str, what: String| found.push(Finding::new("compose-telling", subject, what));
    for service in all.iter().filter(|service| service.process().is_some()) {
        if service.environment().get(ENDPOINT) != Some(&TAKEN) {
            wrong(service.name, format!("{ENDPOINT} is not {TAKEN}"));
        }
    }
    let settings = fs::read_to_string(root.join(SETTINGS)).unwrap_or_default();
    let set = |name: &str| settings.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    if set("COMPOSE_PROFILES") != Some(&format!("{CHOSEN},{OBSERVABILITY}")) {
        wrong(
            SETTINGS,
            "does not ask for the chosen stack and for what watches it (COMPOSE_PROFILES)".into(),
        );
    }
    let host = set(ENDPOINT).and_then(|url| url.strip_prefix("http://")?.strip_suffix(":4318"));
    if !all.iter().any(|service| watches(*service) && Some(service.name) == host) {
        wrong(SETTINGS, format!("{ENDPOINT} leads to no collector"));
    }
    found
}

/// None takes the machine's memory, and only what is looked at in a browser is in a network that leads out.
pub(super) fn limits(all: &[Service<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for service in all.iter().filter(|service| watches(**service)) {
        let mut wrong = |what: &str| found.push(Finding::new("compose-limits", service.name, what));
        let limit = text(service.value, "/mem_limit");
        let amount = limit.strip_suffix(['m', 'g']).and_then(|number| number.parse::<u64>().ok());
        if amount.is_none_or(|amount| amount == 0 || (limit.ends_with('g') && amount > 1)) {
            wrong("may take more than a gigabyte of memory (mem_limit)");
        }
        let outer = texts(service.value, "/networks").contains(&"outer");
        if outer && at(service.value, "/ports").is_null() {
            wrong("reaches the internet and has no need to");
        }
        for (other, _) in service.waits_for() {
            if all.iter().any(|one| one.name == other && !watches(*one)) {
                wrong("waits for the stack, which may be gone just when somebody wants to know why");
            }
        }
    }
    for service in all.iter().filter(|service| !watches(**service)) {
        if service.waits_for().any(|(other, _)| all.iter().any(|one| one.name == other && watches(*one))) {
            found.push(Finding::new(
                "compose-limits",
                service.name,
                "does not start without what watches it",
            ));
        }
    }
    found
}

/// What runs here runs in Kubernetes, in the same version.
pub(super) fn versions(all: &[Service<'_>], root: &Path) -> Vec<Finding> {
    let Ok(overlay) = kept(root, "dev") else {
        return vec![Finding::new("compose-versions", "dev", "k8s/rendered/dev.yaml cannot be read")];
    };
    let mut found = Vec::new();
    for workload in overlay.servers() {
        let image = workload.containers().first().map(|one| text(one, "/image")).unwrap_or_default();
        let here = all.iter().find(|service| service.name == workload.app());
        if let Some(service) = here.filter(|service| service.image() != image) {
            let what = format!("is {} here and {image} in Kubernetes", service.image());
            found.push(Finding::new("compose-versions", service.name, what));
        }
    }
    found
}

/// The service that asks for another one, whose image has no program that could.
#[must_use]
pub(super) fn asked_by<'a>(name: &str, all: &[Service<'a>]) -> Option<&'a str> {
    let asks = |service: &&Service<'a>| {
        let address = format!("http://{name}:");
        texts(service.value, "/healthcheck/test").iter().any(|word| word.starts_with(&address))
    };
    all.iter().filter(|service| service.name != name).find(asks).map(|service| service.name)
}

/// Whether a service has a health check of its own.
#[must_use]
pub(super) fn has_check(value: &Value) -> bool {
    !texts(value, "/healthcheck/test").is_empty()
}
