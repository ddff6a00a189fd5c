//! Where things are brought over to: a data directory, and the real command on it.

use std::{
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use filmstrip::client::Client;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use testservers::{PostgresServer, S3Server};
use tokio::process::Command;

use crate::world::{PATIENCE, Server, ServerOptions};

/// What a run of the command came to.
#[derive(Debug)]
pub(super) struct Ran {
    status: ExitStatus,
    /// Everything that it said, on both channels.
    pub(super) said: String,
    /// What `--report` wrote; null when nothing was written.
    pub(super) report: Value,
}

impl Ran {
    /// It went well.
    pub(super) fn well(self) -> Self {
        assert!(self.status.success(), "{}: {}", self.status, self.said);
        self
    }

    /// It said no, by itself; returns what it said.
    pub(super) fn refused(self) -> Self {
        assert!(!self.status.success() && self.status.signal().is_none(), "{}: {}", self.status, self.said);
        self
    }

    /// It says all of these.
    pub(super) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.said.contains(word), "no {word:?} in:\n{}", self.said);
        }
        self
    }

    /// The signal that ended it.
    pub(super) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// A data directory on one of the databases, with a place for sources beside it.
pub(super) struct Place {
    variables: Vec<(String, String)>,
    pub(super) postgres: Option<PostgresServer>,
    pub(super) s3: Option<S3Server>,
    pub(super) scratch: TempDir,
}

impl Place {
    /// SQLite files and a directory of blobs.
    pub(super) fn on_sqlite() -> Self {
        Self { variables: Vec::new(), postgres: None, s3: None, scratch: tempfile::tempdir().unwrap() }
    }

    /// PostgreSQL and a directory of blobs.
    pub(super) async fn on_postgres() -> Self {
        let postgres = PostgresServer::start().await.unwrap();
        postgres.sql("CREATE ROLE film LOGIN; GRANT CREATE ON DATABASE postgres TO film").await.unwrap();
        let mut place = Self::on_sqlite();
        place.variables.push(("DATABASE_URL".to_owned(), postgres.url("film", "postgres")));
        place.postgres = Some(postgres);
        place
    }

    /// PostgreSQL and a bucket.
    pub(super) async fn on_postgres_and_s3() -> Self {
        let mut place = Self::on_postgres().await;
        let s3 = S3Server::start().await.unwrap();
        let variables = [
            ("BLOB_URL", s3.blob_url()),
            ("S3_ENDPOINT", s3.endpoint()),
            ("S3_ACCESS_KEY_ID", s3.access_key().to_owned()),
            ("S3_SECRET_ACCESS_KEY", s3.secret_key().to_owned()),
        ];
        place.variables.extend(variables.map(|(name, value)| (name.to_owned(), value)));
        place.s3 = Some(s3);
        place
    }

    /// The data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// A file beside the data directory.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// `filmstrip import SOURCE --data-dir … --report … FLAGS`.
    pub(super) async fn import(&self, source: &Path, flags: &[&str]) -> Ran {
        self.import_with(source, flags, &[]).await
    }

    /// As [`Place::import`], with more variables.
    pub(super) async fn import_with(
        &self,
        source: &Path,
        flags: &[&str],
        variables: &[(&str, String)],
    ) -> Ran {
        let data = self.data().display().to_string();
        let mut command = self.command(source, &[&["--data-dir", data.as_str()], flags].concat());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        self.run(command).await
    }

    /// `filmstrip import SOURCE --server … --report … FLAGS`, into services that run.
    pub(super) async fn import_into(&self, server: &str, source: &Path, flags: &[&str]) -> Ran {
        self.run(self.command(source, &[&["--server", server], flags].concat())).await
    }

    /// The command, not started yet, with the variables of this place and no others.
    pub(super) fn command(&self, source: &Path, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_filmstrip"));
        command.arg("import").arg(source).arg("--report").arg(self.file("report.json")).args(flags);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a command of [`Place::command`] to its end.
    pub(super) async fn run(&self, mut command: Command) -> Ran {
        let report = self.file("report.json");
        let _ = std::fs::remove_file(&report);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        // Nothing is written by a run that was refused before it began.
        let report = std::fs::read(&report).ok().filter(|bytes| !bytes.is_empty());
        let report = report.map_or(Value::Null, |bytes| {
            serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {}", text(&bytes)))
        });
        Ran { status: output.status, said: text(&output.stdout) + &text(&output.stderr), report }
    }

    /// A standalone on it.
    pub(super) async fn serve(&self) -> Server {
        let options = ServerOptions { variables: self.variables.clone(), ..ServerOptions::default() };
        Server::start(self.data(), None, options).await
    }
}

/// Ends a standalone, so that its data directory is free.
pub(super) async fn stop(mut server: Server) {
    let ended = server.terminate().await;
    assert!(ended.success(), "{ended}: {}", server.log());
}

/// All rows of a list of the API.
pub(super) async fn listed(client: &Client, path: &str) -> Vec<Value> {
    let separator = if path.contains('?') { '&' } else { '?' };
    let mut page = client.get(&format!("{path}{separator}limit=500")).await.unwrap();
    let mut rows = Vec::new();
    loop {
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(next) = page["meta"]["next_cursor"].as_str().map(str::to_owned) else { return rows };
        page = client.get(&format!("{path}{separator}limit=500&cursor={next}")).await.unwrap();
    }
}

/// Lower-case hexadecimal SHA-256.
pub(super) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes at a path; panics unless it is a 200.
pub(super) async fn bytes(client: &Client, path: &str) -> Vec<u8> {
    let answer = client.request(reqwest::Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.bytes().await.unwrap().to_vec()
}

/// The status that a path is answered with.
pub(super) async fn status(client: &Client, path: &str) -> u16 {
    client.request(reqwest::Method::GET, path).send().await.unwrap().status().as_u16()
}
