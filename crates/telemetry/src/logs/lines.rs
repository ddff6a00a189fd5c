//! How a log event becomes a line.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Compact, Format, Writer},
    },
    registry::LookupSpan,
};

use crate::{subject::Subject, trace};

/// Lines for a person: the compact form, and behind it what the work is for.
#[derive(Debug)]
pub(super) struct Text(Format<Compact>);

impl Default for Text {
    fn default() -> Self {
        Self(Format::default().compact().with_target(true).with_ansi(false))
    }
}

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        write!(to, "{}", line.trim_end_matches('\n'))?;
        for (name, value) in Subject::current().iter().flat_map(Subject::facts) {
            // The key says job, scene and take already.
            if name == "key" || name == "job" {
                write!(to, " {name}={value}")?;
            }
        }
        if let Some(context) = trace::current() {
            write!(to, " trace_id={}", context.trace_id())?;
        }
        writeln!(to)
    }
}

/// Lines for machines.
#[derive(Debug)]
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line::default();
        line.put("timestamp", now());
        line.put("level", event.metadata().level().to_string());
        event.record(&mut line);
        line.put("target", event.metadata().target());
        if let Some(context) = trace::current() {
            line.put("trace_id", context.trace_id());
            line.put("span_id", context.span_id());
        }
        for (name, value) in Subject::current().iter().flat_map(Subject::facts) {
            // What the event says itself is nearer.
            line.0.entry(name).or_insert_with(|| value.into());
        }
        writeln!(to, "{}", Value::Object(line.0))
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "log lines have the machine's time, whatever a test has made of ours"
)]
fn now() -> String {
    Timestamp::now().to_string()
}

/// The fields of a line.
#[derive(Default)]
struct Line(Map<String, Value>);

impl Line {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), format!("{value:?}"));
    }
}
