//! Secrets: who refers to which, and that none is written here.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, text},
    overlay::{Overlay, subject},
    workload::Workload,
};

pub(super) fn secrets(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found: Vec<Finding> = overlay
        .of("Secret")
        .map(|secret| Finding::new(rule, subject(secret), "is written in the manifests"))
        .collect();
    for map in overlay.of("ConfigMap") {
        let shown = map.to_string();
        if shown.contains("password:") || shown.contains("PRIVATE KEY") || has_credentials(&shown) {
            found.push(Finding::new(rule, subject(map), "looks as if a secret were in it"));
        }
    }
    for workload in overlay.workloads() {
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        for name in referred_to(workload) {
            if !facts.guide.contains(&format!("`{name}`")) {
                wrong(format!("needs the secret {name}, which docs/DEPLOYING.md does not tell"));
            }
        }
        for container in workload.all_containers() {
            for variable in literal_secrets(facts, container) {
                wrong(format!(
                    "{variable} is a secret and stands in the manifest; let {variable}_FILE name a file"
                ));
            }
        }
        for what in loose_mounts(workload) {
            wrong(what);
        }
    }
    found
}

/// Whether an address with a name or a password in front of its host is in it.
fn has_credentials(text: &str) -> bool {
    let addresses = text.split("://").skip(1);
    addresses
        .into_iter()
        .any(|rest| rest.split(['/', '"', ' ', '\\']).next().is_some_and(|host| host.contains('@')))
}

/// The names of the secrets that a workload needs.
#[must_use]
pub fn referred_to(workload: Workload<'_>) -> BTreeSet<&str> {
    let volumes = list(workload.pod(), "/volumes").iter().map(|one| text(one, "/secret/secretName"));
    let variables = workload
        .all_containers()
        .flat_map(|container| list(container, "/env"))
        .map(|one| text(one, "/valueFrom/secretKeyRef/name"));
    volumes.chain(variables).filter(|name| !name.is_empty()).collect()
}

/// Variables of a container whose text is a secret: of one of our processes, or by its name of somebody else's.
fn literal_secrets<'a>(facts: &Facts, container: &'a serde_json::Value) -> Vec<&'a str> {
    let is_secret = |variable: &str| {
        let named = ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| variable.contains(word));
        (named && !variable.ends_with("_FILE"))
            || facts.settings.values().flatten().any(|setting| setting.secret && setting.variable == variable)
    };
    let set = list(container, "/env").iter().filter(|one| !text(one, "/value").is_empty());
    set.map(|one| text(one, "/name")).filter(|name| is_secret(name)).collect()
}

/// Secrets that could be written to, or that anyone in the container may read.
fn loose_mounts(workload: Workload<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for volume in list(workload.pod(), "/volumes") {
        let name = text(volume, "/name");
        if at(volume, "/secret").is_null() {
            continue;
        }
        if at(volume, "/secret/defaultMode") != &json!(0o440) {
            wrong.push(format!("the files of the secret volume {name} are not of mode 0440"));
        }
        let mounts = workload.all_containers().flat_map(|container| list(container, "/volumeMounts"));
        let loose = mounts
            .filter(|mount| text(mount, "/name") == name)
            .any(|mount| at(mount, "/readOnly") != &json!(true));
        if loose {
            wrong.push(format!("the secret volume {name} is not mounted read-only"));
        }
    }
    wrong
}

pub(super) fn owner_role(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let secrets = referred_to(workload);
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        let databases: Vec<_> = secrets.iter().filter(|name| name.contains("-database")).copied().collect();
        let service = workload.name().strip_suffix("-migrate").unwrap_or(workload.name());
        let own = match workload.component() {
            "migration" => vec![format!("{service}-database-owner")],
            "service" => vec![format!("{service}-database")],
            _ => Vec::new(),
        };
        if databases != own {
            wrong(format!("has the databases {databases:?} and should have {own:?}"));
        }
        if workload.is_job() && secrets.len() > 1 {
            wrong("a migration needs its database only".into());
        }
    }
    found
}
