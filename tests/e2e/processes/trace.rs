//! One trace through every log and every message.

use std::collections::BTreeSet;

use async_nats::jetstream;
use eventlog::{Migrations, open_checked, params};
use futures::StreamExt as _;
use stack::Service;

use super::Scaled;
use crate::world::PATIENCE;

/// All services, with what their databases are made of.
const LOGS: [(Service, &Migrations); 4] = [
    (Service::Job, &job::MIGRATIONS),
    (Service::Render, &render::MIGRATIONS),
    (Service::Stitch, &stitch::MIGRATIONS),
    (Service::Audio, &audio::MIGRATIONS),
];

/// In a stack with one job: the request that made it and everything it led to, in four logs and in what they published, carry
/// one trace id; so does its approval, a request with a trace of its own.
pub(super) async fn one_trace_joins_everything(scaled: &Scaled) {
    let created = traces(scaled, Service::Job, &job::MIGRATIONS, "kind = 'JobCreated'").await;
    let [trace] = created.as_slice() else { panic!("one job: {created:?}") };
    let trace = &trace.1;
    for (service, migrations) in LOGS {
        // The service's own events are of no job.
        let events = traces(scaled, service, migrations, "kind <> 'PipelineConfigured'").await;
        assert!(!events.is_empty(), "{service} logged nothing");
        let strays: BTreeSet<&(String, String)> = events.iter().filter(|(_, other)| other != trace).collect();
        assert!(strays.is_empty(), "{service}: {trace} is not the trace of {strays:?}");
        let published = published(scaled, service).await;
        assert!(published.contains(trace), "{service} published under {published:?}, not {trace}");
    }
}

/// Kind and trace id of the events that fulfil a condition.
async fn traces(
    scaled: &Scaled,
    service: Service,
    migrations: &Migrations,
    condition: &str,
) -> Vec<(String, String)> {
    let log = open_checked(scaled.stack.database_url(service).unwrap(), migrations).await.unwrap();
    let sql = format!("SELECT kind, traceparent FROM event WHERE {condition} ORDER BY position");
    let rows = log.query(&sql, params![]).await.unwrap();
    let of = |row: &eventlog::Row| {
        let parent = row.get::<Option<String>>("traceparent").unwrap().unwrap_or_default();
        (row.get::<String>("kind").unwrap(), trace_id(&parent))
    };
    rows.iter().map(of).collect()
}

/// The trace ids of everything in a service's stream.
async fn published(scaled: &Scaled, service: Service) -> BTreeSet<String> {
    let client = async_nats::connect(scaled.stack.nats_url()).await.unwrap();
    let name = format!("FILMSTRIP_{}", service.name().to_uppercase());
    let stream = jetstream::new(client).get_stream(name).await.unwrap();
    let count = usize::try_from(stream.cached_info().state.messages).unwrap();
    let consumer = stream.create_consumer(jetstream::consumer::pull::OrderedConfig::default()).await.unwrap();
    let messages = consumer.messages().await.unwrap().take(count).map(|message| {
        let headers = message.unwrap().message.headers.clone().unwrap_or_default();
        trace_id(headers.get("traceparent").map(async_nats::HeaderValue::as_str).unwrap_or_default())
    });
    tokio::time::timeout(PATIENCE, messages.collect()).await.expect("the stream can be read")
}

/// The second part of `version-trace-span-flags`.
fn trace_id(traceparent: &str) -> String {
    traceparent.split('-').nth(1).unwrap_or_default().to_owned()
}
