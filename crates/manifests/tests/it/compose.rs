//! The compose file holds to its rules, and each of them catches what it is there for.

use manifests::{
    compose::{check, read},
    dockerfile::Dockerfile,
};
use serde_json::{Value, json};

use crate::{
    change::{
        Change::{self, Push, Remove, Set},
        make,
    },
    facts, root,
};

fn found(file: &Value) -> Vec<String> {
    let images = Dockerfile::read(&root()).unwrap();
    check(file, &root(), &images, &facts()).iter().map(ToString::to_string).collect()
}

#[test]
fn the_compose_file_holds() {
    let found = found(&read(&root()).unwrap());
    assert!(found.is_empty(), "{found:#?}");
}

#[rustfmt::skip] // A table.
fn mutations() -> Vec<(&'static str, &'static str, Change)> {
    let etc = json!({"type": "bind", "source": "/etc", "target": "/x"});
    vec![
        ("compose-images", "/services/nats/image", Set(json!("nats:latest"))),
        ("compose-images", "/services/asset-migrate/build/target", Set(json!("assets"))),
        ("compose-images", "/services/asset/image", Set(json!("filmstrip-assets:0.1.0"))),
        ("compose-builds", "/services/asset/build", Set(json!({"context": ".", "target": "asset"}))),
        ("compose-builds", "/services/job-soundstage/build", Set(json!({"context": ".", "target": "job"}))),
        ("compose-builds", "/services/asset/pull_policy", Remove),
        ("compose-builds", "/services/stitch-migrate/build", Remove),
        ("compose-builds", "/services/job-migrate/profiles", Set(json!(["core"]))),
        ("compose-health", "/services/postgres/healthcheck", Remove),
        ("compose-health", "/services/nats/healthcheck/test", Set(json!(["CMD-SHELL", "true"]))),
        ("compose-health", "/services/nats/healthcheck/test", Set(json!(["CMD", "wget", "--spider", "http://x"]))),
        ("compose-health", "/services/asset/healthcheck", Set(json!({"disable": true}))),
        ("compose-order", "/services/asset/depends_on/asset-migrate", Remove),
        ("compose-order", "/services/asset/depends_on/nats/condition", Set(json!("service_started"))),
        ("compose-order", "/services/asset/depends_on/asset-migrate/condition", Set(json!("service_healthy"))),
        ("compose-order", "/services/job-migrate/depends_on/postgres", Remove),
        ("compose-order", "/services/stitch/depends_on/soundstage", Set(json!({"condition": "service_healthy"}))),
        ("compose-hardening", "/services/render/read_only", Remove),
        ("compose-hardening", "/services/postgres/cap_drop", Remove),
        ("compose-hardening", "/services/s3/security_opt", Remove),
        ("compose-hardening", "/services/s3/privileged", Set(json!(true))),
        ("compose-ports", "/services/gateway/ports/0/host_ip", Remove),
        ("compose-ports", "/services/postgres/ports", Set(json!([{"target": 5432, "published": "5432"}]))),
        ("compose-files", "/services/asset/volumes", Push(etc)),
        ("compose-files", "/services/nats/volumes/1/source", Set(json!("./nats.conf"))),
        ("compose-secrets", "/services/gateway/environment/API_AUTH_KEY", Set(json!("x"))),
        ("compose-secrets", "/services/postgres/environment/POSTGRES_PASSWORD", Set(json!("x"))),
        ("compose-secrets", "/services/render/environment/LINK_SECRET_FILE", Set(json!("/run/secrets/other/x"))),
        ("compose-settings", "/services/job/environment/SERVICES_ASSET", Remove),
        ("compose-settings", "/services/job/environment/XAI_API_KEY_FILE", Remove),
        ("compose-settings", "/services/job-soundstage/environment/SOUNDSTAGE_URL", Remove),
        ("compose-settings", "/services/stitch/environment/BLOB_URL", Remove),
        ("compose-settings", "/services/stitch/environment/BLOB_URI", Set(json!("s3://film-media"))),
        ("compose-stopping", "/services/stitch/stop_grace_period", Remove),
        ("compose-stopping", "/services/stitch/stop_grace_period", Set(json!("10s"))),
        ("compose-profiles", "/services/stitch", Remove),
        ("compose-profiles", "/services/render/profiles", Push(json!("soundstage"))),
        ("compose-profiles", "/services/nats/profiles", Remove),
        ("compose-health", "/services/collecting/healthcheck/test/5", Remove),
        ("compose-order", "/services/grafana/depends_on/tempo", Set(json!({"condition": "service_healthy"}))),
        ("compose-telling", "/services/render/environment/OTEL_EXPORTER_OTLP_ENDPOINT", Remove),
        ("compose-telling", "/services/gateway/environment/OTEL_EXPORTER_OTLP_ENDPOINT", Set(json!("http://collector:4318"))),
        ("compose-telling", "/services/collector", Remove),
        ("compose-limits", "/services/tempo/mem_limit", Remove),
        ("compose-limits", "/services/loki/mem_limit", Set(json!("4g"))),
        ("compose-limits", "/services/loki/networks", Push(json!("outer"))),
        ("compose-limits", "/services/grafana/depends_on/gateway", Set(json!({"condition": "service_healthy"}))),
        ("compose-limits", "/services/gateway/depends_on/collecting", Set(json!({"condition": "service_healthy"}))),
        ("compose-versions", "/services/prometheus/image", Set(json!("prom/prometheus:v3.0.0"))),
        ("compose-versions", "/services/nats/image", Set(json!("nats:2.14.0-alpine"))),
        ("compose-ports", "/services/grafana/ports/0/host_ip", Set(json!("0.0.0.0"))),
        ("compose-secrets", "/services/grafana/environment/GF_SECURITY_ADMIN_PASSWORD", Set(json!("x"))),
        ("compose-stacks", "/services/tempo/profiles", Set(json!(["watching"]))),
        ("compose-stacks", "/name", Set(json!("filmstrip"))),
        ("compose-stacks", "/services/postgres/profiles", Set(json!(["core", "soundstage"]))),
        ("compose-stacks", "/services/job/container_name", Remove),
        ("compose-stacks", "/services/render-soundstage/container_name", Set(json!("render"))),
    ]
}

#[test]
fn every_mutation_is_caught() {
    let whole = read(&root()).unwrap();
    for (rule, pointer, change) in mutations() {
        let mut spoiled = whole.clone();
        assert!(make(&mut spoiled, pointer, &change), "there is no {pointer}");
        let found = found(&spoiled);
        let caught = found.iter().any(|finding| finding.ends_with(&format!("[{rule}]")));
        assert!(caught, "{rule}: {pointer} {change:?} and nobody noticed: {found:#?}");
    }
}
