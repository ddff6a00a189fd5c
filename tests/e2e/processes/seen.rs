//! What a collector sees of jobs: one connected graph of spans each, every metric there is, and log lines that name the
//! job; also when messages are delivered again and every process is replaced meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use filmstrip::client::Client;
use futures::StreamExt as _;
use serde_json::json;
use stack::{Ending, Options, Server, Service};
use testservers::{Otlp, Seen, SpanSeen};

use super::{PATIENCE, Scaled, insisted_job};
use crate::world::{campaign, sized};

/// Jobs of the long run, instead of [`JOBS`].
const SIZE: &str = "FILMSTRIP_TRACED_JOBS";
const JOBS: usize = 200;
/// Jobs that are under way at the same time.
const AT_ONCE: usize = 16;
/// Spans that a job's graph has, by service and how the name begins.
const OF_EVERY_JOB: [(&str, &str); 12] = [
    ("filmstrip-gateway", "POST /api/v3/jobs/from-image-pairs"),
    ("filmstrip-gateway", "POST /api/v3/jobs/{id}/approve"),
    ("filmstrip-gateway", "POST /api/webhooks/replicate"),
    ("filmstrip-job", "filmstrip.job.v1.JobService/CreateJob"),
    ("filmstrip-job", "append"),
    ("filmstrip-job", "send job"),
    ("filmstrip-job", "process render"),
    ("filmstrip-asset", "filmstrip.asset.v1.AssetService/"),
    ("filmstrip-render", "create prediction"),
    ("filmstrip-render", "webhook"),
    ("filmstrip-audio", "create prediction"),
    ("filmstrip-stitch", "ffmpeg"),
];
/// Metrics that such a run has no reason to tell: nobody asks for a voice.
const NOT_TOLD: [&str; 0] = [];

/// A stack that tells `sink` all it does, soon.
pub(super) fn telling(sink: &Otlp, options: Options) -> Options {
    let told = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", sink.endpoint()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100".to_owned()),
    ];
    let mut variables = options.variables.clone();
    for service in Service::ALL {
        variables.extend(told.iter().map(|(name, value)| (service, (*name).to_owned(), value.clone())));
    }
    Options { variables, ..options }
}

/// Jobs of one scene, some at a time; their numbers.
async fn jobs(clients: &[Client], campaign: &str, numbers: std::ops::Range<usize>) -> Vec<i64> {
    let making =
        numbers.map(|number| async move { insisted_job(clients, campaign, 1, &number.to_string()).await });
    futures::stream::iter(making).buffer_unordered(AT_ONCE).collect().await
}

/// Where each job's graph begins: the place of the span of the request that made it.
fn beginnings(seen: &Seen) -> BTreeMap<i64, usize> {
    let mut made = BTreeMap::new();
    for (place, span) in seen.spans.iter().enumerate() {
        if let Some(job) = span.attributes.get("filmstrip.job.id").and_then(|job| job.parse().ok()) {
            made.entry(job).or_insert(place);
        }
    }
    made
}

/// What each part has of a job, for whoever must find out what does not belong there.
fn told(parts: &[Vec<&SpanSeen>], of_job: impl Fn(&SpanSeen) -> bool) -> Vec<Vec<String>> {
    let tell = |span: &&SpanSeen| format!("{} {}: {:?}", span.service, span.name, span.attributes);
    parts.iter().map(|part| part.iter().filter(|span| of_job(span)).map(tell).collect()).collect()
}

/// Each job is one graph with spans of every service, and nothing hangs in the air.
fn one_graph_each(seen: &Seen, jobs: &[i64]) {
    let services: BTreeSet<&str> = seen.spans.iter().map(|span| span.service.as_str()).collect();
    assert_eq!(services.len(), Service::ALL.len(), "{} spans, of {services:?}", seen.spans.len());
    let graph = seen.graph();
    let orphans = graph.orphans(|_| false);
    assert!(orphans.is_empty(), "{} of {} spans: {:#?}", orphans.len(), seen.spans.len(), orphans.first());
    let loose = graph.loose_links();
    assert!(loose.is_empty(), "{} of {} spans: {:#?}", loose.len(), seen.spans.len(), loose.first());
    let beginnings = beginnings(seen);
    for job in jobs {
        let of_job = |span: &SpanSeen| span.attributes.get("filmstrip.job.id") == Some(&job.to_string());
        let parts = graph.parts_with(of_job);
        assert_eq!(parts.len(), 1, "job {job} lies in several graphs: {:#?}", told(&parts, of_job));
        let place = beginnings.get(job).unwrap_or_else(|| panic!("no span tells of job {job}"));
        let part = graph.part_of(*place);
        for (service, name) in OF_EVERY_JOB {
            let there = part.iter().any(|span| span.service == service && span.name.starts_with(name));
            let names: BTreeSet<_> =
                part.iter().map(|span| (span.service.as_str(), span.name.as_str())).collect();
            assert!(there, "job {job} has no {service} {name:?}: {names:#?}");
        }
    }
}

/// One trace a job: whatever is told to be for it is in the trace of the request that made it.
fn one_trace_each(seen: &Seen, jobs: &[i64]) {
    let mut traces = BTreeMap::<&str, BTreeSet<&str>>::new();
    for span in &seen.spans {
        if let Some(job) = span.attributes.get("filmstrip.job.id") {
            traces.entry(job).or_default().insert(&span.trace);
        }
    }
    for job in jobs {
        let of_job = traces.get(job.to_string().as_str()).map_or(0, BTreeSet::len);
        assert_eq!(of_job, 1, "job {job} is in {of_job} traces");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_each_of_many_jobs_is_one_graph_of_spans_also_after_redeliveries_and_restarts() {
    let sink = Otlp::start().await.unwrap();
    let options = Options { instant: true, public: true, ..Scaled::options() };
    let mut scaled = Scaled::start(telling(&sink, options)).await;
    let webhooks = json!([
        {"when": {"kind": "webhook", "probability": 0.2, "seed": 3}, "then": {"fault": "webhook_duplicate"}},
    ]);
    scaled.faults(webhooks).await;
    let clients = scaled.clients();
    let campaign = campaign(&clients[0], "Quay House", 4).await;
    let count = sized(SIZE, JOBS);
    // NATS and every process but the first gateway, which providers call, go away in the middle of it.
    let mut made = jobs(&clients, &campaign, 0..count / 2).await;
    scaled.stack.stop_server(Server::Nats, Ending::Crash);
    scaled.stack.run_server(Server::Nats).await.unwrap();
    let replicas: Vec<_> = scaled.stack.replicas().map(|(service, index, _)| (service, index)).collect();
    let making = tokio::spawn({
        let (clients, campaign) = (clients.clone(), campaign.clone());
        async move { jobs(&clients, &campaign, count / 2..count).await }
    });
    for (service, index) in replicas.into_iter().filter(|replica| *replica != (Service::Gateway, 0)) {
        let status = scaled.stack.terminate(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
        assert!(status.success(), "{service} {index}: {status}");
        scaled.stack.start_again(service, index).await.unwrap_or_else(|error| panic!("{error:#}"));
    }
    made.extend(making.await.unwrap());
    assert_eq!(made.len(), count);
    for job in &made {
        let done = scaled.finished(*job).await;
        assert_eq!(done["outcome"], "full", "{done}");
    }
    scaled.published_equals_logged().await;
    // The last words of every process are sent when it ends.
    scaled.stop().await;
    sink.look(|seen| {
        one_graph_each(seen, &made);
        one_trace_each(seen, &made);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_page_is_told_and_lines_name_their_job_and_trace() {
    let sink = Otlp::start().await.unwrap();
    let options = Options { instant: true, public: true, replicas: 1, ..Scaled::options() };
    let scaled = Scaled::start(telling(&sink, options)).await;
    let client = scaled.client(0);
    let campaign = campaign(&client, "Quay House", 4).await;
    let job = insisted_job(&scaled.clients(), &campaign, 1, "one").await;
    let done = scaled.finished(job).await;
    assert_eq!(done["outcome"], "full", "{done}");
    let wanted: BTreeSet<&str> = telemetry::metrics::catalogue().iter().map(|metric| metric.name).collect();
    let missing = |seen: &Seen| -> BTreeSet<String> {
        let told: BTreeSet<&str> = seen.points.values().map(|point| point.name.as_str()).collect();
        let unknown: Vec<_> = told.difference(&wanted).collect();
        assert!(unknown.is_empty(), "told, and not on the page: {unknown:?}");
        let missing = wanted.difference(&told).filter(|name| !NOT_TOLD.contains(name));
        missing.map(|name| (*name).to_owned()).collect()
    };
    let all = sink.until(PATIENCE / 10, |seen| missing(seen).is_empty().then_some(())).await;
    assert!(all.is_some(), "on the page, and never told: {:?}", sink.look(missing));
    scaled.stop().await;
    sink.look(|seen| {
        one_graph_each(seen, &[job]);
        let of_job = seen.lines.iter().filter(|line| line.attributes.get("job") == Some(&job.to_string()));
        let of_job: Vec<_> = of_job.filter(|line| line.trace.is_some()).collect();
        assert!(!of_job.is_empty(), "no line names the job and its trace");
        for line in of_job {
            let known = seen.spans.iter().any(|span| Some(&span.trace) == line.trace.as_ref());
            assert!(known, "{line:?} is of a trace that has no span");
        }
    });
}
