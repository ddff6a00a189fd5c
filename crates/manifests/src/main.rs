//! `filmstrip-manifests`: renders the Kubernetes manifests and holds them, the Dockerfile and the compose file to our rules.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to the terminal")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use manifests::{
    compose, dockerfile,
    facts::Facts,
    finding::Finding,
    overlay::Overlay,
    render::{OVERLAYS, kept_at, render},
    rules,
};

const USAGE: &str = "\
Usage: filmstrip-manifests [--root DIR] [--kubectl FILE] [--write | --rules]

  --root DIR      the repository's top directory (default: here)
  --kubectl FILE  what renders (default: kubectl)
  --write         keeps what is rendered in k8s/rendered; without it that has to be up to date
  --rules         lists the rules over rendered manifests
";

struct Options {
    root: PathBuf,
    kubectl: PathBuf,
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
    let mut told = Options { root: ".".into(), kubectl: "kubectl".into(), write: false, rules: false };
    while let Some(flag) = args.next() {
        match flag.as_str() {
            "--root" => told.root = args.next().context("--root needs a directory")?.into(),
            "--kubectl" => told.kubectl = args.next().context("--kubectl needs a file")?.into(),
            "--write" => told.write = true,
            "--rules" => told.rules = true,
            _ => bail!("{flag:?} is not known\n\n{USAGE}"),
        }
    }
    Ok(told)
}

fn run(options: &Options) -> anyhow::Result<ExitCode> {
    if options.rules {
        for rule in rules::RULES {
            println!("{:<18} {}", rule.name, rule.holds);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let facts = Facts::read(&options.root)?;
    let mut failed = false;
    for name in OVERLAYS {
        let yaml = render(&options.root, &options.kubectl, name)?;
        failed |= !keep(options, name, &yaml)?;
        let overlay = Overlay::parse(name, &yaml)?;
        let findings = rules::check(&overlay, &facts);
        let what = format!("{name}: {} objects, {} rules", overlay.objects.len(), rules::RULES.len());
        failed |= !told(&what, &findings);
    }
    let images = dockerfile::Dockerfile::read(&options.root)?;
    failed |= !told("Dockerfile", &dockerfile::check(&images, &options.root, &facts));
    let stack = compose::read(&options.root)?;
    failed |= !told("docker-compose.yml", &compose::check(&stack, &options.root, &images, &facts));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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

/// Keeps what was rendered, or says whether it is what is kept.
fn keep(options: &Options, name: &str, yaml: &str) -> anyhow::Result<bool> {
    let path = kept_at(&options.root, name);
    if options.write {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).context("making k8s/rendered")?;
        fs::write(&path, yaml).with_context(|| path.display().to_string())?;
        return Ok(true);
    }
    let up_to_date = fs::read_to_string(&path).is_ok_and(|kept| kept == yaml);
    if !up_to_date {
        println!("k8s/rendered/{name}.yaml is not what k8s/ renders to; run `cargo xtask manifests --write`");
    }
    Ok(up_to_date)
}
