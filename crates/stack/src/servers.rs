//! PostgreSQL with a role and a schema for each service, NATS, S3.

use std::{collections::HashMap, path::PathBuf};

use anyhow::Context as _;
use rand::RngExt as _;
use testservers::{NatsServer, PostgresServer, S3Server, ServiceUrls};

use crate::{Ending, Server, Service, environment::BlobSettings};

/// The servers that the processes run on; gone when dropped.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) postgres: PostgresServer,
    pub(crate) nats: NatsServer,
    s3: S3Server,
    databases: HashMap<Service, ServiceUrls>,
    /// What it takes to be let in, each under a name.
    secrets: Vec<(String, String)>,
}

impl Servers {
    /// Starts them, each on a free port or socket; `guarded`: PostgreSQL and NATS ask for passwords.
    pub(crate) async fn start(guarded: bool) -> anyhow::Result<Self> {
        let mut secrets = Vec::new();
        let mut password = |name: &str| {
            let drawn = drawn();
            secrets.push((name.to_owned(), drawn.clone()));
            drawn
        };
        let of_nats = guarded.then(|| password("the password of NATS"));
        let nats = async {
            match &of_nats {
                Some(password) => NatsServer::start_guarded("filmstrip", password).await,
                None => NatsServer::start().await,
            }
        };
        let (postgres, nats, s3) = tokio::join!(PostgresServer::start(), nats, S3Server::start());
        let (postgres, s3) = (postgres.context("starting PostgreSQL")?, s3.context("starting S3")?);
        let mut databases = HashMap::new();
        for service in Service::WITH_DATABASE {
            let made = if guarded {
                let of =
                    ["owner", "service"].map(|role| password(&format!("the password of {service}_{role}")));
                postgres.guarded_role_and_schema(service.name(), [&of[0], &of[1]]).await
            } else {
                postgres.role_and_schema(service.name()).await
            };
            databases.insert(service, made.with_context(|| format!("making a schema for {service}"))?);
        }
        secrets.push(("the secret key of S3".to_owned(), s3.secret_key().to_owned()));
        secrets.push(("the key id of S3".to_owned(), s3.access_key().to_owned()));
        Ok(Self { postgres, nats: nats.context("starting NATS")?, s3, databases, secrets })
    }

    /// What it takes to be let in, each under a name.
    pub(crate) fn secrets(&self) -> &[(String, String)] {
        &self.secrets
    }

    /// Takes a server away; what it stored stays.
    pub(crate) fn stop(&mut self, server: Server, how: Ending) {
        match (server, how) {
            (Server::Postgres, Ending::Crash) => self.postgres.stop(),
            (Server::Postgres, Ending::Orderly) => self.postgres.stop_orderly(),
            (Server::Nats, Ending::Crash) => self.nats.stop(),
            (Server::Nats, Ending::Orderly) => self.nats.stop_orderly(),
            (Server::S3, _) => self.s3.stop(),
        }
    }

    /// Starts a server that was taken away, where it was.
    pub(crate) async fn run(&mut self, server: Server) -> anyhow::Result<()> {
        let started = match server {
            Server::Postgres => self.postgres.run().await,
            Server::Nats => self.nats.run().await,
            Server::S3 => self.s3.run().await,
        };
        started.with_context(|| format!("starting {server} again"))
    }

    /// The database as the service itself sees it: it reads and writes rows. None: it has no database.
    pub(crate) fn database_url(&self, service: Service) -> Option<&str> {
        self.databases.get(&service).map(|urls| urls.service.as_str())
    }

    /// The database as its owner sees it: it makes and changes tables, and lets the service work with them.
    pub(crate) fn owner_url(&self, service: Service) -> Option<&str> {
        self.databases.get(&service).map(|urls| urls.owner.as_str())
    }

    /// The database whole, for a person.
    pub(crate) fn superuser_url(&self) -> String {
        self.postgres.superuser_url()
    }

    /// Where stored bytes lie on the disk.
    pub(crate) fn blob_dir(&self) -> PathBuf {
        self.s3.object_path("")
    }

    pub(crate) fn blobs(&self) -> BlobSettings {
        BlobSettings {
            url: self.s3.blob_url(),
            endpoint: self.s3.endpoint(),
            bucket: self.s3.bucket().to_owned(),
            access_key_id: self.s3.access_key().to_owned(),
            secret_access_key: self.s3.secret_key().to_owned(),
        }
    }
}

/// A secret of 64 hexadecimal digits.
pub(crate) fn drawn() -> String {
    rand::rng().random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}
