//! Whether a process wants to be sent work.
//!
//! A process that is to stop first says that it is not ready, so that balancers turn to its replicas, and only
//! then stops accepting. One whose database is away says so as well, and takes it back. The gRPC health service and
//! the gateway's readiness route show it.

use std::{collections::BTreeMap, sync::Arc};

use telemetry::{
    KeyValue,
    metrics::{DEPENDENCY_UP, key},
};
use tokio::sync::watch;

/// A switch that all of a process share: ready until [`Readiness::withdraw`], but for the times when something that
/// it needs is away. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<State>>);

/// What is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    withdrawn: bool,
    dependencies: BTreeMap<&'static str, Dependency>,
}

/// Something that a process works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Whether it is there.
    pub there: bool,
    /// Whether a process without it is better sent no work.
    pub needed: bool,
}

impl State {
    pub(crate) fn is_ready(&self) -> bool {
        !self.withdrawn && self.dependencies.values().all(|on| on.there || !on.needed)
    }

    /// Each dependency, and whether it is there.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = (&'static str, bool)> {
        self.dependencies.iter().map(|(name, on)| (*name, on.there))
    }
}

impl Readiness {
    /// Ready.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }

    /// Whether work is wanted.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.borrow().is_ready()
    }

    /// From now on no work is wanted; what is under way goes on.
    pub fn withdraw(&self) {
        self.0.send_modify(|state| state.withdrawn = true);
    }

    /// Waits until no work will be wanted any more.
    pub async fn withdrawn(&self) {
        let mut states = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = states.wait_for(|state| state.withdrawn).await;
    }

    /// Tells how a dependency is; whether that is news.
    pub fn tell(&self, name: &'static str, dependency: Dependency) -> bool {
        DEPENDENCY_UP.set_count(u64::from(dependency.there), &[KeyValue::new(key::DEPENDENCY, name)]);
        self.0.send_if_modified(|state| state.dependencies.insert(name, dependency) != Some(dependency))
    }

    pub(crate) fn states(&self) -> watch::Receiver<State> {
        self.0.subscribe()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: Dependency = Dependency { there: true, needed: true };
    const AWAY: Dependency = Dependency { there: false, needed: true };

    #[test]
    fn a_process_without_what_it_needs_is_not_ready_until_that_is_back() {
        let readiness = Readiness::new();
        assert!(readiness.is_ready());
        assert!(readiness.tell("database", AWAY) && !readiness.is_ready());
        assert!(!readiness.tell("database", AWAY), "no news");
        assert!(readiness.tell("database", THERE) && readiness.is_ready());
    }

    #[test]
    fn what_it_can_do_without_is_only_reported() {
        let readiness = Readiness::new();
        assert!(readiness.tell("nats", Dependency { there: false, needed: false }));
        assert!(readiness.is_ready());
        assert_eq!(readiness.states().borrow().dependencies().collect::<Vec<_>>(), [("nats", false)]);
    }

    #[tokio::test]
    async fn what_is_withdrawn_does_not_come_back() {
        let readiness = Readiness::new();
        readiness.withdraw();
        readiness.withdrawn().await;
        readiness.tell("database", AWAY);
        readiness.tell("database", THERE);
        assert!(!readiness.is_ready());
    }
}
