//! What makes pods: a Deployment, a StatefulSet or a Job.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    object::{at, entries, list, text},
    overlay::{Overlay, subject},
};

/// The label that names a workload's pods.
pub const NAME: &str = "app.kubernetes.io/name";
/// The label that says what sort of thing a workload is.
pub const COMPONENT: &str = "app.kubernetes.io/component";

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Workload<'a> {
    /// The object as it is.
    pub object: &'a Value,
}

impl<'a> Workload<'a> {
    /// Of an object that has a pod's template.
    #[must_use]
    pub fn new(object: &'a Value) -> Self {
        Self { object }
    }

    /// `Deployment`, `StatefulSet`, `Job`.
    #[must_use]
    pub fn kind(self) -> &'a str {
        text(self.object, "/kind")
    }

    /// The object's name.
    #[must_use]
    pub fn name(self) -> &'a str {
        text(self.object, "/metadata/name")
    }

    /// `Kind/name`.
    #[must_use]
    pub fn subject(self) -> String {
        subject(self.object)
    }

    /// Whether it runs once and ends.
    #[must_use]
    pub fn is_job(self) -> bool {
        self.kind() == "Job"
    }

    /// The labels of its pods.
    #[must_use]
    pub fn labels(self) -> &'a Value {
        at(self.object, "/spec/template/metadata/labels")
    }

    /// The name label of its pods.
    #[must_use]
    pub fn app(self) -> &'a str {
        self.labels().get(NAME).and_then(Value::as_str).unwrap_or_default()
    }

    /// The component label of its pods: `edge`, `service`, `migration`, `store`, `stand-in`, `telemetry`.
    #[must_use]
    pub fn component(self) -> &'a str {
        self.labels().get(COMPONENT).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is one of the six processes.
    #[must_use]
    pub fn is_process(self) -> bool {
        matches!(self.component(), "edge" | "service")
    }

    /// The specification of its pods.
    #[must_use]
    pub fn pod(self) -> &'a Value {
        at(self.object, "/spec/template/spec")
    }

    /// The containers that run together.
    #[must_use]
    pub fn containers(self) -> &'a [Value] {
        list(self.pod(), "/containers")
    }

    /// These and the ones that run before them.
    pub fn all_containers(self) -> impl Iterator<Item = &'a Value> {
        list(self.pod(), "/initContainers").iter().chain(self.containers())
    }

    /// The environment of a container, maps that it takes whole included: each variable with its text, which is empty when
    /// it comes from a secret.
    #[must_use]
    pub fn environment(self, overlay: &'a Overlay, container: &'a Value) -> BTreeMap<&'a str, &'a str> {
        let mut all = BTreeMap::new();
        for source in list(container, "/envFrom") {
            if let Some(map) = overlay.named("ConfigMap", text(source, "/configMapRef/name")) {
                all.extend(
                    entries(map, "/data").map(|(key, value)| (key, value.as_str().unwrap_or_default())),
                );
            }
        }
        all.extend(list(container, "/env").iter().map(|one| (text(one, "/name"), text(one, "/value"))));
        all
    }
}
