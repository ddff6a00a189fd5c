//! NATS with JetStream on a free port.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::{
    child::{Server, program},
    port::Port,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A NATS server of its own.
#[derive(Debug)]
pub struct NatsServer {
    server: Option<Server>,
    directory: TempDir,
    // Its own also while it is down.
    port: Port,
    /// More than what every server is told.
    arguments: Vec<String>,
    /// What it takes to be let in, such as `user:password@`; empty: nothing.
    credentials: String,
}

impl NatsServer {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// It is not installed or does not start; the text says which.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Vec::new()).await
    }

    /// Starts one that is told more.
    pub(crate) async fn start_with(arguments: Vec<String>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("making a scratch directory")?;
        let credentials = String::new();
        let mut server = Self { server: None, directory, port: Port::free()?, arguments, credentials };
        server.run().await?;
        Ok(server)
    }

    /// Starts one that lets in only this user, by this password: letters and digits.
    ///
    /// # Errors
    /// As for [`NatsServer::start`].
    pub async fn start_guarded(user: &str, password: &str) -> anyhow::Result<Self> {
        let arguments = ["--user", user, "--pass", password].map(str::to_owned).to_vec();
        let started = Self::start_with(arguments).await?;
        Ok(Self { credentials: format!("{user}:{password}@"), ..started })
    }

    /// Its address, with what it takes to be let in.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}{}", self.credentials, self.port.address())
    }

    /// What it has said since it was started.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Kills it; what is stored stays.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// Ends it in order, as for an upgrade; what is stored stays.
    pub fn stop_orderly(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.signal(libc::SIGTERM);
            server.wait();
        }
    }

    /// Starts it again after [`NatsServer::stop`] or [`NatsServer::stop_orderly`], on the same port.
    ///
    /// # Errors
    /// It does not start.
    pub async fn run(&mut self) -> anyhow::Result<()> {
        let port = self.port.number().to_string();
        let ports = self.directory.path().join("ports");
        drop(fs::remove_dir_all(&ports));
        fs::create_dir_all(&ports).context("making a scratch directory")?;
        let mut command = Command::new(program("nats-server", &[])?);
        command.args(["-a", "127.0.0.1", "-p", &port, "-js", "-sd"]).arg(self.directory.path().join("store"));
        command.arg("--ports_file_dir").arg(&ports).args(&self.arguments);
        let log = self.directory.path().join("log");
        let mut server = Server::start(command, &log, libc::SIGKILL)?;
        let file = ports.join(format!("nats-server_{}.ports", server.id()));
        let started = tokio::time::Instant::now();
        while !is_written(&file) {
            let waited = started.elapsed() < PATIENCE && !server.has_ended();
            ensure!(waited, "NATS does not start: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.server = Some(server);
        Ok(())
    }
}

/// Whether the server has written its ports file, such as `{"nats":["nats://127.0.0.1:41234"]}`, whole: it listens.
fn is_written(file: &PathBuf) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.trim_end().ends_with('}'))
}
