//! A rendered overlay: all objects that one `kubectl apply -k` would make.

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    object::{at, text},
    workload::Workload,
};

/// The objects of one overlay.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Its directory's name: `base`, `dev`, `prod`, or `cluster`.
    pub name: String,
    /// What it consists of.
    pub objects: Vec<Value>,
}

impl Overlay {
    /// Reads rendered YAML, a document for each object.
    ///
    /// # Errors
    /// It is not YAML.
    pub fn parse(name: &str, yaml: &str) -> anyhow::Result<Self> {
        let objects: Vec<Value> = serde_saphyr::from_multiple(yaml)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| format!("the rendered overlay {name} is not YAML"))?;
        Ok(Self {
            name: name.to_owned(),
            objects: objects.into_iter().filter(|one| !one.is_null()).collect(),
        })
    }

    /// Whether it can run as it is. The base alone cannot: it has no database, no bus and no bytes.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.name != "base"
    }

    /// All objects of a kind.
    pub fn of<'a>(&'a self, kind: &str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |object| text(object, "/kind") == kind)
    }

    /// The object of that kind and name.
    #[must_use]
    pub fn named<'a>(&'a self, kind: &str, name: &str) -> Option<&'a Value> {
        self.of(kind).find(|object| text(object, "/metadata/name") == name)
    }

    /// All that makes pods, jobs included.
    #[must_use]
    pub fn workloads(&self) -> Vec<Workload<'_>> {
        let makes_pods = |object: &&Value| !at(object, "/spec/template/spec/containers").is_null();
        self.objects.iter().filter(makes_pods).map(Workload::new).collect()
    }

    /// What makes pods that are to run all the time.
    #[must_use]
    pub fn servers(&self) -> Vec<Workload<'_>> {
        self.workloads().into_iter().filter(|workload| !workload.is_job()).collect()
    }
}

/// `Kind/name` of an object.
#[must_use]
pub fn subject(object: &Value) -> String {
    format!("{}/{}", text(object, "/kind"), text(object, "/metadata/name"))
}
