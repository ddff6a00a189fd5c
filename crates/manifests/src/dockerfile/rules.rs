//! What has to hold of the Dockerfile.

use std::path::Path;

use crate::{
    dockerfile::{Dockerfile, Instruction},
    facts::{Facts, PROCESSES},
    finding::Finding,
    rules::images::is_pinned,
};

/// The one image that is not of a service: everything in one process, and the stand-in providers.
const STANDALONE: &str = "filmstrip";
const LABELS: [&str; 5] = ["title", "description", "licenses", "version", "revision"];

/// Holds it to all rules.
#[must_use]
pub fn check(file: &Dockerfile, root: &Path, facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(bases(file));
    found.extend(sources(file, root));
    for target in PROCESSES.into_iter().chain([STANDALONE]) {
        if file.stage(target).is_none() {
            found.push(Finding::new("image-targets", "Dockerfile", format!("has no target {target}")));
            continue;
        }
        found.extend(image(file, target));
        found.extend(media(file, target, &facts.guide));
    }
    found
}

/// Bases are pinned, and nothing is fetched but packages of the base's distribution.
fn bases(file: &Dockerfile) -> Vec<Finding> {
    let mut found = Vec::new();
    for stage in &file.stages {
        if file.stage(&stage.from).is_none() && !is_pinned(&stage.from) {
            found.push(Finding::new("image-bases", stage.from.as_str(), "is no pinned image"));
        }
        for instruction in &stage.instructions {
            let fetches = instruction.word == "ADD"
                || (instruction.word == "RUN"
                    && ["curl ", "wget ", "| sh", "|sh"].iter().any(|way| instruction.rest.contains(way)));
            if fetches {
                found.push(Finding::new(
                    "image-bases",
                    stage.name.as_str(),
                    format!("fetches something: {} {}", instruction.word, instruction.rest),
                ));
            }
        }
    }
    found
}

/// What is copied from the repository is there, and not kept from the build.
fn sources(file: &Dockerfile, root: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let ignored = std::fs::read_to_string(root.join(".dockerignore")).unwrap_or_default();
    let kept: Vec<_> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let copies = file.stages.iter().flat_map(|stage| stage.of("COPY"));
    for copy in copies.filter(|copy| copy.flag("from").is_none()) {
        let arguments = copy.arguments();
        for source in arguments.iter().take(arguments.len().saturating_sub(1)) {
            let mut wrong = |what: &str| found.push(Finding::new("image-sources", *source, what));
            if !root.join(source).exists() {
                wrong("is copied and not in the repository");
            }
            let given = |one: &&str| *one == *source || source.starts_with(&format!("{one}/"));
            if !kept.iter().any(given) {
                wrong("is copied and not given to the build by .dockerignore");
            }
        }
    }
    found
}

/// What holds of every image that runs.
fn image(file: &Dockerfile, target: &str) -> Vec<Finding> {
    let mut wrong: Vec<(&'static str, String)> = Vec::new();
    let user = file.holds(target, "USER").map_or("", |one| one.rest.as_str());
    let is_number = |part: &str| part.parse::<u32>().is_ok_and(|id| id > 0);
    if user.is_empty() || !user.split(':').all(is_number) {
        wrong.push(("image-user", format!("runs as {user:?}, not as a number above 0")));
    }
    let program = if target == STANDALONE { target.to_owned() } else { format!("filmstrip-{target}") };
    let entry = file.holds(target, "ENTRYPOINT").map_or(Vec::new(), exec);
    if entry != [format!("/usr/local/bin/{program}")] {
        wrong.push(("image-entry", format!("its entry point is not [\"/usr/local/bin/{program}\"]")));
    }
    if file.holds(target, "CMD").map_or(Vec::new(), exec).is_empty() {
        wrong.push(("image-entry", "has no command in the form of a list".to_owned()));
    }
    // The standalone's gateway is asked as any other.
    let asks = if target == STANDALONE { "filmstrip-gateway".to_owned() } else { program };
    let health = file.holds(target, "HEALTHCHECK").map_or(Vec::new(), exec);
    if health != [format!("/usr/local/bin/{asks}"), "healthcheck".to_owned()] {
        wrong.push(("image-health", format!("is not asked by `{asks} healthcheck` in the form of a list")));
    }
    let labels: Vec<_> = file.line(target).into_iter().flat_map(|stage| stage.of("LABEL")).collect();
    for label in LABELS {
        let name = format!("org.opencontainers.image.{label}=");
        if !labels.iter().any(|one| one.rest.contains(&name)) {
            wrong.push(("image-labels", format!("has no label org.opencontainers.image.{label}")));
        }
    }
    wrong.into_iter().map(|(rule, what)| Finding::new(rule, target, what)).collect()
}

/// The words of a command in the form of a list; none when it is in another form.
fn exec(instruction: &Instruction) -> Vec<String> {
    let start = instruction.rest.find('[').unwrap_or(instruction.rest.len());
    let before = instruction.rest[..start].split_whitespace();
    let plain = before.into_iter().all(|word| word.starts_with("--") || word == "CMD");
    let words = serde_json::from_str(&instruction.rest[start..]);
    if plain { words.unwrap_or_default() } else { Vec::new() }
}

/// ffmpeg is where the guide says that it is needed, and nowhere else.
fn media(file: &Dockerfile, target: &str, guide: &str) -> Vec<Finding> {
    let row = guide.lines().find(|line| line.starts_with(&format!("| `filmstrip-{target}` |")));
    let needed = target == STANDALONE || row.is_some_and(|row| row.contains("ffmpeg"));
    let installed =
        |stage: &&crate::dockerfile::Stage| stage.of("RUN").any(|run| run.rest.contains("ffmpeg"));
    let has = file.line(target).iter().any(installed);
    if has == needed {
        return Vec::new();
    }
    let what = if needed { "needs ffmpeg and does not have it" } else { "has ffmpeg and does not need it" };
    vec![Finding::new("image-media", target, what)]
}
