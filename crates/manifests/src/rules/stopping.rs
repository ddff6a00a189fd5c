//! How long a pod is given between being told to stop and being killed.

use crate::{facts::Facts, finding::Finding, object::at, overlay::Overlay, quantity::seconds};

/// What others than our processes are given at least, seconds.
const OTHERS: u64 = 40;

pub(super) fn stopping(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let Some(container) = workload.containers().first() else { continue };
        let environment = workload.environment(overlay, container);
        let setting = |variable: &str| {
            let set = environment.get(variable).copied();
            seconds(set.unwrap_or_else(|| facts.default(workload.name(), variable)))
        };
        let needed = match (workload.is_process(), setting("STOP_DELAY"), setting("STOP_GRACE")) {
            (false, ..) => OTHERS,
            (true, Some(delay), Some(grace)) => delay + grace + 1,
            (true, ..) => {
                found.push(Finding::new(
                    rule,
                    workload.subject(),
                    "stop.delay or stop.grace is not a duration",
                ));
                continue;
            }
        };
        let given = at(workload.pod(), "/terminationGracePeriodSeconds").as_u64().unwrap_or(0);
        if given < needed {
            let what = format!("terminationGracePeriodSeconds is {given}, and at least {needed} is needed");
            found.push(Finding::new(rule, workload.subject(), what));
        }
    }
    found
}
