//! Log events on their way to a collector: each gets its trace from the context, and its subject here.

use opentelemetry::{
    Context, InstrumentationScope,
    logs::{AnyValue, LogRecord as _},
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider},
};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use crate::subject::Subject;

/// What sends: its own words would be sent again.
const SENDERS: [&str; 4] = ["opentelemetry", "reqwest", "hyper", "h2"];

/// The layer that hands log events to `provider`.
pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(
    provider: &SdkLoggerProvider,
) -> Box<dyn Layer<S> + Send + Sync> {
    let ours = filter_fn(|event| !SENDERS.iter().any(|sender| event.target().starts_with(sender)));
    Box::new(OpenTelemetryTracingBridge::new(provider).with_filter(ours))
}

/// Tells each record what it is about; stands before the processor that sends.
#[derive(Debug)]
pub(crate) struct Subjects;

impl LogProcessor for Subjects {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        let subject = Context::map_current(|context| Subject::of(context).cloned());
        for (name, value) in subject.iter().flat_map(Subject::facts) {
            record.add_attribute(name, AnyValue::from(value));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
}
