//! `filmstrip-manifests`: renders the Kubernetes manifests and holds them, the Dockerfile and the compose file to our rules.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to the terminal")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use manifests::{
    compose, dashboards, dockerfile,
    facts::Facts,
    finding::Finding,
    observability::{self, Observability},
    overlay::Overlay,
    render::{CLUSTER, OVERLAYS, kept_at, render},
    rules,
};

const USAGE: &str = "\
Usage: filmstrip-manifests [--root DIR] [--kubectl FILE] [--asked FILE] [--write | --rules]

  --root DIR      the repository's top directory (default: here)
  --kubectl FILE  what renders (default: kubectl)
  --asked FILE    writes everything that dashboards and scalers ask Prometheus for, as a file of rules
  --write         keeps what is rendered in k8s/rendered, and the dashboards; without it they have to be up to date
  --rules         lists the rules over rendered manifests
";

struct Options {
    root: PathBuf,
    kubectl: PathBuf,
    asked: Option<PathBuf>,
    write: bool,
    rules: bool,
}

fn main() -> ExitCode {
    match options(env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("filmstrip-manifests: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut told =
        Options { root: ".".into(), kubectl: "kubectl".into(), asked: None, write: false, rules: false };
    while let Some(flag) = args.next() {
        match flag.as_str() {
            "--root" => told.root = args.next().context("--root needs a directory")?.into(),
            "--kubectl" => told.kubectl = args.next().context("--kubectl needs a file")?.into(),
            "--asked" => told.asked = Some(args.next().context("--asked needs a file")?.into()),
            "--write" => told.write = true,
            "--rules" => told.rules = true,
            _ => bail!("{flag:?} is not known\n\n{USAGE}"),
        }
    }
    Ok(told)
}

fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.rules {
        for rule in rules::RULES.iter().chain(rules::CLUSTER_RULES) {
            println!("{:<18} {}", rule.name, rule.holds);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let root = &options.root;
    let mut kept = true;
    // First, since what is rendered has them in it.
    for (name, board) in dashboards::all() {
        kept &= keep(options, &dashboards::kept_at(root, name), &dashboards::text(&board))?;
    }
    let cluster = render(root, &options.kubectl, CLUSTER)?;
    kept &= keep(options, &kept_at(root, CLUSTER), &cluster)?;
    let facts = Facts { cluster: Overlay::parse(CLUSTER, &cluster)?, ..Facts::read(root)? };
    kept &= told(&format!("cluster: {} objects", facts.cluster.objects.len()), &rules::check_cluster(&facts));
    let mut overlays = Vec::new();
    for name in OVERLAYS {
        let yaml = render(root, &options.kubectl, name)?;
        kept &= keep(options, &kept_at(root, name), &yaml)?;
        let overlay = Overlay::parse(name, &yaml)?;
        let findings = rules::check(&overlay, &facts);
        let what = format!("{name}: {} objects, {} rules", overlay.objects.len(), rules::RULES.len());
        kept &= told(&what, &findings);
        overlays.push(overlay);
    }
    let images = dockerfile::Dockerfile::read(root)?;
    kept &= told("Dockerfile", &dockerfile::check(&images, root, &facts));
    let stack = compose::read(root)?;
    kept &= told("docker-compose.yml", &compose::check(&stack, root, &images, &facts));
    let watching = Observability::read(root)?;
    kept &= told("alerts and dashboards", &observability::check(&watching, &facts));
    if let Some(file) = &options.asked {
        let asked = serde_json::to_string_pretty(&watching.expressions(&overlays))?;
        fs::write(file, asked).with_context(|| file.display().to_string())?;
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether there is nothing to say against it; says what there is.
fn told(what: &str, findings: &[Finding]) -> bool {
    println!(
        "{what}: {}",
        if findings.is_empty() { "all hold".to_owned() } else { format!("{} FINDINGS", findings.len()) }
    );
    for finding in findings {
        println!("  {finding}");
    }
    findings.is_empty()
}

/// Keeps what was made, or says whether it is what is kept.
fn keep(options: &Options, path: &Path, made: &str) -> anyhow::Result<bool> {
    let up_to_date = fs::read_to_string(path).is_ok_and(|kept| kept == made);
    if up_to_date {
        return Ok(true);
    }
    if options.write {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).context("making a directory")?;
        fs::write(path, made).with_context(|| path.display().to_string())?;
        return Ok(true);
    }
    println!("{} is not up to date; run `cargo xtask manifests --write`", path.display());
    Ok(false)
}
