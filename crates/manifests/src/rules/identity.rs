//! What a pod may do on its machine: the restricted pod security standard, and a read-only root.

use serde_json::{Value, json};

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, entries, list, text, texts},
    overlay::Overlay,
};

/// What the restricted standard lets a pod mount; `ephemeral` and `csi` are left out because nothing of ours needs them.
const VOLUMES: [&str; 6] =
    ["configMap", "downwardAPI", "emptyDir", "persistentVolumeClaim", "projected", "secret"];

pub(super) fn pod_security(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        let pod = workload.pod();
        for shared in ["hostNetwork", "hostPID", "hostIPC"] {
            if at(pod, &format!("/{shared}")) == &json!(true) {
                wrong(format!("has {shared}"));
            }
        }
        if at(pod, "/securityContext/runAsNonRoot") != &json!(true) {
            wrong("securityContext.runAsNonRoot is not true".into());
        }
        for id in ["runAsUser", "runAsGroup"] {
            if at(pod, &format!("/securityContext/{id}")).as_u64().is_none_or(|id| id == 0) {
                wrong(format!("securityContext.{id} is not a number above 0"));
            }
        }
        if text(pod, "/securityContext/seccompProfile/type") != "RuntimeDefault" {
            wrong("securityContext.seccompProfile.type is not RuntimeDefault".into());
        }
        for container in workload.all_containers() {
            let name = text(container, "/name");
            for what in container_findings(container) {
                wrong(format!("container {name}: {what}"));
            }
        }
    }
    found
}

fn container_findings(container: &Value) -> Vec<String> {
    let context = at(container, "/securityContext");
    let mut wrong = Vec::new();
    if at(context, "/allowPrivilegeEscalation") != &json!(false) {
        wrong.push("allowPrivilegeEscalation is not false".to_owned());
    }
    if at(context, "/privileged") == &json!(true) {
        wrong.push("is privileged".to_owned());
    }
    if texts(context, "/capabilities/drop") != ["ALL"] {
        wrong.push("capabilities.drop is not [ALL]".to_owned());
    }
    if !list(context, "/capabilities/add").is_empty() {
        wrong.push("adds capabilities".to_owned());
    }
    // What the pod says holds for all of its containers.
    for own in ["runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile"] {
        if !at(context, &format!("/{own}")).is_null() {
            wrong.push(format!("has {own} of its own; the pod's holds"));
        }
    }
    if list(container, "/ports").iter().any(|port| !at(port, "/hostPort").is_null()) {
        wrong.push("takes a port of its machine".to_owned());
    }
    wrong
}

pub(super) fn file_systems(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        for container in workload.all_containers() {
            if at(container, "/securityContext/readOnlyRootFilesystem") != &json!(true) {
                wrong(format!("container {}: readOnlyRootFilesystem is not true", text(container, "/name")));
            }
        }
        for volume in list(workload.pod(), "/volumes") {
            let mut kinds = entries(volume, "").map(|(key, _)| key).filter(|key| *key != "name");
            if !kinds.all(|kind| VOLUMES.contains(&kind)) {
                wrong(format!("volume {} is of a kind that is not let in", text(volume, "/name")));
            }
        }
    }
    found
}
