//! What is told of an append: how many events of which kind, how long it took, and a span of its own when it is part of a
//! trace.

use std::time::{Duration, Instant};

use telemetry::{
    KeyValue,
    metrics::{APPEND_DURATION, EVENTS_APPENDED, key},
    trace::{self, Span, span},
};

use crate::{Append, AppendError, Appended, LogError, is_away};

/// An append under way. One whose future is dropped is not told: nobody knows whether it was stored.
#[derive(Debug)]
pub(crate) struct Telling {
    kinds: Vec<String>,
    /// None for an append that is no part of a trace: it does not begin one.
    span: Option<Span>,
    began: Instant,
}

impl Telling {
    pub(crate) fn begin(append: &Append) -> Self {
        let kinds: Vec<String> = append.events.iter().map(|event| event.kind.clone()).collect();
        let span = trace::current().map(|_| {
            let events = i64::try_from(kinds.len()).unwrap_or(i64::MAX);
            let span = span("append").with("filmstrip.log.stream", append.stream.clone());
            span.with("filmstrip.log.events", events).start()
        });
        Self { kinds, span, began: Instant::now() }
    }

    /// The kinds of the events, in their order.
    pub(crate) fn kinds(&self) -> &[String] {
        &self.kinds
    }

    pub(crate) fn ended(&self, outcome: &Result<Appended, AppendError>) {
        measure(&self.kinds, outcome, self.began.elapsed());
        let Some(span) = &self.span else { return };
        match outcome {
            Ok(appended) => span.set("filmstrip.log.version", appended.last_version),
            Err(error) => {
                span.set(key::ERROR, kind(error));
                // Its own text may quote what the tables hold.
                if !matches!(error, AppendError::Repeated(_)) {
                    span.fail(kind(error));
                }
            }
        }
    }
}

fn measure(kinds: &[String], outcome: &Result<Appended, AppendError>, took: Duration) {
    match outcome {
        Ok(_) => {
            APPEND_DURATION.took(took, &[]);
            for kind in kinds {
                EVENTS_APPENDED.add(1, &[KeyValue::new(key::EVENT, kind.clone())]);
            }
        }
        Err(error) => APPEND_DURATION.took(took, &[KeyValue::new(key::ERROR, kind(error))]),
    }
}

/// What kind of failure it was, in one word.
fn kind(error: &AppendError) -> &'static str {
    match error {
        AppendError::Conflict { .. } => "conflict",
        AppendError::Constraint(_) => "constraint",
        AppendError::DuplicateEvent(_) => "duplicate",
        AppendError::Repeated(_) => "repeated",
        AppendError::Reused => "reused",
        AppendError::Empty => "empty",
        AppendError::Log(LogError::Closed) => "closed",
        AppendError::Log(error) if is_away(error) => "away",
        AppendError::Log(_) => "database",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expected;

    #[test]
    fn a_refusal_has_one_word_that_quotes_nothing() {
        let conflict = AppendError::Conflict { stream: "a".into(), expected: Expected::NoStream, actual: 1 };
        for (error, word) in [
            (conflict, "conflict"),
            (AppendError::Constraint("Key (name)=(hush) exists".into()), "constraint"),
            (AppendError::Repeated(b"hush".to_vec()), "repeated"),
            (AppendError::Log(LogError::Closed), "closed"),
            (AppendError::Log(LogError::database("appending", "no such table")), "database"),
        ] {
            assert_eq!(kind(&error), word);
        }
    }

    #[tokio::test]
    async fn an_append_is_a_span_only_as_a_part_of_a_trace() {
        let append = Append::to("a");
        assert!(Telling::begin(&append).span.is_none());
        let request = span("request").root().start();
        let of_request =
            request.run(async { Telling::begin(&append).span.unwrap().context().unwrap() }).await;
        assert_eq!(of_request.trace_id(), request.context().unwrap().trace_id());
    }
}
