//! Each rule over rendered manifests catches what it is there for.

use std::collections::BTreeSet;

use manifests::{
    facts::Facts,
    overlay::{Overlay, subject},
    render::kept,
    rules::RULES,
};
use serde_json::{Value, json};

use crate::{
    change::{Change, make},
    facts, root,
};

use Change::{Push, Remove, Set};

/// Which objects are spoiled, each by itself.
#[derive(Clone, Copy, Debug)]
enum Whose {
    /// All that makes pods.
    Workloads,
    /// Those of them that run all the time.
    Servers,
    /// The six processes.
    Processes,
    /// The five of them with a database.
    Services,
    /// The migrations.
    Jobs,
    /// All of a kind.
    Kind(&'static str),
    /// `Kind/name`.
    One(&'static str),
}

fn is_whose(whose: Whose, object: &Value) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    let component = &object["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"];
    let pods = !object["spec"]["template"]["spec"]["containers"].is_null();
    match whose {
        Whose::Workloads => pods,
        Whose::Servers => pods && kind != "Job",
        Whose::Processes => component == "edge" || component == "service",
        Whose::Services => component == "service",
        Whose::Jobs => kind == "Job",
        Whose::Kind(wanted) => kind == wanted,
        Whose::One(wanted) => subject(object) == wanted,
    }
}

type Mutation = (&'static str, Whose, &'static str, Change);

const POD: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";

#[rustfmt::skip] // A table.
fn mutations() -> Vec<Mutation> {
    use Whose::{Jobs, Kind, One, Processes, Servers, Services, Workloads};
    let part_of = "/metadata/labels/app.kubernetes.io~1part-of";
    vec![
        ("namespace", Workloads, "/metadata/namespace", Set(json!("default"))),
        ("namespace", Kind("ServiceAccount"), "/metadata/namespace", Remove),
        ("kinds", Workloads, "/kind", Set(json!("Deploymnet"))),
        ("kinds", Kind("ScaledObject"), "/apiVersion", Set(json!("keda.sh/v1"))),
        ("labels", Workloads, part_of, Remove),
        ("labels", Workloads, "/spec/template/metadata/labels/app.kubernetes.io~1name", Set(json!("other"))),
        ("labels", Workloads, "/spec/template/metadata/labels/app.kubernetes.io~1component", Remove),

        ("pod-security", Workloads, "POD/securityContext", Remove),
        ("pod-security", Workloads, "POD/securityContext/runAsNonRoot", Remove),
        ("pod-security", Workloads, "POD/securityContext/runAsNonRoot", Set(json!(false))),
        ("pod-security", Workloads, "POD/securityContext/runAsUser", Remove),
        ("pod-security", Workloads, "POD/securityContext/runAsUser", Set(json!(0))),
        ("pod-security", Workloads, "POD/securityContext/runAsGroup", Remove),
        ("pod-security", Workloads, "POD/securityContext/seccompProfile", Remove),
        ("pod-security", Workloads, "POD/securityContext/seccompProfile/type", Set(json!("Unconfined"))),
        ("pod-security", Workloads, "POD/hostNetwork", Set(json!(true))),
        ("pod-security", Workloads, "POD/hostPID", Set(json!(true))),
        ("pod-security", Workloads, "POD/hostIPC", Set(json!(true))),
        ("pod-security", Workloads, "CONTAINER/securityContext", Remove),
        ("pod-security", Workloads, "CONTAINER/securityContext/allowPrivilegeEscalation", Remove),
        ("pod-security", Workloads, "CONTAINER/securityContext/privileged", Set(json!(true))),
        ("pod-security", Workloads, "CONTAINER/securityContext/capabilities", Remove),
        ("pod-security", Workloads, "CONTAINER/securityContext/capabilities/add", Set(json!(["NET_ADMIN"]))),
        ("pod-security", Workloads, "CONTAINER/securityContext/runAsUser", Set(json!(0))),
        ("pod-security", Servers, "CONTAINER/ports/0/hostPort", Set(json!(80))),
        ("pod-security", One("StatefulSet/s3"), "POD/initContainers/0/securityContext", Remove),
        ("read-only-root", Workloads, "CONTAINER/securityContext/readOnlyRootFilesystem", Remove),
        ("read-only-root", Workloads, "POD/volumes/0", Set(json!({"name": "x", "hostPath": {"path": "/"}}))),

        ("accounts", Workloads, "POD/serviceAccountName", Remove),
        ("accounts", Workloads, "POD/automountServiceAccountToken", Remove),
        ("accounts", Workloads, "POD/enableServiceLinks", Remove),
        ("accounts", Kind("ServiceAccount"), "/automountServiceAccountToken", Remove),
        ("accounts", Kind("ServiceAccount"), "/metadata/name", Set(json!("other"))),

        ("resources", Workloads, "CONTAINER/resources", Remove),
        ("resources", Workloads, "CONTAINER/resources/requests/cpu", Remove),
        ("resources", Workloads, "CONTAINER/resources/requests/memory", Remove),
        ("resources", Workloads, "CONTAINER/resources/limits/cpu", Remove),
        ("resources", Workloads, "CONTAINER/resources/limits/memory", Remove),
        ("resources", Workloads, "CONTAINER/resources/limits/ephemeral-storage", Remove),
        ("resources", One("StatefulSet/s3"), "POD/initContainers/0/resources", Remove),
        ("measured-memory", Processes, "CONTAINER/resources/requests/memory", Set(json!("16Mi"))),
        ("measured-memory", Processes, "CONTAINER/resources/limits/memory", Set(json!("40Mi"))),
        ("measured-memory", One("Deployment/asset"), "CONTAINER/resources/limits/memory", Set(json!("1Gi"))),
        ("measured-memory", One("Deployment/render"), "CONTAINER/resources/limits/memory", Set(json!("1Gi"))),
        ("measured-memory", One("Deployment/stitch"), "CONTAINER/resources/requests/memory", Set(json!("512Mi"))),
        ("measured-memory", One("Deployment/stitch"), "CONTAINER/resources/limits/memory", Set(json!("2Gi"))),

        ("scratch", Processes, "SCRATCH/emptyDir/sizeLimit", Remove),
        ("scratch", Processes, "SCRATCH/emptyDir/sizeLimit", Set(json!("900Gi"))),
        ("scratch", Processes, "CONTAINER/resources/limits/ephemeral-storage", Set(json!("1Mi"))),
        ("scratch", Processes, "CONTAINER/volumeMounts", Set(json!([]))),
        ("scratch", One("Deployment/stitch"), "SCRATCH/emptyDir/sizeLimit", Set(json!("15Gi"))),
        ("scratch", One("Deployment/gateway"), "SCRATCH_LIMIT/value", Set(json!("8Gi"))),
        ("scratch", One("Deployment/gateway"), "SCRATCH_LIMIT/value", Set(json!("much"))),

        ("probes", Servers, "CONTAINER/startupProbe", Remove),
        ("probes", Servers, "CONTAINER/readinessProbe", Remove),
        ("probes", Servers, "CONTAINER/livenessProbe", Remove),
        ("probes", Processes, "CONTAINER/startupProbe/failureThreshold", Remove),
        ("probes", Services, "CONTAINER/readinessProbe/grpc/port", Set(json!(1))),
        ("probes", Services, "CONTAINER/livenessProbe/grpc/service", Remove),
        ("probes", Services, "CONTAINER/startupProbe", Set(json!({"grpc": {"port": 5001}}))),
        ("probes", Services, "CONTAINER/livenessProbe", Set(json!({"grpc": {"port": 5001}}))),
        ("probes", One("Deployment/gateway"), "CONTAINER/livenessProbe/httpGet/path", Set(json!("/readyz"))),
        ("probes", One("Deployment/gateway"), "CONTAINER/readinessProbe/httpGet/path", Set(json!("/livez"))),
        ("probes", One("StatefulSet/nats"), "CONTAINER/livenessProbe/httpGet/port", Set(json!("healthy"))),
        ("stopping", Workloads, "POD/terminationGracePeriodSeconds", Remove),
        ("stopping", Processes, "POD/terminationGracePeriodSeconds", Set(json!(30))),
        ("stopping", Processes, "CONTAINER/env", Push(json!({"name": "STOP_GRACE", "value": "60s"}))),
        ("stopping", Services, "POD/terminationGracePeriodSeconds", Set(json!(65))),
        ("stopping", Services, "CONTAINER/env", Push(json!({"name": "STOP_DELAY", "value": "30s"}))),

        ("budgets", Kind("PodDisruptionBudget"), "/spec/maxUnavailable", Remove),
        ("budgets", Kind("PodDisruptionBudget"), "/spec/unhealthyPodEvictionPolicy", Remove),
        ("budgets", Kind("PodDisruptionBudget"), "/spec/selector/matchLabels/app.kubernetes.io~1name", Set(json!("x"))),
        ("spread", Processes, "POD/topologySpreadConstraints/0", Remove),
        ("spread", Processes, "POD/topologySpreadConstraints/1", Remove),
        ("spread", Processes, "POD/topologySpreadConstraints/0/labelSelector", Remove),
        ("priorities", Workloads, "POD/priorityClassName", Remove),
        ("priorities", Workloads, "POD/priorityClassName", Set(json!("other"))),
        ("priorities", Processes, "POD/priorityClassName", Set(json!("filmstrip-telemetry"))),
        ("priorities", One("Deployment/grafana"), "POD/priorityClassName", Set(json!("filmstrip-store"))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "/spec/scaleTargetRef/name", Set(json!("other"))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "/spec/minReplicas", Remove),
        ("scaling", Kind("HorizontalPodAutoscaler"), "/spec/maxReplicas", Set(json!(0))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "/spec/metrics", Remove),
        ("scaling", Processes, "/spec/replicas", Set(json!(3))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "/spec/behavior", Remove),
        ("scaling", Kind("HorizontalPodAutoscaler"), "SCALE_DOWN/stabilizationWindowSeconds", Remove),
        ("scaling", Kind("HorizontalPodAutoscaler"), "SCALE_DOWN/stabilizationWindowSeconds", Set(json!(60))),
        ("scaling", One("HorizontalPodAutoscaler/stitch"), "SCALE_DOWN/stabilizationWindowSeconds", Set(json!(300))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "SCALE_DOWN/policies", Set(json!([]))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "SCALE_DOWN/policies/0/value", Set(json!(2))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "SCALE_DOWN/policies/0/periodSeconds", Set(json!(60))),
        ("scaling", Kind("HorizontalPodAutoscaler"), "SCALE_DOWN/policies", Push(json!({"type": "Percent", "value": 100}))),
        ("scaling", Kind("ScaledObject"), "/spec/scaleTargetRef/name", Set(json!("other"))),
        ("scaling", Kind("ScaledObject"), "/spec/scaleTargetRef/name", Set(json!("asset"))),
        ("scaling", Kind("ScaledObject"), "/spec/minReplicaCount", Set(json!(1))),
        ("scaling", Kind("ScaledObject"), "/spec/maxReplicaCount", Set(json!(1))),
        ("scaling", Kind("ScaledObject"), "/spec/triggers", Set(json!([]))),
        ("scaling", Kind("ScaledObject"), "KEDA_DOWN/stabilizationWindowSeconds", Remove),
        ("scaling", Kind("ScaledObject"), "KEDA_DOWN/policies/0/value", Set(json!(2))),
        ("scaled-by-work", Kind("ScaledObject"), "QUERY/query", Set(json!("max by (filmstrip_work) (filmstrip_work_dew)"))),
        ("scaled-by-work", Kind("ScaledObject"), "QUERY/query", Set(json!("max by (filmstrip_work) (filmstrip_work_due{job=\"filmstrip-asset\"})"))),
        ("scaled-by-work", One("ScaledObject/render"), "QUERY/query", Set(json!("sum(filmstrip_work_due{job=\"filmstrip-render\"})"))),
        ("scaled-by-work", One("ScaledObject/render"), "QUERY/query", Set(json!("max by (filmstrip_model) (filmstrip_work_due{job=\"filmstrip-render\"})"))),
        ("scaled-by-work", Kind("ScaledObject"), "QUERY/ignoreNullValues", Remove),
        ("scaled-by-work", Kind("ScaledObject"), "QUERY/threshold", Remove),
        ("scaled-by-work", Kind("ScaledObject"), "QUERY/threshold", Set(json!("0"))),
        ("scaled-by-work", Kind("ScaledObject"), "QUERY/serverAddress", Set(json!("http://prometheus:9090"))),
        ("scaled-by-work", One("ScaledObject/render"), "/spec/triggers/0/type", Set(json!("cron"))),
        ("scaled-by-work", One("ScaledObject/render"), "/spec/triggers/1", Remove),
        ("telling", Kind("ConfigMap"), "SHARED/OTEL_EXPORTER_OTLP_ENDPOINT", Remove),
        ("telling", Kind("ConfigMap"), "SHARED/OTEL_EXPORTER_OTLP_ENDPOINT", Set(json!("http://colector:4318"))),
        ("telling", Kind("ConfigMap"), "SHARED/OTEL_EXPORTER_OTLP_ENDPOINT", Set(json!("http://collector:4317"))),
        ("telling", Processes, "TOLD/value", Set(json!("k8s.pod.name=render"))),
        ("telling", Processes, "OF_POD/valueFrom/fieldRef/fieldPath", Set(json!("metadata.uid"))),
        ("telling", One("Deployment/collector"), "/spec/replicas", Set(json!(2))),
        ("maps", Kind("ConfigMap"), "/data/x", Set(json!("x".repeat(300_000)))),
        ("retention", One("StatefulSet/prometheus"), "CONTAINER/args/2", Remove),
        ("retention", One("StatefulSet/prometheus"), "CONTAINER/args/3", Remove),
        ("retention", One("StatefulSet/prometheus"), "CONTAINER/args/3", Set(json!("--storage.tsdb.retention.size=10GB"))),
        ("rollout", Processes, "/spec/strategy/rollingUpdate/maxUnavailable", Remove),
        ("rollout", Processes, "/spec/strategy/rollingUpdate/maxSurge", Remove),
        ("rollout", Services, "/spec/minReadySeconds", Remove),
        ("rollout", Services, "/spec/minReadySeconds", Set(json!(30))),
        ("rollout", One("Deployment/soundstage"), "/spec/strategy", Remove),

        ("services", Kind("Service"), "/metadata/name", Set(json!("other"))),
        ("services", Kind("Service"), "/spec/selector/app.kubernetes.io~1name", Set(json!("other"))),
        ("services", Kind("Service"), "/spec/ports/0/targetPort", Set(json!(1))),
        ("services", Kind("Service"), "/spec/ports", Set(json!([]))),
        ("services", One("Service/asset"), "/spec/clusterIP", Remove),
        ("images", Workloads, "CONTAINER/image", Set(json!("filmstrip"))),
        ("images", Workloads, "CONTAINER/image", Set(json!("filmstrip:latest"))),
        ("images", Jobs, "CONTAINER/image", Set(json!("filmstrip-asset:9.9.9"))),

        ("secrets", One("ConfigMap/nats"), "/kind", Set(json!("Secret"))),
        ("secrets", Processes, "CONTAINER/env", Push(json!({"name": "LINK_SECRET", "value": "x"}))),
        ("secrets", One("Deployment/grafana"), "CONTAINER/env", Push(json!({"name": "GF_SECURITY_ADMIN_PASSWORD", "value": "x"}))),
        ("secrets", Processes, "SECRET/secret/secretName", Set(json!("nobody-knows"))),
        ("secrets", Processes, "SECRET/secret/defaultMode", Remove),
        ("secrets", Jobs, "CONTAINER/volumeMounts/0/readOnly", Remove),
        ("secrets", Processes, "CONTAINER/volumeMounts/1/readOnly", Remove),
        ("owner-role", Services, "DATABASE/secret/secretName", Set(json!("asset-database-owner"))),
        ("owner-role", Services, "POD/volumes", Push(json!({"name": "o", "secret": {"secretName": "x-database-owner"}}))),
        ("owner-role", Jobs, "POD/volumes/0/secret/secretName", Set(json!("audio-database"))),
        ("owner-role", Jobs, "POD/volumes", Push(json!({"name": "o", "secret": {"secretName": "object-store"}}))),

        ("settings-known", Processes, "CONTAINER/env", Push(json!({"name": "STOP_GRACES", "value": "60s"}))),
        ("settings-known", Processes, "TOLD/name", Set(json!("OTEL_RESOURCES"))),
        ("settings-known", Jobs, "CONTAINER/env/0/name", Set(json!("DATABASE_FILE"))),
        ("settings-known", Kind("ConfigMap"), "SHARED/S3_ENDPIONT", Set(json!("http://s3:7070"))),
        ("settings-complete", Processes, "CONTAINER/env/0", Remove),
        ("settings-complete", Processes, "CONTAINER/env/1", Remove),
        ("settings-complete", Processes, "CONTAINER/env/0/value", Set(json!("127.0.0.1:5001"))),
        ("settings-complete", Kind("ConfigMap"), "SHARED/BLOB_URL", Remove),
        ("settings-complete", Kind("ConfigMap"), "SHARED/SERVICES_ASSET", Remove),
        ("settings-complete", Kind("ConfigMap"), "SHARED/SERVICES_ASSET", Set(json!("http://asset:5001"))),
        ("settings-complete", Kind("ConfigMap"), "SHARED/SOUNDSTAGE_URL", Remove),

        ("migrations", Jobs, "/metadata/name", Set(json!("other"))),
        ("migrations", Jobs, "CONTAINER/args", Set(json!(["serve"]))),
        ("migrations", Jobs, "POD/restartPolicy", Set(json!("Never"))),
        ("migrations", Jobs, "/spec/backoffLimit", Set(json!(0))),
        ("migrations", Jobs, "/spec/activeDeadlineSeconds", Remove),
        ("migrations", Jobs, "/spec/ttlSecondsAfterFinished", Remove),
        ("migrations", Jobs, "/metadata/labels/app.kubernetes.io~1component", Remove),
        ("references", Processes, "CONTAINER/envFrom/0/configMapRef/name", Set(json!("other"))),
        ("references", Workloads, "CONTAINER/volumeMounts/0/name", Set(json!("other"))),
        ("references", Kind("HorizontalPodAutoscaler"), "/spec/scaleTargetRef/kind", Set(json!("StatefulSet"))),
        ("references", Kind("ScaledObject"), "/spec/scaleTargetRef/name", Set(json!("other"))),
        ("references", One("Deployment/grafana"), "POD/volumes/4/projected/sources/0/configMap/name", Set(json!("other"))),
        ("references", Kind("Ingress"), "/spec/rules/0/http/paths/0/backend/service/port/name", Set(json!("grpc"))),

        ("default-deny", One("NetworkPolicy/default-deny"), "/spec/policyTypes/0", Remove),
        ("default-deny", One("NetworkPolicy/default-deny"), "/spec/policyTypes/1", Remove),
        ("default-deny", One("NetworkPolicy/default-deny"), "/spec/egress", Set(json!([{}]))),
        ("default-deny", One("NetworkPolicy/default-deny"), "/kind", Set(json!("Other"))),
        ("network", Kind("NetworkPolicy"), "/spec/egress/0", Remove),
        ("network", Kind("NetworkPolicy"), "/spec/ingress/0", Remove),
        ("network", Kind("NetworkPolicy"), "/spec/egress", Push(json!({}))),
        ("network", Kind("NetworkPolicy"), "/spec/ingress", Push(json!({}))),
        ("network", Kind("NetworkPolicy"), "/spec/egress/0/ports/0/port", Set(json!(22))),
        ("network", Kind("NetworkPolicy"), "/spec/ingress/0/ports/0/port", Set(json!(22))),
        ("network", Kind("NetworkPolicy"), "/spec/egress/0/ports/0/protocol", Set(json!("SCTP"))),
        ("network", Kind("NetworkPolicy"), "/spec/egress/0/ports/0/endPort", Set(json!(65535))),
        ("network", Kind("NetworkPolicy"), "/spec/egress/0/ports", Remove),
        ("internet", One("NetworkPolicy/asset"), "/spec/egress/0/to/0/ipBlock/except/3", Remove),
        ("internet", One("NetworkPolicy/asset"), "/spec/egress/0/to/0/ipBlock/except", Remove),
        ("internet", One("NetworkPolicy/asset"), "/spec/egress/0/to/0/ipBlock/cidr", Set(json!("::/0"))),
        ("internet", One("NetworkPolicy/asset"), "/spec/egress/0/ports/0/port", Set(json!(80))),
        ("internet", One("NetworkPolicy/asset"), "/spec/podSelector/matchLabels/app.kubernetes.io~1name", Set(json!("stitch"))),
    ]
}

/// A pointer with its abbreviations, for this object. None when it has no such thing.
fn pointer(short: &str, object: &Value) -> Option<String> {
    let volume = |is: &dyn Fn(&Value) -> bool| {
        let volumes = object["spec"]["template"]["spec"]["volumes"].as_array()?;
        volumes.iter().position(is).map(|at| format!("{POD}/volumes/{at}"))
    };
    let variable = |name: &str| {
        let all = object.pointer(CONTAINER)?["env"].as_array()?;
        all.iter().position(|one| one["name"] == name).map(|at| format!("{CONTAINER}/env/{at}"))
    };
    let (head, rest) = short.split_at(short.find('/')?);
    let start = match head {
        "" => String::new(),
        "POD" => POD.to_owned(),
        "CONTAINER" => CONTAINER.to_owned(),
        "KEDA_DOWN" => "/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown".to_owned(),
        "QUERY" => "/spec/triggers/0/metadata".to_owned(),
        "TOLD" => variable("OTEL_RESOURCE_ATTRIBUTES")?,
        "OF_POD" => variable("K8S_POD_NAME")?,
        "SCRATCH_LIMIT" => variable("SCRATCH_LIMIT")?,
        "SCALE_DOWN" => "/spec/behavior/scaleDown".to_owned(),
        "SCRATCH" => volume(&|one| one["name"] == "scratch")?,
        "DATABASE" => volume(&|one| one["name"] == "database")?,
        "SECRET" => volume(&|one| !one["secret"].is_null())?,
        // The map of settings, whose name ends with a digest.
        "SHARED" => {
            let is_shared = !object["data"]["SERVICES_ASSET"].is_null();
            is_shared.then(|| "/data".to_owned())?
        }
        _ => panic!("{short}: {head} stands for nothing"),
    };
    Some(start + rest)
}

/// Whether the object is what the mutation is about, beyond its kind: names of generated maps end with a digest.
fn applies(whose: Whose, object: &Value) -> bool {
    match whose {
        Whose::One("ConfigMap/nats") => subject(object).starts_with("ConfigMap/nats"),
        _ => is_whose(whose, object),
    }
}

/// Spoils each object that the mutation is about, by itself: how many there were, and those that went unnoticed.
fn spoil(overlay: &mut Overlay, facts: &Facts, mutation: &Mutation) -> (usize, Vec<String>) {
    let (rule_name, whose, short, change) = mutation;
    let rule = RULES.iter().find(|rule| rule.name == *rule_name).unwrap();
    let (mut tried, mut unnoticed) = (0, Vec::new());
    for at in 0..overlay.objects.len() {
        let before = overlay.objects[at].clone();
        let Some(pointer) = pointer(short, &before).filter(|_| applies(*whose, &before)) else { continue };
        if make(&mut overlay.objects[at], &pointer, change) && overlay.objects[at] != before {
            tried += 1;
            if rule.check(overlay, facts).is_empty() {
                unnoticed.push(format!(
                    "{}: {rule_name}: {} {pointer} {change:?}",
                    overlay.name,
                    subject(&before)
                ));
            }
        }
        overlay.objects[at] = before;
    }
    (tried, unnoticed)
}

#[test]
fn every_mutation_is_caught_wherever_it_is_made() {
    let facts = facts();
    let mut overlays = ["dev", "prod"].map(|name| kept(&root(), name).unwrap());
    let mut unnoticed = Vec::new();
    for mutation in mutations() {
        let mut tried = 0;
        for overlay in &mut overlays {
            let (here, missed) = spoil(overlay, &facts, &mutation);
            tried += here;
            unnoticed.extend(missed);
        }
        assert!(tried > 0, "{mutation:?} is about nothing");
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[test]
fn every_rule_has_a_mutation() {
    let tried: BTreeSet<_> = mutations().iter().map(|mutation| mutation.0).collect();
    let rules: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(tried, rules);
}
