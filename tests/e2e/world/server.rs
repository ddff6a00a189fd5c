//! `filmstrip standalone` as a process.

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
};

use filmstrip::client::Client;

use super::{Stage, process::Process};

/// What differs from the defaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerOptions {
    pub(crate) flags: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    /// Port kept over restarts; 0 takes a free one at the first start.
    pub(crate) port: u16,
}

/// A standalone; killed when dropped.
pub(crate) struct Server {
    process: Process,
    base: String,
    data_dir: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Server {
    pub(crate) async fn start(data_dir: PathBuf, stage: Option<&Stage>, options: ServerOptions) -> Self {
        std::fs::create_dir_all(&data_dir).unwrap();
        let mut arguments = vec!["standalone".to_owned()];
        arguments.extend(["--data-dir".to_owned(), data_dir.display().to_string()]);
        arguments.extend(["--port".to_owned(), options.port.to_string()]);
        if let Some(stage) = stage {
            arguments.extend(["--soundstage".to_owned(), stage.base().to_owned()]);
        }
        arguments.extend(options.flags);
        let (process, base) = launch(&arguments, &options.variables, &data_dir).await;
        Self { process, base, data_dir, arguments, variables: options.variables }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.base).unwrap()
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn data_dir(&self) -> &PathBuf {
        &self.data_dir
    }

    pub(crate) async fn kill(&mut self) {
        self.process.kill().await;
    }

    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        self.process.terminate().await
    }

    /// Where a service of it listens. Once after each start, in the order in which they start: asset before job.
    pub(crate) async fn address(&mut self, service: &str) -> String {
        let said = self.process.says(service, &self.data_dir.join("test.log")).await;
        said.split_whitespace().next().unwrap().to_owned()
    }

    /// Starts it again on the same data.
    pub(crate) async fn restart(&mut self) {
        (self.process, self.base) = launch(&self.arguments, &self.variables, &self.data_dir).await;
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data_dir.join("test.log")).unwrap_or_default()
    }
}

async fn launch(arguments: &[String], variables: &[(String, String)], data_dir: &Path) -> (Process, String) {
    let log = data_dir.join("test.log");
    let mut process = Process::start(arguments, variables, &log);
    let base = process.says("gateway", &log).await;
    (process, base)
}
