//! A job's events as the log stores them.

use eventlog::{Meta, NewEvent, StoredEvent};
use jiff::Timestamp;
use job_domain::{JobEvent, JobId, event::SCHEMA_VERSION, event::UnreadableEvent, keys::Key};
use uuid::Uuid;

/// Who asks for something, as far as the log remembers it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The command or the message that leads to the events.
    pub cause: Option<String>,
    /// Joins everything that one request from outside leads to.
    pub correlation: Option<String>,
    /// A worker, the service itself, or the API.
    pub actor: &'static str,
}

impl Origin {
    /// A request through the API, under its idempotency key if it has one.
    #[must_use]
    pub fn api(command_id: &str) -> Self {
        let cause = (!command_id.is_empty()).then(|| command_id.to_owned());
        Self { cause, correlation: None, actor: "api" }
    }

    /// The service itself.
    #[must_use]
    pub fn runner() -> Self {
        Self { actor: "job", ..Self::default() }
    }

    /// The origin as it is stored with events that happen in the current trace.
    #[must_use]
    pub fn meta(&self, job: JobId) -> Meta {
        Meta {
            correlation_id: self.correlation.clone().unwrap_or_else(|| job_domain::keys::stream(job)),
            causation_id: self.cause.clone(),
            traceparent: kit::trace::traceparent(),
            actor: self.actor.to_owned(),
        }
    }
}

/// An event to be stored.
#[must_use]
pub fn new(event: &JobEvent, meta: &Meta, at: Timestamp) -> NewEvent {
    NewEvent::new(Uuid::now_v7(), event.kind(), event.to_data(), at)
        .schema_version(SCHEMA_VERSION)
        .meta(meta.clone())
}

/// A stored event, read with today's code.
///
/// # Errors
/// The kind is unknown or the data does not fit it.
pub fn read(stored: &StoredEvent) -> Result<JobEvent, UnreadableEvent> {
    JobEvent::from_stored(&stored.kind, stored.data.clone())
}

/// The job whose stream it is; none for any other stream.
#[must_use]
pub fn job_of(stream: &str) -> Option<JobId> {
    stream.strip_prefix("job-")?.parse().ok()
}

/// The job that a worker's key belongs to.
#[must_use]
pub fn job_of_key(key: &str) -> Option<JobId> {
    key.parse::<Key>().ok().map(Key::job)
}

/// Milliseconds since 1970, as the domain counts time.
#[must_use]
pub fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}
