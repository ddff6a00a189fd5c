//! Which programs run.

use crate::{facts::Facts, finding::Finding, object::text, overlay::Overlay};

/// Whether an image names the one version that it is: by a digest, or by a tag that is not a moving one.
#[must_use]
pub fn is_pinned(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    let tag = last.split_once(':').map_or("", |(_, tag)| tag);
    tag.contains(|at: char| at.is_ascii_digit())
}

pub(super) fn images(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        for container in workload.all_containers() {
            let image = text(container, "/image");
            if !is_pinned(image) {
                found.push(Finding::new(rule, workload.subject(), format!("{image:?} is no pinned image")));
            }
        }
        let Some(service) = workload.name().strip_suffix("-migrate") else { continue };
        let image_of = |kind: &str, name: &str| {
            let object = overlay.named(kind, name)?;
            object.pointer("/spec/template/spec/containers/0/image")?.as_str()
        };
        if image_of("Job", workload.name()) != image_of("Deployment", service) {
            found.push(Finding::new(rule, workload.subject(), format!("is not of the image of {service}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_moves_pins_nothing() {
        assert!(is_pinned("nats:2.15.0-alpine"));
        assert!(is_pinned("registry.example.org:5000/filmstrip/asset:0.1.0"));
        assert!(is_pinned("nats@sha256:30292fc2"));
        assert!(!is_pinned("nats"));
        assert!(!is_pinned("nats:latest"));
        assert!(!is_pinned("registry.example.org:5000/filmstrip/asset"));
    }
}
