//! What the repository's own documents say, which manifests have to agree with.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    metrics::{self, Metric},
    object::text,
    overlay::Overlay,
    render::{CLUSTER, kept},
};

/// The processes, as the guide names them.
pub const PROCESSES: [&str; 6] = ["gateway", "asset", "job", "render", "stitch", "audio"];

/// All of it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The settings of each process, out of the guide's tables.
    pub settings: BTreeMap<String, Vec<Setting>>,
    /// The most memory of each process with the programs that it runs, bytes, as it was measured.
    pub measured: BTreeMap<String, u64>,
    /// `k8s/network.yaml`.
    pub network: Value,
    /// The guide for those who deploy it.
    pub guide: String,
    /// The metrics that there are.
    pub metrics: Vec<Metric>,
    /// What belongs to the cluster, and is applied before any overlay.
    pub cluster: Overlay,
}

/// A setting of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The variable that sets it, such as `STOP_GRACE`.
    pub variable: String,
    /// Whether the variable with `_FILE` behind it is read as well.
    pub secret: bool,
    /// Whether the process does not start without it.
    pub required: bool,
    /// What holds when nobody sets it; empty when there is nothing.
    pub default: String,
}

impl Facts {
    /// Reads them below the repository's top directory.
    ///
    /// # Errors
    /// A document is not there, or does not have the tables that it should have.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let read = |name: &str| fs::read_to_string(root.join(name)).with_context(|| name.to_owned());
        let guide = read("docs/DEPLOYING.md")?;
        let network = serde_saphyr::from_str(&read("k8s/network.yaml")?)
            .map_err(|error| anyhow::anyhow!("k8s/network.yaml is not YAML: {error}"))?;
        let measured = measured(&read("docs/PERFORMANCE.md")?);
        anyhow::ensure!(
            PROCESSES.iter().all(|process| measured.contains_key(*process)),
            "docs/PERFORMANCE.md does not tell the memory of each process"
        );
        let settings = PROCESSES.iter().map(|process| {
            let table = settings(&guide, process);
            anyhow::ensure!(!table.is_empty(), "docs/DEPLOYING.md has no table of the settings of {process}");
            Ok(((*process).to_owned(), table))
        });
        Ok(Self {
            settings: settings.collect::<anyhow::Result<_>>()?,
            measured,
            network,
            guide,
            metrics: metrics::read(&read("docs/METRICS.md")?)?,
            cluster: kept(root, CLUSTER)?,
        })
    }

    /// The settings of a process; none for what is not one.
    #[must_use]
    pub fn of(&self, process: &str) -> &[Setting] {
        self.settings.get(process).map_or(&[], Vec::as_slice)
    }

    /// The default of a process's setting.
    #[must_use]
    pub fn default(&self, process: &str, variable: &str) -> &str {
        let found = self.of(process).iter().find(|setting| setting.variable == variable);
        found.map_or("", |setting| setting.default.as_str())
    }

    /// The name of the namespace that everything is in.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.cluster.of("Namespace").next().map_or("", |space| text(space, "/metadata/name"))
    }

    /// Whether some process reads this variable.
    #[must_use]
    pub fn anyone_reads(&self, variable: &str) -> bool {
        self.settings.keys().any(|process| self.reads(process, variable))
    }

    /// Whether that process reads this variable.
    #[must_use]
    pub fn reads(&self, process: &str, variable: &str) -> bool {
        // The standard ones of OpenTelemetry are no settings of ours; those that are used are told in the guide all the same.
        if variable.starts_with("OTEL_") {
            return self.guide.contains(&format!("`{variable}`"));
        }
        let file_of = variable.strip_suffix("_FILE");
        let is = |setting: &Setting| {
            setting.variable == variable || (setting.secret && file_of == Some(&setting.variable))
        };
        self.of(process).iter().any(is)
    }
}

/// The cells of a row of a Markdown table, without their backticks.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// The guide's table for one process: `| key | variable | default | meaning |`.
fn settings(guide: &str, process: &str) -> Vec<Setting> {
    let begin = format!("<!-- settings of {process} -->");
    let table =
        guide.split_once(&begin).map_or("", |(_, rest)| rest.split("<!--").next().unwrap_or_default());
    let rows = table.lines().filter_map(cells).skip(2);
    rows.filter_map(|row| {
        let [_, variables, default, ..] = row.as_slice() else { return None };
        let variable = variables.split('`').nth(1)?.to_owned();
        Some(Setting {
            secret: variables.contains(&format!("`{variable}_FILE`")),
            required: default == "required",
            default: if default == "none" { String::new() } else { default.replace(['`', '"'], "") },
            variable,
        })
    })
    .collect()
}

/// The rows `filmstrip-<process>` of the table of memory: idle, its own, most, programs, …, all in MB.
fn measured(report: &str) -> BTreeMap<String, u64> {
    let rows = report.lines().filter_map(cells);
    rows.filter_map(|row| {
        let process = row.first()?.strip_prefix("filmstrip-")?.to_owned();
        let megabytes = |cell: Option<&String>| cell.and_then(|cell| cell.parse::<u64>().ok());
        let most = megabytes(row.get(3))?;
        Some((process, (most + megabytes(row.get(4)).unwrap_or(0)) * 1_000_000))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = "\
<!-- settings of job -->
| key | variable | default | meaning |
| --- | --- | --- | --- |
| `database_url` | `DATABASE_URL` or `DATABASE_URL_FILE` | required | Where. |
| `stop.grace` | `STOP_GRACE` | `\"25s\"` | How long. |
| `instance` | `INSTANCE` | none | Name. |
<!-- end of job -->
";

    #[test]
    fn settings_are_read_from_the_table_of_their_process() {
        let found = settings(GUIDE, "job");
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.variable.as_str(), one.secret, one.required, one.default.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("DATABASE_URL", true, true, "required"),
                ("STOP_GRACE", false, false, "25s"),
                ("INSTANCE", false, false, "")
            ]
        );
        assert!(settings(GUIDE, "asset").is_empty());
    }

    #[test]
    fn memory_is_the_process_and_its_programs() {
        let table = "\
| process           | idle | own | most | programs | afterwards | own |
|---|---|---|---|---|---|---|
| filmstrip-render  | 36   | 34  | 93   | 151      | 79         | 77  |
| filmstrip-job     | 33   | 31  | 42   | -        | 38         | 36  |
";
        let found = measured(table);
        assert_eq!(found["render"], 244_000_000);
        assert_eq!(found["job"], 42_000_000);
    }
}
