//! `docs/OPERATIONS.md` names only what there is: metrics, settings, files, secrets, objects of the cluster, log lines; and each
//! alert has its section. Its commands and its SQL are tried where the programs are, in the end-to-end tests.

mod links;
mod numbers;
mod page;
mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use manifests::{
    facts::PROCESSES,
    object::{list, text},
    observability::Observability,
    overlay::Overlay,
    promql,
    render::kept,
    rules::secrets::referred_to,
};

use crate::{facts, root};
use page::{section, spans, split, words};

/// How the names of our metrics begin, and those of the thresholds of alerts.
const METRICS: [&str; 6] =
    ["filmstrip_", "filmstrip:threshold:", "http_server_", "rpc_", "messaging_", "process_"];
/// Names in capitals that are no settings: of other programs, or in their words.
const OTHERS: [&str; 3] = ["CURRENT_USER", "NOT_SERVING", "ON_ERROR_STOP"];

fn guide() -> String {
    fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap()
}

/// All code of the page: of its blocks, and of its lines.
fn code(guide: &str) -> Vec<String> {
    let (blocks, prose) = split(guide);
    let within = prose.iter().flat_map(|line| spans(line)).map(str::to_owned);
    blocks.iter().map(|block| block.text.clone()).chain(within).collect()
}

#[test]
fn every_metric_that_the_guide_names_exists() {
    let (guide, facts) = (guide(), facts());
    let watching = Observability::read(&root()).unwrap();
    let mut known: BTreeSet<String> = watching.names();
    for metric in &facts.metrics {
        known.extend(metric.series());
        known.insert(metric.name.clone());
        known.extend(metric.labels.iter().cloned());
    }
    let named: BTreeSet<&str> = words(&guide, |at| at.is_ascii_alphanumeric() || matches!(at, '_' | ':'))
        .map(|word| word.trim_end_matches(':'))
        .filter(|word| METRICS.iter().any(|begin| word.starts_with(begin)))
        .collect();
    let unknown: Vec<_> = named.iter().filter(|word| !known.contains(**word)).collect();
    assert!(named.len() > 15 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_question_to_prometheus_can_be_asked() {
    let (guide, facts) = (guide(), facts());
    let watching = Observability::read(&root()).unwrap();
    let asked: Vec<String> = code(&guide)
        .iter()
        .flat_map(|code| code.split("prom '").skip(1))
        .filter_map(|rest| Some(rest.split_once('\'')?.0.to_owned()))
        .collect();
    assert!(asked.len() > 8, "{asked:?}");
    for expression in asked {
        let wrong = promql::unknown(&expression, &facts.metrics, &watching.names());
        assert!(wrong.is_empty(), "{expression}: {wrong:?}");
    }
}

/// The variables of all processes, out of the files that are embedded in them.
fn variables() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for process in PROCESSES {
        let folder = if process == "gateway" { "gateway".to_owned() } else { format!("services/{process}") };
        let defaults = fs::read_to_string(root().join(folder).join("config.default.toml")).unwrap();
        let mut table = String::new();
        for line in defaults.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                table = format!("{}_", name.trim_end_matches(']'));
            } else if let Some((key, _)) = line.split_once(" = ") {
                all.insert(format!("{table}{key}").replace('.', "_").to_uppercase());
            }
        }
    }
    assert!(all.contains("STOP_GRACE") && all.contains("API_AUTH_KEY") && all.len() > 40, "{all:?}");
    all
}

#[test]
fn every_setting_that_the_guide_names_exists() {
    let (guide, settings) = (guide(), variables());
    let code = code(&guide);
    let rendered = fs::read_to_string(root().join("k8s/rendered/prod.yaml")).unwrap();
    // What the page's own commands set or expect to be set.
    let of_the_shell: BTreeSet<String> = code
        .iter()
        .flat_map(|code| code.split(['$', '{']).skip(1))
        .filter_map(|rest| {
            words(rest, |at| at.is_ascii_uppercase() || at.is_ascii_digit() || at == '_').next()
        })
        .map(str::to_owned)
        .collect();
    let is = |at: char| at.is_ascii_uppercase() || at.is_ascii_digit() || at == '_';
    let named: BTreeSet<&str> = code
        .iter()
        .flat_map(|code| words(code, |at| at.is_alphanumeric() || at == '_'))
        .filter(|word| {
            word.contains('_') && word.chars().all(is) && word.starts_with(|at: char| at.is_ascii_uppercase())
        })
        .collect();
    let unknown: Vec<_> = named
        .iter()
        .filter(|word| !settings.contains(**word) && !of_the_shell.contains(**word) && !OTHERS.contains(word))
        .filter(|word| {
            !word.strip_prefix("FILMSTRIP_").is_some_and(|of| PROCESSES.contains(&of.to_lowercase().as_str()))
        })
        .filter(|word| !rendered.contains(&format!("{word}: ")))
        .collect();
    assert!(named.len() > 15 && unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_file_that_the_guide_names_is_there_or_is_made_by_the_script_for_secrets() {
    let scratch = tempfile::tempdir().unwrap();
    let made = Command::new("sh").arg(root().join("deploy/keys.sh")).arg(scratch.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (guide, mut looked_at) = (guide(), 0);
    for code in code(&guide) {
        let paths = words(&code, |at| at.is_alphanumeric() || matches!(at, '/' | '.' | '-' | '_' | '*'));
        for path in paths.map(|path| path.trim_end_matches(['.', '/']).trim_start_matches("./")) {
            let ours =
                ["k8s/", "deploy/", "docs/", "demo/", "crates/"].iter().any(|top| path.starts_with(top));
            if !ours || path == "deploy/secrets" || path.starts_with("deploy/secrets/*") {
                continue;
            }
            looked_at += 1;
            let whole = path.split("/*").next().unwrap_or_default();
            let there = match whole.strip_prefix("deploy/secrets/") {
                // Those of the providers are brought by whoever has them.
                Some(secret) => scratch.path().join(secret).exists() || secret.ends_with("/api_key"),
                None => root().join(whole).exists(),
            };
            assert!(there, "{path} is not there");
        }
    }
    assert!(looked_at > 20, "{looked_at}");
}

/// The secrets of an overlay, each with what its manifests say about the keys in it.
fn secrets(overlay: &Overlay) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for workload in overlay.workloads() {
        for name in referred_to(workload) {
            let mounts: String = workload.containers().iter().map(|one| one.to_string()).collect();
            all.entry(name.to_owned()).or_default().push_str(&mounts);
        }
    }
    for ingress in overlay.of("Ingress") {
        for tls in list(ingress, "/spec/tls") {
            all.insert(text(tls, "/secretName").to_owned(), "/tls.crt\" /tls.key\"".to_owned());
        }
    }
    // NATS includes it: its configuration names the file.
    let nats: String = overlay.of("ConfigMap").map(ToString::to_string).collect();
    if nats.contains("include auth/auth.conf") {
        all.entry("nats-server".to_owned()).or_default().push_str("/auth.conf\"");
    }
    all
}

#[test]
fn the_secrets_of_the_guide_are_those_that_the_manifests_refer_to() {
    let guide = guide();
    let wanted = secrets(&kept(&root(), "prod").unwrap());
    let table = section(&guide, "### Prod");
    let rows = table.lines().skip_while(|line| !line.starts_with("| secret | keys |")).skip(2);
    let mut told = BTreeSet::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').collect();
        for secret in spans(cells[1]) {
            told.insert(secret.to_owned());
            let keys = wanted.get(secret).unwrap_or_else(|| panic!("nothing refers to the secret {secret}"));
            for key in spans(cells[2]) {
                assert!(keys.contains(&format!("/{key}\"")), "nothing reads {key} of the secret {secret}");
            }
        }
    }
    assert_eq!(told, wanted.into_keys().collect(), "the secrets of prod");
    let rotated = section(&guide, "## Rotate secrets");
    for secret in &told {
        let other = secret.ends_with("-database") || secret.ends_with("-database-owner");
        assert!(other || rotated.contains(&format!("`{secret}`")), "how {secret} is rotated is not told");
    }
}

#[test]
fn every_object_of_the_cluster_that_the_guide_names_exists() {
    let guide = guide();
    let overlays = ["dev", "prod"].map(|name| kept(&root(), name).unwrap());
    let kinds = [
        ("deployment/", "Deployment"),
        ("service/", "Service"),
        ("statefulset/", "StatefulSet"),
        ("job/", "Job"),
    ];
    let mut looked_at = 0;
    let (blocks, prose) = split(&guide);
    let lines = blocks.iter().flat_map(|block| block.text.lines());
    for line in lines
        .chain(prose.iter().flat_map(|line| spans(line)))
        .filter(|line| line.contains("kubectl") || line.starts_with("k "))
    {
        for word in words(line, |at| at.is_alphanumeric() || matches!(at, '-' | '/' | '$' | '{' | '"')) {
            let Some((kind, name)) =
                kinds.iter().find_map(|(begin, kind)| Some((*kind, word.strip_prefix(begin)?)))
            else {
                continue;
            };
            if name.contains('$') {
                continue;
            }
            looked_at += 1;
            assert!(overlays.iter().any(|overlay| overlay.named(kind, name).is_some()), "{word} in {line}");
        }
    }
    assert!(looked_at > 8, "{looked_at}");
}

#[test]
fn every_alert_has_the_section_that_it_leads_to_and_is_named_there() {
    let guide = guide();
    let watching = Observability::read(&root()).unwrap();
    let rules = list(&watching.alerts, "/groups").iter().flat_map(|group| list(group, "/rules"));
    let (_, prose) = split(&guide);
    let titles: BTreeMap<String, &str> = page::anchors(&prose)
        .into_iter()
        .zip(prose.iter().copied().filter(|line| is_heading(line)))
        .collect();
    let mut count = 0;
    for alert in rules {
        count += 1;
        let (name, url) = (text(alert, "/alert"), text(alert, "/annotations/runbook_url"));
        let anchor = url.split_once('#').map_or("", |(_, anchor)| anchor);
        let title = titles.get(anchor).unwrap_or_else(|| panic!("{name} leads to {url}"));
        let body = section(&guide, title);
        assert!(body.contains(&format!("`{name}`")), "{title} does not name {name}");
        for part in ["**Look here first**", "**Do**", "**Over**", "```sh"] {
            assert!(body.contains(part), "{title} lacks {part}");
        }
    }
    assert!(count >= 9, "{count}");
}

#[test]
fn every_panel_of_the_products_dashboard_is_explained() {
    let explained = section(&guide(), "## Reading the dashboards");
    let watching = Observability::read(&root()).unwrap();
    let panels = list(&watching.dashboards["filmstrip"], "/panels");
    let titles: Vec<&str> = panels.iter().map(|panel| text(panel, "/title")).collect();
    assert!(titles.len() > 20, "{titles:?}");
    for title in titles {
        assert!(explained.contains(title), "the panel {title:?} is not explained");
    }
}

#[test]
fn every_call_that_the_guide_says_a_service_answers_is_in_its_contract() {
    let (guide, mut count) = (guide(), 0);
    for service in PROCESSES.into_iter().filter(|process| *process != "gateway") {
        let contracts = fs::read_dir(root().join("proto").join(service).join("v1")).unwrap();
        let contract: String =
            contracts.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        let told = section(&guide, &format!("### {service}"));
        let line = told.lines().find(|line| line.contains("**Exposes**")).unwrap();
        for name in spans(line) {
            count += 1;
            let is_there =
                [format!("rpc {name}("), format!("service {name} ")].iter().any(|one| contract.contains(one));
            assert!(is_there, "{service} has no {name}");
        }
    }
    assert!(count > 20, "{count}");
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#') && line.trim_start_matches('#').starts_with(' ')
}
