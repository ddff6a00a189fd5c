//! Stored events: what happened to a product. One stream per product, named by its key.

use std::sync::LazyLock;

use eventlog::{Data, Meta, NewEvent, StoredEvent, Upcasters};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::product::{Kind, Made, Request};

/// The steps from the schema versions of old to today's, by kind. Every kind is at its first version yet.
static UPCASTERS: LazyLock<Upcasters> = LazyLock::new(Upcasters::new);

/// Something that happened to a product. One variant is one event kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It is wanted.
    ProductRequested(Request),
    /// An attempt failed through no fault of the input; there will be another.
    ProductAttemptFailed {
        /// Which product.
        of: Of,
        /// What went wrong.
        reason: String,
        /// When the next attempt is due.
        retry_at: Timestamp,
    },
    /// It is in the object store.
    ProductFinished {
        /// Which product.
        of: Of,
        /// The result.
        made: Made,
    },
    /// It cannot be made.
    ProductFailed {
        /// Which product.
        of: Of,
        /// What was wrong and what to do.
        reason: String,
    },
    /// It is not wanted any more; on an unknown key this is a tombstone.
    ProductCanceled {
        /// Which product.
        of: Of,
        /// Why, in the asker's words.
        reason: String,
    },
}

/// Which product an event is about, so that every event can be read alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// Its key.
    pub key: String,
    /// Cut or mix.
    pub kind: Kind,
    /// The job.
    pub job_id: i32,
}

impl Event {
    /// Name of the event.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ProductRequested(_) => "ProductRequested",
            Self::ProductAttemptFailed { .. } => "ProductAttemptFailed",
            Self::ProductFinished { .. } => "ProductFinished",
            Self::ProductFailed { .. } => "ProductFailed",
            Self::ProductCanceled { .. } => "ProductCanceled",
        }
    }

    /// Which product it is about.
    #[must_use]
    pub fn of(&self) -> Of {
        match self {
            Self::ProductRequested(Request { key, job_id, input, .. }) => {
                Of { key: key.clone(), kind: input.kind(), job_id: *job_id }
            }
            Self::ProductAttemptFailed { of, .. }
            | Self::ProductFinished { of, .. }
            | Self::ProductFailed { of, .. }
            | Self::ProductCanceled { of, .. } => of.clone(),
        }
    }

    /// The event as it is stored: its members only, the kind beside them.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn to_stored(&self, at: Timestamp) -> Result<NewEvent, serde_json::Error> {
        let data = serde_json::to_value(self)?.get(self.kind()).cloned().unwrap_or(Value::Null);
        let meta = Meta {
            correlation_id: format!("job-{}", self.of().job_id),
            causation_id: None,
            traceparent: kit::trace::traceparent(),
            actor: "stitch".to_owned(),
        };
        Ok(NewEvent::new(Uuid::now_v7(), self.kind(), data, at).meta(meta))
    }

    /// A stored event of any version, read with today's code.
    ///
    /// # Errors
    /// The kind or its data is not one of ours.
    pub fn read(stored: &StoredEvent) -> Result<Self, serde_json::Error> {
        Self::read_with(&UPCASTERS, stored)
    }

    fn read_with(upcasters: &Upcasters, stored: &StoredEvent) -> Result<Self, serde_json::Error> {
        let today = upcasters.apply(stored)?;
        Self::from_stored(&today.kind, &today.data)
    }

    /// The event that is stored under this kind in today's shape.
    ///
    /// # Errors
    /// The kind or its data is not one of ours.
    pub fn from_stored(kind: &str, data: &Data) -> Result<Self, serde_json::Error> {
        data.read_variant(kind)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As if version 1 had called the reason `why`.
    fn renamed(mut data: Value) -> Value {
        if let Some(why) = data.as_object_mut().and_then(|object| object.remove("why")) {
            data["reason"] = why;
        }
        data
    }

    #[test]
    fn an_event_of_an_old_version_is_read_as_todays() {
        let of = Of { key: "job-43/cut-1".to_owned(), kind: Kind::Cut, job_id: 43 };
        let stored = StoredEvent {
            id: Uuid::nil(),
            stream: of.key.clone(),
            version: 2,
            position: 2,
            kind: "ProductCanceled".to_owned(),
            schema_version: 1,
            data: json!({ "of": of, "why": "no more" }).into(),
            meta: Meta::default(),
            recorded_at: Timestamp::UNIX_EPOCH,
        };
        let upcasters = Upcasters::new().register("ProductCanceled", 1, renamed);
        let wanted = Event::ProductCanceled { of, reason: "no more".to_owned() };
        assert_eq!(Event::read_with(&upcasters, &stored).unwrap(), wanted);
    }
}
