//! Which service builds an image, and that what is real and what is played have nothing in common.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    compose::{CHOSEN, OBSERVABILITY, PROFILES, Service},
    facts::PROCESSES,
    finding::Finding,
    object::{text, texts},
};

/// The settings of the stack with the real providers.
const CORE: &str = "deploy/core.env";

/// Each image of ours is built by one service, which is there whenever the image is needed. With two, their builds
/// race for the tag, and an engine that keeps images in containerd's store refuses the second.
pub(super) fn builds(all: &[Service<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for service in all.iter().filter(|service| !service.target().is_empty()) {
        let image = service.image();
        let mut wrong = |what: String| found.push(Finding::new("compose-builds", service.name, what));
        let builders: Vec<_> =
            all.iter().filter(|other| other.is_built() && other.image() == image).collect();
        match builders.as_slice() {
            [] => wrong(format!("nobody builds {image}")),
            [builder] => {
                let there = builder.profiles();
                for profile in service.profiles().into_iter().filter(|profile| !there.contains(profile)) {
                    wrong(format!("{image} is not built with the profile {profile}"));
                }
            }
            several => wrong(format!("{image} is built by {} services", several.len())),
        }
        if !service.is_built() && text(service.value, "/pull_policy") != "never" {
            wrong(format!("looks for {image} in a registry, and it is built here (pull_policy)"));
        }
    }
    found
}

/// The two are projects of their own, so no volume, network or container is of both; and neither takes in services of
/// the other.
pub(super) fn apart(file: &Value, all: &[Service<'_>], root: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut wrong = |subject: &str, what: &str| found.push(Finding::new("compose-stacks", subject, what));
    if text(file, "/name") != format!("filmstrip-{CHOSEN}") {
        wrong("name", "is not the chosen stack's own, so both would have the same volumes");
    }
    for service in all {
        let told = texts(service.value, "/profiles");
        if told != [CHOSEN] && told != [OBSERVABILITY] && !PROFILES.iter().any(|profile| told == [*profile]) {
            wrong(service.name, "is neither in one profile nor in the chosen one");
        }
    }
    // Compose refuses a project with two containers of one name.
    for process in PROCESSES {
        let names: Vec<_> = all
            .iter()
            .filter(|service| service.process() == Some(process))
            .map(|service| text(service.value, "/container_name"))
            .collect();
        let own = format!("filmstrip-{CHOSEN}-{process}");
        if names.len() > 1 && names.iter().any(|name| *name != own) {
            wrong(process, "has stand-ins that may run beside it (container_name)");
        }
    }
    let settings = fs::read_to_string(root.join(CORE)).unwrap_or_default();
    for line in ["STACK=core", "COMPOSE_PROFILES=core"] {
        if !settings.lines().any(|one| one == line) {
            wrong(CORE, &format!("does not say {line}"));
        }
    }
    found
}
