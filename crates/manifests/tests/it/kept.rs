//! What is kept is what holds.

use manifests::{
    render::{OVERLAYS, kept},
    rules,
};

use crate::{facts, root};

#[test]
fn every_overlay_holds_to_every_rule() {
    let facts = facts();
    for name in OVERLAYS {
        let overlay = kept(&root(), name).unwrap();
        let found: Vec<_> = rules::check(&overlay, &facts).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{name}: {found:#?}");
        // Or the rules would hold of nothing.
        let processes = overlay.workloads().into_iter().filter(|workload| workload.is_process()).count();
        assert_eq!(processes, 6, "{name}");
    }
}

#[test]
fn overlays_have_the_same_services() {
    let names = |overlay: &str| {
        let overlay = kept(&root(), overlay).unwrap();
        let own = overlay.workloads().into_iter().filter(|one| one.is_process() || one.is_job());
        let mut all: Vec<_> = own.map(|workload| workload.subject()).collect();
        all.sort();
        all
    };
    assert_eq!(names("dev"), names("prod"));
    assert_eq!(names("dev"), names("base"));
    assert_eq!(names("dev").len(), 11);
}

#[test]
fn the_images_of_ours_are_of_this_version() {
    for name in OVERLAYS {
        let overlay = kept(&root(), name).unwrap();
        for workload in overlay.workloads().into_iter().filter(|one| one.is_process() || one.is_job()) {
            let image = workload.containers()[0]["image"].as_str().unwrap();
            assert!(image.ends_with(concat!(":", env!("CARGO_PKG_VERSION"))), "{name}: {image}");
        }
    }
}
