//! Who a pod is to the cluster's API: somebody without a token.

use serde_json::json;

use crate::{
    facts::Facts,
    finding::Finding,
    object::{at, text},
    overlay::Overlay,
};

pub(super) fn accounts(rule: &'static str, overlay: &Overlay, _: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    for workload in overlay.workloads() {
        let pod = workload.pod();
        let mut wrong = |what: String| found.push(Finding::new(rule, workload.subject(), what));
        let own = if workload.is_job() { "migrate" } else { workload.name() };
        let account = text(pod, "/serviceAccountName");
        if account != own {
            wrong(format!("runs under the account {account:?} and not under {own}"));
        }
        if at(pod, "/automountServiceAccountToken") != &json!(false) {
            wrong("automountServiceAccountToken is not false".into());
        }
        // Variables for every service of the namespace, which might be taken for settings.
        if at(pod, "/enableServiceLinks") != &json!(false) {
            wrong("enableServiceLinks is not false".into());
        }
        match overlay.named("ServiceAccount", own) {
            None => wrong(format!("there is no ServiceAccount {own}")),
            Some(account) if at(account, "/automountServiceAccountToken") != &json!(false) => {
                wrong(format!("ServiceAccount/{own} hands out its token"));
            }
            Some(_) => {}
        }
    }
    found
}
