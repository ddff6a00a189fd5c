//! Upcasters: old events in the shape that today's code reads.

use std::{borrow::Cow, collections::HashMap};

use serde_json::Value;

use crate::{Data, StoredEvent};

/// Turns the data of one schema version into that of the next.
pub type Upcast = fn(Value) -> Value;

/// The steps from every old schema version to the newest, by event kind.
#[derive(Debug, Clone, Default)]
pub struct Upcasters {
    steps: HashMap<String, HashMap<u32, Upcast>>,
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
        self.steps.entry(kind.into()).or_default().insert(from_version, step);
        self
    }

    /// The event after all the steps that its version needs; one in its newest shape is given back as it is, unread.
    /// Everything but `data` and `schema_version` stays.
    ///
    /// # Errors
    /// When the data of an event that needs a step is no JSON.
    pub fn apply<'a>(&self, event: &'a StoredEvent) -> Result<Cow<'a, StoredEvent>, serde_json::Error> {
        let steps = self.steps.get(&event.kind);
        let step = |version| steps.and_then(|steps| steps.get(&version));
        let Some(mut next) = step(event.schema_version) else { return Ok(Cow::Borrowed(event)) };
        let (mut value, mut version) = (event.data.value()?, event.schema_version);
        loop {
            value = next(value);
            version += 1;
            match step(version) {
                Some(another) => next = another,
                None => break,
            }
        }
        let today = StoredEvent { data: Data::from(value), schema_version: version, ..event.clone() };
        Ok(Cow::Owned(today))
    }
}
