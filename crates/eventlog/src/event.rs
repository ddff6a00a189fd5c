//! Events before and after they are stored.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Data;

/// Where an event comes from: what it belongs to, what caused it and who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Joins everything that one request from outside led to.
    pub correlation_id: String,
    /// The id of the command or message that led straight to this event.
    pub causation_id: Option<String>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
    /// Who did it: an API key's name, or the service itself.
    pub actor: String,
}

/// An event that is not stored yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// UUIDv7, made by the caller; storing the same id twice is refused.
    pub id: Uuid,
    /// Name of the event, for example `JobApproved`.
    pub kind: String,
    /// Version of the shape of `data`, from 1.
    pub schema_version: u32,
    /// The facts.
    pub data: Data,
    /// Where it comes from.
    pub meta: Meta,
    /// When it happened, by the caller's clock; kept to the microsecond.
    pub recorded_at: Timestamp,
}

impl NewEvent {
    /// An event of schema version 1 without meta data.
    pub fn new(id: Uuid, kind: impl Into<String>, data: impl Into<Data>, recorded_at: Timestamp) -> Self {
        let data = data.into();
        Self { id, kind: kind.into(), schema_version: 1, data, meta: Meta::default(), recorded_at }
    }

    /// Sets the version of the shape of `data`.
    #[must_use]
    pub fn schema_version(mut self, schema_version: u32) -> Self {
        self.schema_version = schema_version;
        self
    }

    /// Sets where the event comes from.
    #[must_use]
    pub fn meta(mut self, meta: Meta) -> Self {
        self.meta = meta;
        self
    }
}

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The event's id (UUIDv7).
    pub id: Uuid,
    /// The stream it belongs to.
    pub stream: String,
    /// Its number in the stream, from 1, without gaps.
    pub version: i64,
    /// Its place in the whole log; grows in the order of commits.
    pub position: i64,
    /// Name of the event.
    pub kind: String,
    /// Version of the shape of `data`.
    pub schema_version: u32,
    /// The facts.
    pub data: Data,
    /// Where it comes from.
    pub meta: Meta,
    /// When it happened.
    pub recorded_at: Timestamp,
}
