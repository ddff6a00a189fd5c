//! Where pods may write.

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, list, shown, text},
    overlay::Overlay,
    quantity::bytes,
    rules::resources::amount,
};

pub(super) fn scratch(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        let volumes = list(workload.pod(), "/volumes");
        let scratch: Vec<_> = volumes.iter().filter(|volume| !at(volume, "/emptyDir").is_null()).collect();
        let mut all = 0;
        for volume in &scratch {
            match bytes(&shown(at(volume, "/emptyDir/sizeLimit"))) {
                Some(size) => all += size,
                None => wrong(format!("volume {} has no sizeLimit", text(volume, "/name"))),
            }
        }
        let limit: u64 =
            workload.containers().iter().map(|one| amount(one, "limits", "ephemeral-storage")).sum();
        if limit < all {
            wrong(format!("its scratch volumes take up to {all} bytes, its limit of disk is {limit}"));
        }
        for container in workload.containers() {
            let told = workload.environment(overlay, container);
            let Some(most) = told.get("SCRATCH_LIMIT") else { continue };
            match bytes(most) {
                // What is written besides, and what the file system keeps for itself.
                Some(most) if most + most / 100 <= all => {}
                _ => wrong(format!(
                    "SCRATCH_LIMIT={most} leaves nothing free of its scratch volumes: {all} bytes"
                )),
            }
        }
        let is_scratch = |name: &str| scratch.iter().any(|volume| text(volume, "/name") == name);
        let at_tmp = workload.containers().iter().all(|container| {
            let mounts = list(container, "/volumeMounts").iter();
            mounts
                .filter(|mount| text(mount, "/mountPath") == "/tmp")
                .any(|mount| is_scratch(text(mount, "/name")))
        });
        if workload.is_process() && !at_tmp {
            wrong("has no scratch volume at /tmp, where its process writes".into());
        }
    }
    found
}
