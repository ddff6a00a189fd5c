//! A job's events as the log stores them.

use std::sync::LazyLock;

use eventlog::{Meta, NewEvent, StoredEvent, Upcasters};
use jiff::Timestamp;
use job_domain::{JobEvent, JobId, event::SCHEMA_VERSION, event::UnreadableEvent, keys::Key};
use telemetry::{
    Subject,
    trace::{Span, span},
};
use uuid::Uuid;

/// The steps from the schema versions of old to today's, by kind. Every kind is at its first version yet.
static UPCASTERS: LazyLock<Upcasters> = LazyLock::new(Upcasters::new);

/// Actor of what a person asks for.
const API: &str = "api";

/// Who asks for something, as far as the log remembers it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The command or the message that leads to the events.
    pub cause: Option<String>,
    /// A worker, the service itself, or the API.
    pub actor: &'static str,
    /// The trace that it is part of; without one it goes on in the job's own.
    pub traceparent: Option<String>,
}

impl Origin {
    /// A request through the API, under its idempotency key if it has one, in the current trace.
    #[must_use]
    pub fn api(command_id: &str) -> Self {
        let cause = (!command_id.is_empty()).then(|| command_id.to_owned());
        Self { cause, actor: API, traceparent: kit::trace::traceparent() }
    }

    /// Bringing over what older databases hold.
    #[must_use]
    pub fn import() -> Self {
        Self { cause: None, actor: "import", traceparent: kit::trace::traceparent() }
    }

    /// The service itself.
    #[must_use]
    pub fn runner() -> Self {
        Self { actor: "job", ..Self::default() }
    }

    /// The one who watches over all jobs.
    #[must_use]
    pub fn watchdog() -> Self {
        Self { actor: "watchdog", ..Self::default() }
    }

    /// The origin as it is stored with events that happen now: where its work stands, or else where the job's does.
    #[must_use]
    pub fn meta(&self, job: JobId, lineage: &Lineage) -> Meta {
        Meta {
            correlation_id: lineage.correlation.clone().unwrap_or_else(|| job_domain::keys::stream(job)),
            causation_id: self.cause.clone(),
            traceparent: self.traceparent.clone().or_else(|| lineage.traceparent.clone()),
            actor: self.actor.to_owned(),
        }
    }
}

/// What joins a job's events to the requests that led to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// Where the newest request from outside stands in the job's trace: the work that it leads to goes on there.
    pub traceparent: Option<String>,
    /// Correlation id of the request that made the job.
    pub correlation: Option<String>,
}

impl Lineage {
    /// Takes up an event of the job.
    pub fn follow(&mut self, meta: &Meta) {
        if meta.traceparent.is_some() && (meta.actor == API || self.traceparent.is_none()) {
            self.traceparent.clone_from(&meta.traceparent);
        }
        self.correlation.get_or_insert_with(|| meta.correlation_id.clone());
    }

    /// The span of a request on the job: in the job's own trace, joined with the request's. One that has no trace yet goes on in
    /// the request's.
    pub(crate) fn joined(&self, origin: &Origin, job: JobId) -> Span {
        let (own, request) = (self.traceparent.as_deref(), origin.traceparent.as_deref());
        let trace = |traceparent: &str| traceparent.split('-').nth(1).map(str::to_owned);
        let apart = own.and_then(trace) != request.and_then(trace);
        let (parent, link) = match (own, request) {
            (Some(own), Some(request)) if apart => (Some(own), Some(request)),
            (own, request) => (request.or(own), None),
        };
        span("carry out command").under(parent).link(link).about(Subject::job(i64::from(job))).start()
    }
}

/// An event to be stored.
#[must_use]
pub fn new(event: &JobEvent, meta: &Meta, at: Timestamp) -> NewEvent {
    NewEvent::new(Uuid::now_v7(), event.kind(), event.to_data(), at)
        .schema_version(SCHEMA_VERSION)
        .meta(meta.clone())
}

/// A stored event of any version, read with today's code.
///
/// # Errors
/// The kind is unknown or the data does not fit it.
pub fn read(stored: &StoredEvent) -> Result<JobEvent, UnreadableEvent> {
    read_with(&UPCASTERS, stored)
}

fn read_with(upcasters: &Upcasters, stored: &StoredEvent) -> Result<JobEvent, UnreadableEvent> {
    let unreadable = |source| UnreadableEvent { kind: stored.kind.clone(), source };
    let today = upcasters.apply(stored).map_err(unreadable)?;
    JobEvent::from_stored(&today.kind, today.data.as_str())
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

#[cfg(test)]
mod tests {
    use kit::trace::TraceContext;
    use serde_json::{Value, json};

    use super::*;

    fn stored(schema_version: u32, data: Value) -> StoredEvent {
        StoredEvent {
            id: Uuid::nil(),
            stream: "job-43".to_owned(),
            version: 1,
            position: 1,
            kind: "JobFailed".to_owned(),
            schema_version,
            data: data.into(),
            meta: Meta::default(),
            recorded_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// As if version 1 had called the reason `why`.
    fn renamed(mut data: Value) -> Value {
        if let Some(why) = data.as_object_mut().and_then(|object| object.remove("why")) {
            data["reason"] = why;
        }
        data
    }

    #[test]
    fn an_event_of_an_old_version_is_read_as_todays() {
        let upcasters = Upcasters::new().register("JobFailed", 1, renamed);
        let wanted = JobEvent::JobFailed { cut: 1, reason: "no clips".to_owned() };
        let old = stored(1, json!({ "cut": 1, "why": "no clips" }));
        assert_eq!(read_with(&upcasters, &old).unwrap(), wanted);
        let new = stored(2, json!({ "cut": 1, "reason": "no clips" }));
        assert_eq!(read_with(&upcasters, &new).unwrap(), wanted);
    }

    #[test]
    fn a_job_goes_on_where_its_newest_request_stands() {
        let meta = |actor: &str, trace: Option<&str>, correlation: &str| Meta {
            actor: actor.to_owned(),
            traceparent: trace.map(str::to_owned),
            correlation_id: correlation.to_owned(),
            causation_id: None,
        };
        let mut lineage = Lineage::default();
        for event in [
            meta("api", Some("create"), "request-1"),
            meta("render", Some("late"), "request-2"),
            meta("api", None, "request-3"),
        ] {
            lineage.follow(&event);
            assert_eq!(lineage.traceparent.as_deref(), Some("create"));
        }
        lineage.follow(&meta("api", Some("approve"), "request-4"));
        let wanted = (Some("approve"), Some("request-1"));
        assert_eq!((lineage.traceparent.as_deref(), lineage.correlation.as_deref()), wanted);
    }

    #[test]
    fn a_request_on_a_job_is_part_of_the_jobs_trace_whatever_trace_the_request_has() {
        let traceparent = || TraceContext::root().to_string();
        let trace = |text: &str| text[3..35].to_owned();
        let (own, request) = (traceparent(), traceparent());
        let lineage = |own: Option<&String>| Lineage { traceparent: own.cloned(), correlation: None };
        let origin = |request: Option<&String>| Origin { traceparent: request.cloned(), ..Origin::runner() };
        let joined = |own, request| {
            let span = lineage(own).joined(&origin(request), 7);
            trace(&span.traceparent().unwrap())
        };
        assert_eq!(joined(Some(&own), Some(&request)), trace(&own));
        assert_eq!(joined(Some(&own), None), trace(&own));
        assert_eq!(joined(None, Some(&request)), trace(&request), "a job without a trace");
    }
}
