//! The way from a process to what shows it: the collector, Prometheus and Grafana's data sources.

use serde_json::{Value, json};

use super::Observability;
use crate::{
    finding::Finding,
    object::{at, entries, list, text, texts},
    quantity::seconds,
};

/// How often processes send their metrics at least, seconds: the specification's default is the most that anybody sets.
const SENT_EVERY: u64 = 60;

pub(super) fn check(all: &Observability) -> Vec<Finding> {
    let mut found: Vec<Finding> = collector(&all.collector)
        .into_iter()
        .map(|what| Finding::new("collector", "collector", what))
        .collect();
    found.extend(prometheus(all).into_iter().map(|what| Finding::new("prometheus", "prometheus.yaml", what)));
    found
        .extend(stores(all).into_iter().map(|(file, what)| Finding::new("trace-and-log-stores", file, what)));
    found.extend(
        datasources(&all.datasources)
            .into_iter()
            .map(|what| Finding::new("datasources", "datasources.yaml", what)),
    );
    found
}

fn collector(config: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if text(config, "/receivers/otlp/protocols/http/endpoint") != "0.0.0.0:4318" {
        wrong.push("does not take OTLP over HTTP at port 4318".to_owned());
    }
    if text(config, "/extensions/health_check/endpoint").is_empty()
        || !texts(config, "/service/extensions").contains(&"health_check")
    {
        wrong.push("cannot be asked whether it is ready (health_check)".to_owned());
    }
    for (signal, exporter) in
        [("metrics", "prometheus"), ("traces", "otlp_http/traces"), ("logs", "otlp_http/logs")]
    {
        let line = at(config, &format!("/service/pipelines/{signal}"));
        if texts(line, "/receivers") != ["otlp"] || texts(line, "/exporters") != [exporter] {
            wrong.push(format!("{signal} do not go from otlp to {exporter}"));
        }
        if texts(line, "/processors").first() != Some(&"memory_limiter") {
            wrong
                .push(format!("{signal} are taken in whatever memory is left (memory_limiter is not first)"));
        }
        for (kind, role) in
            [("receivers", "/receivers"), ("processors", "/processors"), ("exporters", "/exporters")]
        {
            for name in texts(line, role) {
                if at(config, &format!("/{kind}")).get(name).is_none() {
                    wrong.push(format!("{signal}: {name} is not configured"));
                }
            }
        }
    }
    wrong.extend(metrics(config));
    for (exporter, variable) in [("otlp_http/traces", "TRACES_ENDPOINT"), ("otlp_http/logs", "LOGS_ENDPOINT")]
    {
        let own = at(config, "/exporters").get(exporter).cloned().unwrap_or_default();
        if text(&own, "/endpoint") != format!("${{env:{variable}}}") {
            wrong.push(format!("{exporter} does not go where {variable} says"));
        }
        if at(&own, "/retry_on_failure/enabled") != &json!(true) {
            wrong.push(format!("{exporter} loses everything while nobody takes it (retry_on_failure)"));
        }
    }
    wrong
}

/// What Prometheus is shown has the labels by which dashboards, alerts and scalers ask.
fn metrics(config: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let kept = seconds(text(config, "/exporters/prometheus/metric_expiration")).unwrap_or(300);
    if kept < 2 * SENT_EVERY {
        wrong.push(format!("forgets series after {kept} s, before a process has sent them twice"));
    }
    if kept > 300 {
        wrong.push(format!("shows series of processes that have gone for {kept} s"));
    }
    let dropping = texts(config, "/service/pipelines/metrics/processors").into_iter().any(|name| {
        let actions =
            at(config, "/processors").get(name).map(|own| list(own, "/attributes")).unwrap_or_default();
        actions.iter().any(|one| text(one, "/key") == "service.namespace" && text(one, "/action") == "delete")
    });
    if !dropping {
        wrong.push(
            "the label `job` of metrics is not service.name alone (service.namespace stays)".to_owned(),
        );
    }
    for setting in ["namespace", "const_labels", "resource_to_telemetry_conversion", "add_metric_suffixes"] {
        if !at(config, &format!("/exporters/prometheus/{setting}")).is_null() {
            wrong.push(format!("gives metrics other names or labels than docs/METRICS.md tells ({setting})"));
        }
    }
    wrong
}

fn prometheus(all: &Observability) -> Vec<String> {
    let mut wrong = Vec::new();
    let exporter =
        text(&all.collector, "/exporters/prometheus/endpoint").rsplit(':').next().unwrap_or_default();
    let jobs = list(&all.prometheus, "/scrape_configs");
    let target = format!("collector:{exporter}");
    let fetching = jobs.iter().find(|job| {
        list(job, "/static_configs").iter().any(|one| texts(one, "/targets").contains(&target.as_str()))
    });
    match fetching {
        None => wrong.push(format!("does not fetch from {target}")),
        Some(job) if at(job, "/honor_labels") != &json!(true) => {
            wrong.push("takes the processes' own labels away (honor_labels)".to_owned());
        }
        Some(_) => {}
    }
    for file in ["thresholds.yaml", "rules.yaml", "alerts.yaml"] {
        if !texts(&all.prometheus, "/rule_files").contains(&file) {
            wrong.push(format!("does not read {file}"));
        }
    }
    wrong
}

/// Traces and logs go away by themselves, and come in where the collector sends them.
fn stores(all: &Observability) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    if seconds(text(&all.tempo, "/compactor/compaction/block_retention")).is_none() {
        wrong.push(("tempo.yaml", "keeps traces until its volume is full (block_retention)".to_owned()));
    }
    let loki = &all.loki;
    if seconds(text(loki, "/limits_config/retention_period")).is_none()
        || at(loki, "/compactor/retention_enabled") != &json!(true)
        || text(loki, "/compactor/delete_request_store").is_empty()
    {
        wrong.push(("loki.yaml", "keeps logs until its volume is full (retention)".to_owned()));
    }
    if text(&all.tempo, "/distributor/receivers/otlp/protocols/http/endpoint") != "0.0.0.0:4318" {
        wrong.push(("tempo.yaml", "does not take OTLP over HTTP at port 4318".to_owned()));
    }
    if at(loki, "/limits_config/allow_structured_metadata") != &json!(true) {
        wrong.push(("loki.yaml", "has no place for trace_id (allow_structured_metadata)".to_owned()));
    }
    wrong
}

fn datasources(file: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let all = list(file, "/datasources");
    let with = |uid: &str| all.iter().find(|one| text(one, "/uid") == uid);
    for uid in ["prometheus", "tempo", "loki"] {
        match with(uid) {
            None => wrong.push(format!("there is no data source {uid}")),
            Some(one) if text(one, "/type") != uid => wrong.push(format!("{uid} is of another type")),
            Some(_) => {}
        }
    }
    let to_logs = with("tempo").map(|one| text(one, "/jsonData/tracesToLogsV2/datasourceUid"));
    if to_logs != Some("loki") {
        wrong.push("nothing leads from a trace to its logs".to_owned());
    }
    let links = with("loki").map(|one| list(one, "/jsonData/derivedFields")).unwrap_or_default();
    let leads = |link: &Value| {
        text(link, "/datasourceUid") == "tempo"
            && text(link, "/matcherRegex") == "trace_id"
            && text(link, "/url") == "$${__value.raw}"
    };
    if !links.iter().any(leads) {
        wrong.push("nothing leads from a line to its trace".to_owned());
    }
    for one in all {
        wrong.extend(
            entries(one, "/secureJsonData")
                .map(|(key, _)| format!("{key} is a secret and stands in the file")),
        );
    }
    wrong
}
