//! A job that stands still is found with what the guide tells to type, in its order, and nothing else.

use std::{sync::LazyLock, time::Duration};

use stack::{Options, Service, Stack};

use super::{guide, section, shell, typed};
use crate::world::{approved_job, campaign, finished, note, pause};

/// A worker that hangs is asked until the question has taken too long; only then is the job told to be stalled.
const PATIENCE: Duration = Duration::from_mins(4);

/// How long each may keep a job waiting, instead of many minutes.
const SOON: &str = "3s";

/// The shell of somebody who has read how to set it up for `cargo xtask up`, with the lines filled in from `stack`.
fn set_up(guide: &str, stack: &Stack) -> String {
    let blocks = typed(section(guide, "### Set up the shell"));
    let (first, last) = (blocks.first().unwrap(), blocks.last().unwrap());
    let filled = [
        ("BASE=", stack.gateways()[0].clone()),
        ("DB=", format!("'{}'", stack.superuser_url())),
        ("NATS=", stack.nats_url()),
        ("DIR=", format!("'{}'", stack.directory().display())),
    ];
    let mut missing: Vec<&str> = filled.iter().map(|(name, _)| *name).collect();
    let mut script = String::new();
    // The programs of this build are on the PATH.
    for line in first.lines().filter(|line| !line.starts_with("PATH=")) {
        match filled.iter().find(|(name, _)| line.starts_with(name)) {
            Some((name, value)) => {
                missing.retain(|other| other != name);
                script.push_str(&format!("{name}{value}\n"));
            }
            None => script.push_str(&format!("{line}\n")),
        }
    }
    assert!(missing.is_empty(), "the first shell of the guide does not set {missing:?}");
    script + last
}

/// What the guide's shell wants and this machine lacks: their lines are left out, the others say enough.
static LACKING: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let path = std::env::var("PATH").unwrap_or_default();
    let has = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let lacking: Vec<&str> = ["curl", "jq"].into_iter().filter(|name| !has(name)).collect();
    if !lacking.is_empty() {
        note(&format!("the guide's lines with {lacking:?} are not tried: they are not installed"));
    }
    lacking
});

/// Whether a line asks a Prometheus, a cluster or NATS's own client, which this stack has not, or needs what is lacking.
fn is_elsewhere(line: &str) -> bool {
    let begins = |begin: &&str| line.trim_start().starts_with(begin);
    let asks_the_api = ["api ", "curl ", "warnings "].iter().any(begins);
    ["prom ", "kubectl ", "nats "].iter().any(begins) || (asks_the_api && !LACKING.is_empty())
}

/// What a block says.
async fn say(shell_of: &str, block: &str, job: i64) -> String {
    let lines = block.lines().filter(|line| !is_elsewhere(line));
    let lines = lines.map(|line| if line == "JOB=43" { format!("JOB={job}") } else { line.to_owned() });
    let typed = lines.collect::<Vec<_>>().join("\n");
    shell(&format!("{shell_of}\nJOB={job}\n{typed}")).await.unwrap_or_else(|words| panic!("{words}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_a_stuck_job_is_found_with_what_the_guide_tells_to_type() {
    let guide = guide();
    let watched = ["WATCH_STITCH", "WATCH_RENDER", "WATCH_AUDIO"];
    let variables = watched.map(|name| (Service::Job, name.to_owned(), SOON.to_owned())).to_vec();
    let options = Options { replicas: 1, draft: true, variables, ..Options::default() };
    let mut stack = Stack::start(options).await.unwrap_or_else(|error| panic!("{error:#}"));
    let shell_of = set_up(&guide, &stack);
    let client = filmstrip::client::Client::new(&stack.gateways()[0]).unwrap();
    let campaign = campaign(&client, "Quay House", 4).await;

    // What holds the job, which the person at the shell does not know.
    stack.pause(Service::Stitch, 0).unwrap();
    let job = approved_job(&client, &campaign, 2).await;

    let blocks =
        |heading: &str| typed(section(&guide, heading)).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let first = blocks("### 1. Who must move it");
    let mut seen = String::new();
    let stalled = async {
        // The owner is told by the job's row; that it is stalled, by the time in its last column.
        let is_found = |line: &str| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            cells.first() == Some(&job.to_string().as_str())
                && cells.get(2) == Some(&"stitch")
                && cells.last() != Some(&"")
        };
        loop {
            seen = say(&shell_of, &first[0], job).await;
            if seen.lines().any(is_found) {
                return;
            }
            pause().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, stalled).await.is_ok(), "{seen}");

    let why = blocks("### 2. Why, in its own words");
    assert!(say(&shell_of, &why[0], job).await.contains("stitch does not answer when it is asked for cut 1"));
    let lines = say(&shell_of, &why[1], job).await;
    assert!(lines.contains("job_stalled") && lines.contains("cut 1 requested"), "{lines}");
    let holds = say(&shell_of, &blocks("### 3. What holds the owner")[0], job).await;
    assert!(holds.contains("(0 rows)"), "{holds}");
    assert!(holds.contains(r#""stitch":"away""#) || !LACKING.is_empty(), "{holds}");
    for heading in [
        "### It waits for a person",
        "### It waits for job",
        "### It waits for render",
        "### It waits for stitch",
        "### It waits for audio",
        "### Do messages get through",
    ] {
        for block in blocks(heading).into_iter().filter(|block| !block.lines().all(is_elsewhere)) {
            let said = say(&shell_of, &block, job).await;
            assert!(!said.trim().is_empty() || !LACKING.is_empty(), "{heading} says nothing");
        }
    }

    stack.resume(Service::Stitch, 0).unwrap();
    let job_then = finished(&client, job).await;
    assert_eq!(job_then["status"], "completed", "{job_then}");
    let over = say(&shell_of, &blocks("### Free it")[0], job).await;
    assert!(over.contains("JobResumed") && over.contains("(0 rows)"), "{over}");
    stack.stop().await.unwrap_or_else(|error| panic!("{error:#}"));
}
