//! What watches Filmstrip holds to its rules, and each of them catches what it is there for.

use std::collections::BTreeSet;

use manifests::{
    dashboards,
    observability::{Observability, check},
};
use serde_json::{Value, json};

use crate::{
    change::{
        Change::{self, Push, Remove, Set},
        make,
    },
    facts, root,
};

fn found(all: &Observability) -> Vec<String> {
    check(all, &facts()).iter().map(ToString::to_string).collect()
}

#[test]
fn what_watches_holds() {
    let found = found(&Observability::read(&root()).unwrap());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_dashboards_that_are_kept_are_those_that_are_made() {
    for (name, board) in dashboards::all() {
        let kept = std::fs::read_to_string(dashboards::kept_at(&root(), name)).unwrap();
        assert_eq!(kept, dashboards::text(&board), "run `cargo xtask manifests --write`");
    }
}

/// Which file is spoiled.
#[derive(Clone, Copy, Debug)]
enum File {
    Collector,
    Prometheus,
    Tempo,
    Loki,
    Recorded,
    Alerts,
    Tests,
    Datasources,
    Board(&'static str),
}

fn file(all: &mut Observability, which: File) -> &mut Value {
    match which {
        File::Collector => &mut all.collector,
        File::Prometheus => &mut all.prometheus,
        File::Tempo => &mut all.tempo,
        File::Loki => &mut all.loki,
        File::Recorded => &mut all.recorded,
        File::Alerts => &mut all.alerts,
        File::Tests => &mut all.tests,
        File::Datasources => &mut all.datasources,
        File::Board(name) => all.dashboards.get_mut(name).unwrap(),
    }
}

#[rustfmt::skip] // A table.
fn mutations() -> Vec<(&'static str, File, &'static str, Change)> {
    use File::{Alerts, Board, Collector, Datasources, Loki, Prometheus, Recorded, Tempo, Tests};
    vec![
        ("collector", Collector, "/receivers/otlp/protocols/http/endpoint", Set(json!("127.0.0.1:4318"))),
        ("collector", Collector, "/service/extensions", Remove),
        ("collector", Collector, "/service/pipelines/metrics", Remove),
        ("collector", Collector, "/service/pipelines/traces/exporters", Set(json!(["otlp_http/logs"]))),
        ("collector", Collector, "/service/pipelines/logs/processors/0", Remove),
        ("collector", Collector, "/service/pipelines/logs/processors/1", Set(json!("batches"))),
        ("collector", Collector, "/exporters/prometheus/metric_expiration", Set(json!("1m"))),
        ("collector", Collector, "/exporters/prometheus/metric_expiration", Set(json!("1h"))),
        ("collector", Collector, "/exporters/prometheus/namespace", Set(json!("film"))),
        ("collector", Collector, "/exporters/prometheus/add_metric_suffixes", Set(json!(false))),
        ("collector", Collector, "/service/pipelines/metrics/processors/1", Remove),
        ("collector", Collector, "/exporters/otlp_http~1traces/endpoint", Set(json!("http://tempo:4318"))),
        ("collector", Collector, "/exporters/otlp_http~1logs/retry_on_failure", Remove),
        ("prometheus", Prometheus, "/scrape_configs/0/static_configs/0/targets/0", Set(json!("collector:8888"))),
        ("prometheus", Prometheus, "/scrape_configs/0/honor_labels", Remove),
        ("prometheus", Prometheus, "/rule_files/2", Remove),
        ("prometheus", Collector, "/exporters/prometheus/endpoint", Set(json!("0.0.0.0:9999"))),
        ("trace-and-log-stores", Tempo, "/compactor", Remove),
        ("trace-and-log-stores", Tempo, "/distributor/receivers/otlp/protocols/http/endpoint", Remove),
        ("trace-and-log-stores", Loki, "/limits_config/retention_period", Remove),
        ("trace-and-log-stores", Loki, "/compactor/retention_enabled", Remove),
        ("trace-and-log-stores", Loki, "/limits_config/allow_structured_metadata", Set(json!(false))),
        ("datasources", Datasources, "/datasources/0/uid", Set(json!("prom"))),
        ("datasources", Datasources, "/datasources/1/type", Set(json!("jaeger"))),
        ("datasources", Datasources, "/datasources/1/jsonData/tracesToLogsV2", Remove),
        ("datasources", Datasources, "/datasources/2/jsonData/derivedFields/0/matcherRegex", Set(json!("traceid"))),
        ("datasources", Datasources, "/datasources/0/secureJsonData", Set(json!({"password": "x"}))),

        ("alerts", Alerts, "/groups/0/rules/0/labels/severity", Remove),
        ("alerts", Alerts, "/groups/0/rules/0/labels/severity", Set(json!("bad"))),
        ("alerts", Alerts, "/groups/0/rules/0/annotations/summary", Remove),
        ("alerts", Alerts, "/groups/0/rules/0/annotations/runbook_url", Remove),
        ("alerts", Alerts, "/groups/0/rules/0/annotations/runbook_url", Set(json!("docs/OPERATIONS.md#a-job-is-stuck"))),
        ("alerts", Alerts, "/groups/0/rules/0", Remove),
        ("alerts", Alerts, "/groups/4/rules/1", Remove),
        ("alerts", Tests, "/tests/0", Remove),
        ("alerts", Tests, "/tests/1", Remove),
        ("alerts", Tests, "/tests/0/alert_rule_test/0/exp_alerts", Set(json!([]))),
        ("alert-metrics", Alerts, "/groups/0/rules/0/expr", Set(json!("max by (filmstrip_job_owner) (filmstrip_jobs_stuck) > 0"))),
        ("alert-metrics", Alerts, "/groups/0/rules/0/expr", Set(json!("max by (filmstrip_owner) (filmstrip_jobs_stalled) > 0"))),
        ("alert-metrics", Alerts, "/groups/0/rules/1/expr", Set(json!("filmstrip_jobs_unfinished > filmstrip:threshold:age"))),
        ("alert-metrics", Recorded, "/groups/1/rules/0/expr", Set(json!("sum(rate(http_requests_total[5m]))"))),
        ("alert-metrics", Recorded, "/groups/0/rules/0/record", Set(json!("filmstrip:threshold:other"))),

        ("dashboards", Board("render"), "/uid", Set(json!("filmstrip"))),
        ("dashboards", Board("render"), "/title", Remove),
        ("dashboards", Board("render"), "/description", Remove),
        ("dashboards", Board("render"), "/schemaVersion", Set(json!(16))),
        ("dashboards", Board("render"), "/links", Set(json!([]))),
        ("dashboards", Board("render"), "/tags", Set(json!([]))),
        ("dashboards", Board("render"), "/panels/2/id", Set(json!(2))),
        ("dashboards", Board("render"), "/panels/2/id", Remove),
        ("dashboards", Board("render"), "/panels/2/gridPos", Remove),
        ("dashboards", Board("render"), "/panels/2/gridPos/x", Set(json!(0))),
        ("dashboards", Board("render"), "/panels/2/gridPos/w", Set(json!(25))),
        ("dashboards", Board("render"), "/panels/2/title", Remove),
        ("dashboards", Board("render"), "/panels/2/description", Set(json!(""))),
        ("dashboards", Board("render"), "/panels/2/fieldConfig/defaults/unit", Remove),
        ("dashboards", Board("render"), "/panels/2/targets", Set(json!([]))),
        ("dashboards", Board("render"), "/panels/2/targets/0/datasource/uid", Set(json!("mimir"))),
        ("dashboards", Board("render"), "/panels/2/targets/0/datasource/uid", Set(json!("loki"))),
        ("dashboards", Board("render"), "/panels/2/targets/0/expr", Set(json!(""))),
        ("dashboards", Board("render"), "/panels/2/targets/0/legendFormat", Set(json!(""))),
        ("dashboard-metrics", Board("render"), "/panels/1/targets/0/expr", Set(json!("count(process_memory_bytes)"))),
        ("dashboard-metrics", Board("render"), "/panels/1/targets/0/expr", Set(json!("count(process_memory_usage_bytes{service=\"render\"})"))),
        ("dashboard-metrics", Board("render"), "/panels/1/targets", Push(json!({
            "datasource": {"uid": "prometheus"}, "expr": "sum by (job) (filmstrip_work_due)", "legendFormat": "{{filmstrip_work}}",
        }))),
        // The one panel with it.
        ("dashboard-coverage", Board("gateway"), "/panels/9/targets/0/expr", Set(json!("1"))),
    ]
}

#[test]
fn every_mutation_is_caught() {
    let whole = Observability::read(&root()).unwrap();
    for (rule, which, pointer, change) in mutations() {
        let mut spoiled = whole.clone();
        assert!(make(file(&mut spoiled, which), pointer, &change), "there is no {pointer} in {which:?}");
        let found = found(&spoiled);
        let caught = found.iter().any(|finding| finding.ends_with(&format!("[{rule}]")));
        assert!(caught, "{rule}: {which:?} {pointer} {change:?} and nobody noticed: {found:#?}");
    }
}

#[test]
fn a_service_without_a_dashboard_is_noticed() {
    let mut all = Observability::read(&root()).unwrap();
    all.dashboards.remove("stitch");
    let found = found(&all);
    assert!(found.iter().any(|finding| finding.starts_with("stitch: has no dashboard")), "{found:#?}");
}

#[test]
fn every_rule_has_a_mutation() {
    let tried: BTreeSet<_> = mutations().iter().map(|mutation| mutation.0).collect();
    let rules = [
        "alert-metrics",
        "alerts",
        "collector",
        "dashboard-coverage",
        "dashboard-metrics",
        "dashboards",
        "datasources",
        "prometheus",
        "trace-and-log-stores",
    ];
    assert_eq!(tried, BTreeSet::from(rules));
}
