//! How long a pod is given between being told to stop and being killed.

use crate::{
    facts::Facts, finding::Finding, object::at, overlay::Overlay, quantity::seconds, rules::rollout::NAMES,
};

/// What others than our processes are given at least, seconds.
const OTHERS: u64 = 40;

/// What a process is given beyond its delay and its grace, seconds: to end, and for the machine's part in it.
const MARGIN: u64 = 10;

pub(super) fn stopping(rule: &'static str, overlay: &Overlay, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let Some(container) = workload.containers().first() else { continue };
        let environment = workload.environment(overlay, container);
        let setting = |variable: &str| {
            let set = environment.get(variable).copied();
            seconds(set.unwrap_or_else(|| facts.default(workload.name(), variable)))
        };
        // They are found by name, and called until their name is forgotten.
        if workload.component() == "service" && setting("STOP_DELAY").is_some_and(|delay| delay < NAMES) {
            let what =
                format!("STOP_DELAY is less than the {NAMES} s for which callers may go on calling it");
            found.push(Finding::new(rule, workload.subject(), what));
        }
        let needed = match (workload.is_process(), setting("STOP_DELAY"), setting("STOP_GRACE")) {
            (false, ..) => OTHERS,
            (true, Some(delay), Some(grace)) => delay + grace + MARGIN,
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
