//! A child process that says on its first lines where it listens, and dies with the test.

use std::{
    path::Path,
    process::{ExitStatus, Output, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use super::PATIENCE;

/// Runs `filmstrip-<service>`, which lies beside `filmstrip`, to its end, with nothing but these variables.
pub(crate) async fn run_service(
    service: &str,
    argument: &str,
    variables: impl IntoIterator<Item = (&str, &str)>,
) -> Output {
    let beside = Path::new(env!("CARGO_BIN_EXE_filmstrip"));
    let mut command = Command::new(beside.with_file_name(format!("filmstrip-{service}")));
    command.env_clear().envs(variables).arg(argument).stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await;
    let ended = ended.unwrap_or_else(|_| panic!("{service} {argument} does not end"));
    ended.unwrap_or_else(|error| panic!("{service}: {error}"))
}

/// A running `filmstrip` command.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts `filmstrip` with a clean environment but for `variables`; what it logs goes to `log`.
    pub(crate) fn start(arguments: &[String], variables: &[(String, String)], log: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_filmstrip"));
        command.args(arguments).env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The rest of the first line that begins with `word`.
    pub(crate) async fn says(&mut self, word: &str, log: &Path) -> String {
        let listening = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if let Some(rest) = line.trim().strip_prefix(word) {
                    return Some(rest.trim().to_owned());
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, listening).await {
            Ok(Some(rest)) => rest,
            _ => panic!("no line {word:?}; it logged:\n{}", std::fs::read_to_string(log).unwrap_or_default()),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// SIGKILL; returns when it is gone.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; returns how it ended.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(sent.success());
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends on SIGTERM").unwrap()
    }
}
