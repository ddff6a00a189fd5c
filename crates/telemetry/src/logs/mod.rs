//! Structured logs: one line an event on standard error, with the trace and the subject that the work belongs to.

mod bridge;
mod lines;

use opentelemetry_sdk::logs::SdkLoggerProvider;
use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

pub(crate) use bridge::Subjects;
use lines::{Json, Text};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Text,
    /// One JSON object a line: `timestamp`, `level`, `target`, `message`, the event's own fields, and, where they are known,
    /// `trace_id`, `span_id`, `job`, `scene`, `take` and `key`.
    Json,
}

/// What never says more than this, whatever the filter is: the client of PostgreSQL logs the values of its statements, and
/// what is stored holds links that open things.
const QUIET: &str = "tokio_postgres=info";

/// Starts logging to standard error, and to `collected` if there is one, with a filter such as `info,gateway=debug`; a
/// second call does nothing.
pub(crate) fn init(filter: &str, format: LogFormat, collected: Option<&SdkLoggerProvider>) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = QUIET.parse().into_iter().fold(filter, EnvFilter::add_directive);
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.event_format(Text::default()).boxed(),
        LogFormat::Json => lines.event_format(Json).fmt_fields(fmt::format::JsonFields::new()).boxed(),
    };
    let collected = collected.map(bridge::layer);
    // The only failure is that logging was started before, which is what a second call in one process means.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(collected).try_init();
}
