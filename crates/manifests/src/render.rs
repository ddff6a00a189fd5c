//! Rendering overlays with kustomize, and the copies of that which are kept in `k8s/rendered`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use crate::overlay::Overlay;

/// What is rendered: the overlays, and the base that they share.
pub const OVERLAYS: [&str; 3] = ["base", "dev", "prod"];

/// What belongs to the cluster and is in no overlay.
pub const CLUSTER: &str = "cluster";

/// Renders an overlay with `kubectl kustomize`.
///
/// # Errors
/// kubectl cannot be started or does not like the files; its words are in the text.
pub fn render(root: &Path, kubectl: &Path, name: &str) -> anyhow::Result<String> {
    let directory = match name {
        "base" | CLUSTER => format!("k8s/{name}"),
        _ => format!("k8s/overlays/{name}"),
    };
    let output = Command::new(kubectl)
        .args(["kustomize", &directory])
        .current_dir(root)
        .output()
        .with_context(|| format!("{} could not be started", kubectl.display()))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{directory} cannot be rendered: {}", words.trim());
    String::from_utf8(output.stdout)
        .with_context(|| format!("{directory} is rendered to something else than text"))
}

/// Where the copy of a rendered overlay lies.
#[must_use]
pub fn kept_at(root: &Path, name: &str) -> PathBuf {
    root.join("k8s/rendered").join(format!("{name}.yaml"))
}

/// The copy that is kept, parsed.
///
/// # Errors
/// It is not there or not YAML.
pub fn kept(root: &Path, name: &str) -> anyhow::Result<Overlay> {
    let path = kept_at(root, name);
    let yaml = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Overlay::parse(name, &yaml)
}
