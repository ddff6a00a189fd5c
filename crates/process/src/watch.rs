//! Looks while a process runs at what all replicas of a service share, and tells it. Every replica tells the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use eventlog::{Log, lease};
use telemetry::{
    KeyValue,
    metrics::{LEASES_HELD, key},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Tells how many leases of each kind are held in `logs`, those of all services that run in this process, until canceled.
/// While a database is away, what was told last stays.
pub async fn watch(logs: Vec<Log>, cancel: CancellationToken) {
    let watching = async {
        let mut known = BTreeSet::new();
        loop {
            match held(&logs).await {
                Ok(held) => {
                    for (kind, count) in told(&mut known, held) {
                        LEASES_HELD.set_count(count, &[KeyValue::new(key::LEASE, kind)]);
                    }
                }
                Err(error) => tracing::debug!(%error, "counting leases"),
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = watching => {}
    }
}

/// In all logs together: services in one process may have leases of the same kind.
async fn held(logs: &[Log]) -> Result<BTreeMap<String, u64>, eventlog::LogError> {
    let mut all = BTreeMap::new();
    for log in logs {
        for (kind, count) in lease::held(log).await? {
            *all.entry(kind).or_default() += count;
        }
    }
    Ok(all)
}

/// What is to be told: also 0 of a kind of which some were held before.
fn told(known: &mut BTreeSet<String>, held: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    known.extend(held.keys().cloned());
    known.iter().map(|kind| (kind.clone(), held.get(kind).copied().unwrap_or(0))).collect()
}

#[cfg(test)]
mod tests {
    use eventlog::testing::{NO_TABLES, scratch_log};

    use super::*;

    #[test]
    fn a_kind_of_which_none_is_held_any_more_is_told_as_none() {
        let mut known = BTreeSet::new();
        let now = |counts: &[(&str, u64)]| counts.iter().map(|(kind, n)| ((*kind).to_owned(), *n)).collect();
        assert_eq!(told(&mut known, now(&[("relay", 1), ("runner", 3)])).len(), 2);
        let later = told(&mut known, now(&[("relay", 1)]));
        assert_eq!(later, [("relay".to_owned(), 1), ("runner".to_owned(), 0)]);
    }

    #[tokio::test]
    async fn leases_of_one_kind_in_several_logs_are_added_up() {
        let ((one, _first), (other, _second)) =
            (scratch_log(&NO_TABLES).await, scratch_log(&NO_TABLES).await);
        for (log, name) in [(&one, "runner/job-1"), (&one, "cut/job-1"), (&other, "runner/render")] {
            lease::claim(log, name, "a", Duration::from_secs(3600)).await.unwrap().unwrap();
        }
        let counted = [("cut".to_owned(), 1), ("runner".to_owned(), 2)];
        assert_eq!(held(&[one, other]).await.unwrap(), BTreeMap::from(counted));
    }
}
