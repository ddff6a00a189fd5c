//! Whether a process wants to be sent work.
//!
//! A process that is to stop first says that it is not ready, so that balancers turn to its replicas, and only
//! then stops accepting. The gRPC health service and the gateway's readiness route show it.

use std::sync::Arc;

use tokio::sync::watch;

/// A switch that all of a process share: ready until [`Readiness::withdraw`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<bool>>);

impl Readiness {
    /// Ready.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }

    /// Whether work is wanted.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.0.borrow()
    }

    /// From now on no work is wanted; what is under way goes on.
    pub fn withdraw(&self) {
        self.0.send_replace(false);
    }

    /// Waits until no work is wanted.
    pub async fn withdrawn(&self) {
        let mut ready = self.0.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = ready.wait_for(|ready| !*ready).await;
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}
