//! What has to hold of the compose file.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    compose::{PROFILES, SECRETS, Service, services, stacks, watching},
    dockerfile::Dockerfile,
    facts::{Facts, PROCESSES},
    finding::Finding,
    object::{at, list, text, texts},
    quantity::seconds,
    rules::{images::is_pinned, settings::lacking},
};

/// Holds it to all rules.
#[must_use]
pub fn check(file: &Value, root: &Path, images: &Dockerfile, facts: &Facts) -> Vec<Finding> {
    let all = services(file);
    let mut found = Vec::new();
    for service in &all {
        let rules = [
            ("compose-images", pinned(*service, images)),
            ("compose-health", health(*service, &all, images)),
            ("compose-order", order(*service, &all)),
            ("compose-hardening", hardening(*service)),
            ("compose-ports", ports(*service)),
            ("compose-files", files(*service, root)),
            ("compose-secrets", secrets(*service, facts)),
            ("compose-settings", settings(*service, facts)),
            ("compose-stopping", stopping(*service, facts)),
        ];
        for (rule, wrong) in rules {
            found.extend(wrong.into_iter().map(|what| Finding::new(rule, service.name, what)));
        }
    }
    found.extend(profiles(&all));
    found.extend(stacks::builds(&all));
    found.extend(stacks::apart(file, &all, root));
    found.extend(watching::telling(&all, root));
    found.extend(watching::limits(&all));
    found.extend(watching::versions(&all, root));
    found
}

fn pinned(service: Service<'_>, images: &Dockerfile) -> Vec<String> {
    let (image, target) = (service.image(), service.target());
    let mut wrong = Vec::new();
    if !is_pinned(image) {
        wrong.push(format!("{image:?} is no pinned image"));
    }
    if !target.is_empty() && images.stage(target).is_none() {
        wrong.push(format!("the Dockerfile has no target {target}"));
    }
    let from = text(service.value, "/build/target");
    if service.is_built() && from != target {
        wrong.push(format!("{image} is built from the target {from:?}"));
    }
    wrong
}

fn health(service: Service<'_>, all: &[Service<'_>], images: &Dockerfile) -> Vec<String> {
    let own = texts(service.value, "/healthcheck/test");
    let off = at(service.value, "/healthcheck/disable") == &json!(true);
    let of_image = images.holds(service.target(), "HEALTHCHECK").is_some();
    let asked = watching::asked_by(service.name, all).is_some();
    if !service.is_once() && (off || (own.is_empty() && !of_image && !asked)) {
        return vec!["has no health check, does not run once and end, and nobody asks for it".into()];
    }
    if !own.is_empty() && own.first() != Some(&"CMD") {
        return vec!["its health check goes through a shell".into()];
    }
    // It asks with HEAD, which not every server answers as it answers GET.
    if own.contains(&"--spider") {
        return vec!["its health check does not ask for what it wants to know (--spider)".into()];
    }
    Vec::new()
}

fn order(service: Service<'_>, all: &[Service<'_>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, condition) in service.waits_for() {
        let Some(other) = all.iter().find(|one| one.name == name) else {
            wrong.push(format!("waits for {name}, which is not there"));
            continue;
        };
        if let Some(asking) = watching::asked_by(name, all).filter(|_| !watching::has_check(other.value)) {
            wrong.push(format!("waits for {name}, which has no health check: {asking} asks for it"));
        }
        let right = if other.is_once() { "service_completed_successfully" } else { "service_healthy" };
        if condition != right {
            wrong.push(format!("waits for {name} with {condition:?} and not with {right}"));
        }
        for profile in service.profiles() {
            if !other.profiles().is_empty() && !other.profiles().contains(&profile) {
                wrong.push(format!("waits for {name}, which is not there with the profile {profile}"));
            }
        }
    }
    let waits = |name: &str| service.waits_for().any(|(one, _)| one == name);
    let process = service.process().unwrap_or_default();
    if !process.is_empty() && process != "gateway" && !waits(&format!("{process}-migrate")) {
        wrong.push("does not wait for its migration".into());
    }
    if service.command() == ["migrate"] && !waits("postgres") {
        wrong.push("does not wait for the database".into());
    }
    wrong
}

fn hardening(service: Service<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    if at(service.value, "/read_only") != &json!(true) {
        wrong.push("its root file system is not read-only".into());
    }
    if texts(service.value, "/cap_drop") != ["ALL"] {
        wrong.push("keeps capabilities".into());
    }
    if !texts(service.value, "/security_opt").contains(&"no-new-privileges:true") {
        wrong.push("may gain privileges".into());
    }
    for way in ["privileged", "cap_add", "network_mode", "pid", "ipc"] {
        if !at(service.value, &format!("/{way}")).is_null() {
            wrong.push(format!("has {way}"));
        }
    }
    wrong
}

fn ports(service: Service<'_>) -> Vec<String> {
    let open = list(service.value, "/ports").iter().filter(|port| text(port, "/host_ip") != "127.0.0.1");
    open.map(|port| format!("other machines reach its port {}", at(port, "/target"))).collect()
}

fn files(service: Service<'_>, root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for (source, _, read_only) in service.binds() {
        if !read_only {
            wrong.push(format!("may write to {source}"));
        }
        if !source.starts_with(SECRETS) && !root.join(source).exists() {
            wrong.push(format!("{source} is not in the repository"));
        }
    }
    wrong
}

fn secrets(service: Service<'_>, facts: &Facts) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_secret = |variable: &str| {
        facts.settings.values().flatten().any(|setting| setting.secret && setting.variable == variable)
    };
    for (variable, value) in service.environment() {
        let named = ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| variable.contains(word));
        let by_file = variable.ends_with("_FILE");
        if (is_secret(variable) || (named && !by_file)) && !value.is_empty() {
            wrong.push(format!("{variable} is a secret and stands in the file"));
        }
        if by_file && !service.binds().iter().any(|(_, target, _)| value.starts_with(&format!("{target}/"))) {
            wrong.push(format!("{variable} names a file that is not mounted"));
        }
    }
    wrong
}

fn settings(service: Service<'_>, facts: &Facts) -> Vec<String> {
    let Some(process) = service.process() else { return Vec::new() };
    let environment = service.environment();
    let mut wrong = lacking(facts, process, &environment);
    let unknown = environment.keys().filter(|variable| !facts.reads(process, variable));
    wrong.extend(unknown.map(|variable| format!("{variable} is no setting of {process}")));
    wrong
}

fn stopping(service: Service<'_>, facts: &Facts) -> Vec<String> {
    let Some(process) = service.process() else { return Vec::new() };
    let set = service.environment();
    let setting = |variable: &str| {
        seconds(set.get(variable).copied().unwrap_or_else(|| facts.default(process, variable))).unwrap_or(0)
    };
    let needed = setting("STOP_DELAY") + setting("STOP_GRACE") + 1;
    let given = seconds(text(service.value, "/stop_grace_period")).unwrap_or(0);
    if given >= needed {
        return Vec::new();
    }
    vec![format!("stop_grace_period is {given} s, and at least {needed} s is needed")]
}

/// With each profile there is one of each process.
fn profiles(all: &[Service<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for profile in PROFILES {
        for process in PROCESSES {
            let serving = all.iter().filter(|service| {
                service.process() == Some(process) && service.profiles().contains(&profile)
            });
            let count = serving.count();
            if count != 1 {
                found.push(Finding::new(
                    "compose-profiles",
                    profile,
                    format!("has {count} services for {process}"),
                ));
            }
        }
    }
    for service in all.iter().filter(|service| service.profiles().is_empty()) {
        found.push(Finding::new("compose-profiles", service.name, "is in no profile"));
    }
    found
}
