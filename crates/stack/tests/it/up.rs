//! It starts, says where everything is, and ends with all that it started; told to stop, it leaves nothing behind.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::family::{descendants, gone, program};

/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running `filmstrip-up` whose scratch directories all lie in one of the test's.
struct Up {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    scratch: TempDir,
}

impl Up {
    fn start() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        // PostgreSQL runs as another user when this runs as root.
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_filmstrip-up"));
        command.args(["--replicas", "1", "--draft", "--port", "0"]).env("TMPDIR", scratch.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, scratch }
    }

    /// Reads on to a line that holds `text`; gives what was read.
    async fn says(&mut self, text: &str) -> String {
        let mut said = String::new();
        let reading = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                said.push_str(&line);
                said.push('\n');
                if line.contains(text) {
                    return true;
                }
            }
            false
        };
        let found = tokio::time::timeout(PATIENCE, reading).await;
        assert!(matches!(found, Ok(true)), "no line with {text:?} in:\n{said}");
        said
    }

    async fn signal(&self, name: &str) {
        signal(self.child.id().unwrap(), name).await;
    }

    async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap()
    }

    fn left_in_scratch(&self) -> Vec<String> {
        let entries = fs::read_dir(self.scratch.path()).unwrap();
        entries.map(|entry| entry.unwrap().path().display().to_string()).collect()
    }
}

async fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([name, &id.to_string()]).status().await.unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_told_to_stop_it_ends_well_and_leaves_nothing_behind() {
    let mut up = Up::start();
    let said = up.says("Ctrl-C stops everything").await;
    for word in ["asset 0", "gateway 0", "PostgreSQL", "NATS", "S3", "soundstage", "render-0.log"] {
        assert!(said.contains(word), "no {word} in:\n{said}");
    }
    let gateway = said.lines().find_map(|line| line.strip_prefix("gateway 0")).unwrap();
    let url = format!("http://{}/api/v3/generated-videos", gateway.split_whitespace().next().unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(http.get(url).send().await.unwrap().status(), 200);

    let family = descendants(up.child.id().unwrap());
    let programs: Vec<String> = family.iter().map(|member| program(*member)).collect();
    for wanted in ["filmstrip-job", "filmstrip", "nats-server"] {
        assert!(programs.iter().any(|program| program == wanted), "no {wanted} in {programs:?}");
    }
    up.signal("-INT").await;
    let status = up.ended().await;
    assert!(status.success(), "{status}: {}", up.says("stopped").await);
    gone(&family).await;
    assert_eq!(up.left_in_scratch(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_a_killed_replica_is_started_again_and_a_killed_up_takes_all_with_it() {
    let mut up = Up::start();
    up.says("Ctrl-C stops everything").await;
    let family = descendants(up.child.id().unwrap());
    let stitch = family.iter().find(|member| program(**member) == "filmstrip-stitch").unwrap();
    signal(stitch.id, "-KILL").await;
    up.says("stitch 0 ended").await;
    up.says("stitch 0 runs again").await;
    let family = descendants(up.child.id().unwrap());
    up.signal("-KILL").await;
    assert!(!up.ended().await.success());
    gone(&family).await;
}
