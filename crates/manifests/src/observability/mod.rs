//! What watches Filmstrip: the collector's configuration, Prometheus's rules and alerts with their tests, Grafana's data sources and
//! dashboards; read, and held to our rules. They are the same files for compose and for Kubernetes.

mod alerts;
mod boards;
mod coverage;
mod pipeline;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    dashboards,
    facts::Facts,
    finding::Finding,
    object::{list, text},
    overlay::Overlay,
    promql,
};

/// Where its files are.
pub const CONFIG: &str = "k8s/components/observability/config";

/// All of it.
#[derive(Clone, Debug)]
pub struct Observability {
    /// The collector's configuration.
    pub collector: Value,
    /// Prometheus's.
    pub prometheus: Value,
    /// Tempo's.
    pub tempo: Value,
    /// Loki's.
    pub loki: Value,
    /// The rules that it records: thresholds, and what is asked for often.
    pub recorded: Value,
    /// Its alerts.
    pub alerts: Value,
    /// When they fire and when they do not.
    pub tests: Value,
    /// Where Grafana asks.
    pub datasources: Value,
    /// The dashboards, by the names of their files.
    pub dashboards: BTreeMap<String, Value>,
    /// The guide for those who operate it; empty when there is none.
    pub operations: String,
}

impl Observability {
    /// Reads it below the repository's top directory; dashboards as they are kept.
    ///
    /// # Errors
    /// A file is not there or not YAML.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let read = |name: &str| {
            let text = fs::read_to_string(root.join(name)).with_context(|| name.to_owned())?;
            serde_saphyr::from_str::<Value>(&text)
                .map_err(|error| anyhow::anyhow!("{name} is not YAML: {error}"))
        };
        let config = |name: &str| read(&format!("{CONFIG}/{name}"));
        let groups = |name: &str| Ok::<_, anyhow::Error>(list(&config(name)?, "/groups").to_vec());
        let recorded = [groups("thresholds.yaml")?, groups("rules.yaml")?].concat();
        let kept = dashboards::all().into_iter().map(|(name, _)| {
            let path = dashboards::kept_at(root, name);
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            Ok((name.to_owned(), serde_json::from_str(&text).with_context(|| path.display().to_string())?))
        });
        Ok(Self {
            collector: read("k8s/components/collector/config.yaml")?,
            prometheus: config("prometheus.yaml")?,
            tempo: config("tempo.yaml")?,
            loki: config("loki.yaml")?,
            recorded: serde_json::json!({ "groups": recorded }),
            alerts: config("alerts.yaml")?,
            tests: config("alerts.test.yaml")?,
            datasources: config("grafana/datasources.yaml")?,
            dashboards: kept.collect::<anyhow::Result<_>>()?,
            operations: fs::read_to_string(root.join("docs/OPERATIONS.md")).unwrap_or_default(),
        })
    }

    /// Every rule of a file of rules.
    fn rules(file: &Value) -> impl Iterator<Item = &Value> {
        list(file, "/groups").iter().flat_map(|group| list(group, "/rules"))
    }

    /// The names under which Prometheus records what it computes.
    #[must_use]
    pub fn names(&self) -> std::collections::BTreeSet<String> {
        Self::rules(&self.recorded).map(|rule| text(rule, "/record").to_owned()).collect()
    }

    /// Everything that anybody asks Prometheus for besides its own rules, as a file of rules: `promtool` tells whether it can be asked.
    /// Grafana's variables have a value.
    #[must_use]
    pub fn expressions(&self, overlays: &[Overlay]) -> Value {
        let boards = self.dashboards.iter().flat_map(|(name, board)| {
            boards::targets(board).filter(|target| text(target, "/datasource/uid") == "prometheus").map(
                move |target| {
                    (format!("dashboard {name}"), text(target, "/expr").replace("$__rate_interval", "5m"))
                },
            )
        });
        let scalers = overlays.iter().flat_map(|overlay| overlay.of("ScaledObject")).flat_map(|scaler| {
            let queries = list(scaler, "/spec/triggers").iter().map(|one| text(one, "/metadata/query"));
            queries.map(|query| ("ScaledObject".to_owned(), query.to_owned()))
        });
        let asked = boards.chain(scalers).filter(|(_, expression)| !expression.is_empty());
        let rules = asked.enumerate().map(|(at, (whose, expression))| {
            serde_json::json!({"record": format!("asked:{at}"), "labels": {"whose": whose}, "expr": expression})
        });
        serde_json::json!({"groups": [{"name": "asked", "rules": rules.collect::<Vec<_>>()}]})
    }
}

/// Holds it to all rules.
#[must_use]
pub fn check(all: &Observability, facts: &Facts) -> Vec<Finding> {
    let mut found = pipeline::check(all);
    found.extend(alerts::check(all, facts));
    found.extend(boards::check(all));
    found.extend(coverage::check(all, facts));
    found
}

/// What is wrong with an expression, as findings.
fn expression(
    rule: &'static str,
    subject: &str,
    text: &str,
    all: &Observability,
    facts: &Facts,
) -> Vec<Finding> {
    let wrong = promql::unknown(text, &facts.metrics, &all.names());
    wrong.into_iter().map(|what| Finding::new(rule, subject, what)).collect()
}
