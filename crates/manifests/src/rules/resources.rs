//! What a container asks for and what it may have at most.

use serde_json::Value;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, shown, text},
    overlay::Overlay,
    quantity::bytes,
    workload::Workload,
};

/// What a process must ask for and what it must be let have at least, bytes, where its programs may take more than they
/// did while it was measured; and why.
const PEAKS: [(&str, u64, u64, &str); 3] = [
    ("asset", 0, 1536 << 20, PHOTO),
    ("render", 0, 1536 << 20, PHOTO),
    (
        "stitch",
        1 << 30,
        3 << 30,
        "it encodes two at a time, each in some 430 MB with two threads, and may have more of them",
    ),
];
const PHOTO: &str = "one photo of 100 megapixels may take 841 MB in ffmpeg, beside the process";

const KINDS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

pub(super) fn present(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        for container in workload.all_containers() {
            for side in ["requests", "limits"] {
                let lacking = KINDS
                    .into_iter()
                    .filter(|kind| at(container, &format!("/resources/{side}/{kind}")).is_null());
                for kind in lacking {
                    let what = format!("container {}: no {side} for {kind}", text(container, "/name"));
                    found.push(Finding::new(rule, workload.subject(), what));
                }
            }
        }
    }
    found
}

/// An amount of a container, bytes; 0 when it is not there.
pub(super) fn amount(container: &Value, side: &str, kind: &str) -> u64 {
    bytes(&shown(at(container, &format!("/resources/{side}/{kind}")))).unwrap_or(0)
}

pub(super) fn measured(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.servers() {
        let Some(&most) = facts.measured.get(workload.name()) else { continue };
        for container in workload.containers() {
            let mut wrong = |side: &str, least: u64| {
                if amount(container, side, "memory") < least {
                    let what = format!(
                        "memory {side} are below {} MB; with its programs it took {} MB (docs/PERFORMANCE.md)",
                        least / 1_000_000,
                        most / 1_000_000
                    );
                    found.push(Finding::new(rule, workload.subject(), what));
                }
            };
            wrong("requests", most);
            wrong("limits", most * 2);
            found.extend(peaks(rule, workload, container));
        }
    }
    found
}

fn peaks(rule: &'static str, workload: Workload<'_>, container: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    for (_, requests, limits, why) in PEAKS.into_iter().filter(|peak| peak.0 == workload.name()) {
        for (side, least) in [("requests", requests), ("limits", limits)] {
            if amount(container, side, "memory") < least {
                let what = format!("memory {side} are below {} Mi: {why}", least >> 20);
                found.push(Finding::new(rule, workload.subject(), what));
            }
        }
    }
    found
}
