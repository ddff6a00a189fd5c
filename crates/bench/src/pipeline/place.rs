//! Where state lies: SQLite files and one process, or PostgreSQL and NATS.

use std::path::Path;

use bus::{Bus, InProcessBus, NatsBus};
use testservers::{NatsServer, PostgresServer};

use crate::process;

/// Where state lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// SQLite files, messages inside the process.
    Standalone,
    /// PostgreSQL and NATS JetStream.
    Scaled,
}

impl Place {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Standalone => "SQLite, one process",
            Self::Scaled => "PostgreSQL + NATS",
        }
    }
}

/// The servers that a world runs on; none of them when it needs none.
pub(crate) struct Servers {
    running: Option<(PostgresServer, NatsServer)>,
    processes: Vec<u32>,
}

impl Servers {
    /// Starts them; nothing else may start a process meanwhile.
    pub(crate) async fn start(place: Place) -> anyhow::Result<Self> {
        if place == Place::Standalone {
            return Ok(Self { running: None, processes: Vec::new() });
        }
        let before = process::children();
        let running = Some((PostgresServer::start_durable().await?, NatsServer::start().await?));
        let processes = process::children().into_iter().filter(|id| !before.contains(id)).collect();
        Ok(Self { running, processes })
    }

    /// The address of a service's log.
    pub(crate) fn address(&self, directory: &Path, service: &str) -> String {
        match &self.running {
            None => directory.join(format!("{service}.db")).display().to_string(),
            Some((postgres, _)) => format!("{}?schema={service}", postgres.superuser_url()),
        }
    }

    /// The bus of what is around, and that of the job service, which is to be connected where it runs.
    pub(crate) async fn buses(
        &self,
    ) -> anyhow::Result<(Bus, impl Future<Output = anyhow::Result<Bus>> + Send + use<>)> {
        let (around, url): (Bus, _) = match &self.running {
            None => (InProcessBus::new(), None),
            Some((_, nats)) => (NatsBus::connect(&nats.url(), "workers").await?, Some(nats.url())),
        };
        let shared = around.clone();
        let own = async move {
            let Some(url) = url else { return Ok(shared) };
            let own: Bus = NatsBus::connect(&url, "job").await?;
            Ok(own)
        };
        Ok((around, own))
    }

    /// What autovacuum does within minutes of many inserts; SQLite has no such thing.
    pub(crate) async fn tidy(&self) -> anyhow::Result<()> {
        match &self.running {
            None => Ok(()),
            Some((postgres, _)) => postgres.sql("VACUUM (ANALYZE)").await,
        }
    }

    /// Processor time of the servers so far, milliseconds.
    pub(crate) fn cpu_ms(&self) -> f64 {
        self.processes.iter().map(|&id| process::family_cpu_ms(id)).sum()
    }
}
