//! How much of an account with a provider is in use.

use telemetry::{
    KeyValue,
    metrics::{SLOTS_LIMIT, SLOTS_USED, key},
};

/// The slots of an account for one kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Predictions that may be in flight at the provider.
    pub used: u64,
    /// How many may be.
    pub limit: u32,
}

impl Slots {
    /// Tells the metrics that these are slots at `provider` for this work.
    pub fn tell(&self, provider: &'static str, work: &'static str) {
        let attributes = [KeyValue::new(key::PROVIDER, provider), KeyValue::new(key::WORK, work)];
        SLOTS_USED.set_count(self.used, &attributes);
        SLOTS_LIMIT.set_count(self.limit.into(), &attributes);
    }
}
