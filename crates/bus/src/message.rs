//! Published messages, and the translation that makes them from stored events.

use eventlog::StoredEvent;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use telemetry::trace::TraceContext;
use uuid::Uuid;

use crate::subjects;

/// A published message, as a consumer gets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Id of the stored event that it was made from; consumers may drop an id they have seen.
    pub id: Uuid,
    /// The service that published it, for example `render`.
    pub source: String,
    /// `filmstrip.<source>.v1.<entity>.<name>`.
    pub subject: String,
    /// What it is about; messages of one entity arrive in their order.
    pub entity: String,
    /// What happened, for example `render_finished`.
    pub name: String,
    /// Position of the stored event in the producer's log.
    pub position: i64,
    /// When it happened, by the producer's clock.
    pub recorded_at: Timestamp,
    /// W3C trace context to go on under: as published, that of the span that its event was stored in; as a handler gets
    /// it, that of the span in which it is handled, of the same trace.
    pub traceparent: Option<String>,
    /// Joins everything that one request from outside led to.
    pub correlation_id: String,
    /// The published message in the JSON form of proto3.
    pub data: Value,
}

/// What a producer publishes for a stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// What it is about: one token of a subject.
    pub entity: String,
    /// What happened, in snake case.
    pub name: String,
    /// The message in the JSON form of proto3.
    pub data: Value,
}

impl Published {
    /// A message whose JSON form is what serde makes of `message`.
    ///
    /// # Errors
    /// When the message has no JSON form.
    pub fn new(
        entity: impl Into<String>,
        name: impl Into<String>,
        message: &impl Serialize,
    ) -> Result<Self, TranslateError> {
        let data = serde_json::to_value(message).map_err(TranslateError::new)?;
        Ok(Self { entity: entity.into(), name: name.into(), data })
    }
}

/// Turns a stored event into what is published for it; `None` when it is nobody else's business.
pub type Translate = fn(&StoredEvent) -> Result<Option<Published>, TranslateError>;

/// A stored event that its own service cannot read. It holds up every subscription to the service until a
/// build that can read it is running: skipping it would lose it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct TranslateError {
    reason: String,
}

impl TranslateError {
    /// An error with its reason.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

impl Message {
    /// The message for a stored event of `source`, if it is published at all.
    ///
    /// # Errors
    /// When the translation fails or names an entity that does not fit into a subject.
    pub fn translate(
        source: &str,
        translate: Translate,
        event: &StoredEvent,
    ) -> Result<Option<Self>, TranslateError> {
        let Some(Published { entity, name, data }) = translate(event)? else { return Ok(None) };
        let subject = subjects::subject(source, &entity, &name).map_err(TranslateError::new)?;
        Ok(Some(Self {
            id: event.id,
            source: source.to_owned(),
            subject,
            entity,
            name,
            position: event.position,
            recorded_at: event.recorded_at,
            traceparent: event.meta.traceparent.clone(),
            correlation_id: event.meta.correlation_id.clone(),
            data,
        }))
    }

    /// Its trace context, if that is one.
    pub(crate) fn parent(&self) -> Option<&str> {
        self.traceparent.as_deref().filter(|text| text.parse::<TraceContext>().is_ok())
    }
}
