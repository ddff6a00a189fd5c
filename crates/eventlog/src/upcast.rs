//! Upcasters: old events in the shape that today's code reads.

use std::collections::HashMap;

use serde_json::Value;

use crate::StoredEvent;

/// Turns the data of one schema version into that of the next.
pub type Upcast = fn(Value) -> Value;

/// The steps from every old schema version to the newest, by event kind.
#[derive(Debug, Clone, Default)]
pub struct Upcasters {
    steps: HashMap<(String, u32), Upcast>,
}

impl Upcasters {
    /// No steps: every event is in its newest shape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the step from `from_version` to the version after it.
    #[must_use]
    pub fn register(mut self, kind: impl Into<String>, from_version: u32, step: Upcast) -> Self {
        self.steps.insert((kind.into(), from_version), step);
        self
    }

    /// The event after all the steps that its version needs. Everything but `data` and `schema_version` stays.
    #[must_use]
    pub fn apply(&self, mut event: StoredEvent) -> StoredEvent {
        while let Some(step) = self.steps.get(&(event.kind.clone(), event.schema_version)) {
            event.data = step(event.data);
            event.schema_version += 1;
        }
        event
    }
}
