//! Sending traces, metrics and logs to a collector: OTLP as protobuf over HTTP, from threads of their own, so that a busy
//! process still tells what it does (<https://opentelemetry.io/docs/specs/otlp/>).
//!
//! The standard variables hold for what is not set here: `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TIMEOUT`,
//! `OTEL_TRACES_SAMPLER`, `OTEL_RESOURCE_ATTRIBUTES` and so on.

use std::{env, sync::mpsc, thread, time::Duration};

use anyhow::Context as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider},
};

use crate::{
    logs::{self, LogFormat, Subjects},
    metrics, trace,
};

/// How often metrics are sent, unless `OTEL_METRIC_EXPORT_INTERVAL` says otherwise.
const METRICS_EVERY: Duration = Duration::from_secs(10);
/// How long spans wait for company, unless `OTEL_BSP_SCHEDULE_DELAY` says otherwise: what a killed process has not sent is lost.
const SPANS_WAIT: Duration = Duration::from_secs(1);
/// Spans that wait at most, unless `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise.
const SPANS_WAITING: usize = 16_384;
/// How long the end of a process waits for its last words to be sent, for each of the three.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Where to, and in whose name.
#[derive(Clone, Debug, Default)]
pub struct Exporting {
    /// Base address of the collector, such as `http://collector:4318`; none: nothing is sent.
    pub endpoint: Option<String>,
    /// Name of the service, such as `filmstrip-render`.
    pub service: String,
    /// Name of this replica.
    pub instance: String,
    /// Version of the build.
    pub version: String,
}

/// Sends what is left when it is dropped; outside of any runtime, which sending would hold up.
#[derive(Debug, Default)]
#[must_use = "what was told last is sent when this is dropped"]
pub struct Guard {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
    watch: Option<Watch>,
}

/// Starts telling: log lines on standard error, and all three signals to the collector, if one is named. To be called once,
/// at the start, outside of any runtime.
///
/// # Errors
/// The collector's address is none. That nobody listens there is no error.
pub fn start(filter: &str, format: LogFormat, exporting: &Exporting) -> anyhow::Result<Guard> {
    let guard = match &exporting.endpoint {
        Some(endpoint) => to_collector(endpoint.trim_end_matches('/'), exporting)?,
        None => Guard::default(),
    };
    logs::init(filter, format, guard.logs.as_ref());
    Ok(guard)
}

fn to_collector(endpoint: &str, exporting: &Exporting) -> anyhow::Result<Guard> {
    let resource = resource(exporting);
    let spans = SpanExporter::builder().with_http().with_endpoint(format!("{endpoint}/v1/traces")).build();
    let spans = spans.context("traces cannot be sent")?;
    let numbers =
        MetricExporter::builder().with_http().with_endpoint(format!("{endpoint}/v1/metrics")).build();
    let numbers = numbers.context("metrics cannot be sent")?;
    let lines = LogExporter::builder().with_http().with_endpoint(format!("{endpoint}/v1/logs")).build();
    let lines = lines.context("logs cannot be sent")?;

    let traces = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_span_processor(batches(spans))
        .build();
    trace::install(&traces);
    let mut reader = PeriodicReader::builder(numbers);
    if env::var_os("OTEL_METRIC_EXPORT_INTERVAL").is_none() {
        reader = reader.with_interval(METRICS_EVERY);
    }
    let metrics =
        SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader.build()).build();
    global::set_meter_provider(metrics.clone());
    let logs = SdkLoggerProvider::builder().with_resource(resource).with_log_processor(Subjects);
    let logs = logs.with_batch_exporter(lines).build();
    Ok(Guard { traces: Some(traces), metrics: Some(metrics), logs: Some(logs), watch: Watch::start() })
}

fn resource(exporting: &Exporting) -> Resource {
    // OTEL_RESOURCE_ATTRIBUTES is read first; what we know ourselves comes on top.
    Resource::builder()
        .with_service_name(exporting.service.clone())
        .with_attributes([
            KeyValue::new("service.instance.id", exporting.instance.clone()),
            KeyValue::new("service.version", exporting.version.clone()),
        ])
        .build()
}

fn batches(exporter: SpanExporter) -> BatchSpanProcessor {
    let mut config = BatchConfigBuilder::default();
    if env::var_os("OTEL_BSP_SCHEDULE_DELAY").is_none() {
        config = config.with_scheduled_delay(SPANS_WAIT);
    }
    if env::var_os("OTEL_BSP_MAX_QUEUE_SIZE").is_none() {
        config = config.with_max_queue_size(SPANS_WAITING);
    }
    BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build()
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.watch.take());
        // A collector that is away has lost this; there is nobody left to tell.
        if let Some(traces) = self.traces.take() {
            let _ = traces.shutdown_with_timeout(LAST_WORDS);
        }
        if let Some(metrics) = self.metrics.take() {
            let _ = metrics.shutdown_with_timeout(LAST_WORDS);
        }
        if let Some(logs) = self.logs.take() {
            let _ = logs.shutdown_with_timeout(LAST_WORDS);
        }
    }
}

/// Looks at the process every few seconds, until it is dropped.
#[derive(Debug)]
struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watch {
    fn start() -> Option<Self> {
        let (stop, stopped) = mpsc::channel();
        let every = Duration::from_secs(1);
        let looking = move || {
            let mut spent = 0.0;
            metrics::observe(&mut spent);
            while stopped.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                metrics::observe(&mut spent);
            }
        };
        let thread = thread::Builder::new().name("process metrics".to_owned()).spawn(looking).ok()?;
        Some(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
