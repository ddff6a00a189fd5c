//! The jobs that bring the databases up to date.

use crate::{
    facts::{Facts, PROCESSES},
    finding::Finding,
    object::{at, text, texts},
    overlay::Overlay,
    workload::Workload,
};

pub(super) fn migrations(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for service in PROCESSES.into_iter().filter(|process| *process != "gateway") {
        let name = format!("{service}-migrate");
        let Some(job) = overlay.named("Job", &name).map(Workload::new) else {
            found.push(Finding::new(rule, format!("Job/{name}"), "is not there"));
            continue;
        };
        let mut wrong = |what: &str| found.push(Finding::new(rule, job.subject(), what));
        let number = |pointer: &str| at(job.object, pointer).as_u64();
        if job.containers().len() != 1 || texts(job.pod(), "/containers/0/args") != ["migrate"] {
            wrong("does not run the one command `migrate`");
        }
        if text(job.pod(), "/restartPolicy") != "OnFailure" {
            wrong("is not tried again when it fails (restartPolicy)");
        }
        if number("/spec/backoffLimit").is_none_or(|tries| tries < 3) {
            wrong("gives up before a database that starts has started (backoffLimit)");
        }
        if number("/spec/activeDeadlineSeconds").is_none() {
            wrong("may run for ever (activeDeadlineSeconds)");
        }
        // A job cannot be changed: the next version's can be made only when this one has gone.
        if number("/spec/ttlSecondsAfterFinished").is_none() {
            wrong("stays for ever when it is done (ttlSecondsAfterFinished)");
        }
        if text(job.object, "/metadata/labels/app.kubernetes.io~1component") != "migration" {
            wrong("cannot be chosen by app.kubernetes.io/component=migration");
        }
    }
    found
}
