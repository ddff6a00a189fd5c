//! All services, the gateway and, without keys, the stand-in providers in one process.
//!
//! The services still talk gRPC over loopback, on free ports, so that nothing changes when they are taken apart.

mod data_dir;
mod keeping;
mod options;
mod providers;
mod signals;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use blobs::Blobs;
use bus::{Bus, InProcessBus, NatsBus};
use eventlog::{Log, Migrations, open_log};
use kit::{Clock, Deps, Running, signing::UrlSigner};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use data_dir::DataDir;
pub(crate) use data_dir::database;
pub(crate) use keeping::Keeping;
pub use options::{Options, Provider, Providers};
use providers::Purchasing;
pub use signals::Signals;

/// The services, in the order in which they start: who is asked before who asks.
const SERVICES: [&str; 5] = ["asset", "render", "stitch", "audio", "job"];

/// How long the relays to NATS may take to end.
const BUS_STOPS: Duration = Duration::from_secs(20);

/// A standalone that runs.
#[derive(Debug)]
pub struct Standalone {
    base: String,
    summary: String,
    cancel: CancellationToken,
    services: Vec<Running>,
    gateway: gateway::Running,
    stage: Option<soundstage::Stage>,
    stage_cancel: CancellationToken,
    first_key: Option<secrecy::SecretString>,
    bus: Bus,
    // Dropped last: the directory is ours until everything in it is closed.
    _data_dir: DataDir,
}

/// Starts everything; goes on with whatever was unfinished.
///
/// # Errors
/// The options would leave the door open, the data directory is in use, a port is taken, or a part cannot start.
pub async fn start(options: Options) -> anyhow::Result<Standalone> {
    options.check()?;
    let data_dir = DataDir::open(&options.data_dir)?;
    let listener = TcpListener::bind(SocketAddr::new(options.host, options.port))
        .await
        .with_context(|| format!("listening on {}:{}", options.host, options.port))?;
    let stage_cancel = CancellationToken::new();
    let stage = providers::start_stage(&options, &data_dir, &stage_cancel).await?;
    let mut parts = Parts::new(&options, data_dir, stage.as_ref()).await?;
    let mut services = Vec::new();
    for (index, name) in SERVICES.iter().enumerate() {
        let service = parts.service(&options, index, name).await;
        services.push(service.with_context(|| format!("starting the {name} service"))?);
    }
    let gateway = parts.gateway(&options, listener).context("starting the gateway")?;
    let base = format!("http://{}", reachable(gateway.address));
    let summary = summary(&base, &options, &services, stage.as_ref());
    tokio::spawn(process::watch::watch(parts.logs, parts.cancel.clone()));
    Ok(Standalone {
        base,
        summary,
        cancel: parts.cancel,
        services,
        gateway,
        stage,
        stage_cancel,
        first_key: options.api_keys.first().cloned(),
        bus: parts.bus,
        _data_dir: parts.data_dir,
    })
}

impl Standalone {
    /// The gateway's address, such as `http://127.0.0.1:4000`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Where everything listens, a line each.
    #[must_use]
    pub fn summary(&self) -> String {
        self.summary.clone()
    }

    /// A client of the gateway, with a key when one is needed.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn client(&self) -> anyhow::Result<Client> {
        use secrecy::ExposeSecret as _;
        let client = Client::new(&self.base)?;
        Ok(match &self.first_key {
            Some(key) => client.with_key(key.expose_secret()),
            None => client,
        })
    }

    /// Runs until a signal, or until a part of it fails; then drains. Listen for them before anybody is told that it runs.
    ///
    /// # Errors
    /// A part failed.
    pub async fn until_stopped(self, mut signals: Signals) -> anyhow::Result<()> {
        let failed = tokio::select! {
            () = signals.heard() => false,
            () = self.cancel.cancelled() => true,
        };
        self.stop().await?;
        anyhow::ensure!(!failed, "a part of it failed; the log says which");
        Ok(())
    }

    /// Drains: requests under way are answered, work under way is left where the next start finds it.
    ///
    /// # Errors
    /// None at present; stopping may learn to fail.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.cancel.cancel();
        self.gateway.stopped().await;
        for service in self.services.iter().rev() {
            service.stopped().await;
        }
        // Whoever else works on the same database relays from here on; if the database does not answer, after a while.
        if tokio::time::timeout(BUS_STOPS, self.bus.stop()).await.is_err() {
            tracing::warn!("the relays to NATS have not ended; ending anyway");
        }
        // The outside world goes last.
        self.stage_cancel.cancel();
        if let Some(stage) = self.stage {
            stage.wait().await;
        }
        Ok(())
    }
}

/// What the services share, and where each of them will be.
struct Parts {
    data_dir: DataDir,
    id: String,
    database: Option<secrecy::SecretString>,
    blobs: Blobs,
    bus: Bus,
    clock: Clock,
    cancel: CancellationToken,
    purchasing: Purchasing,
    signer_secret: secrecy::SecretString,
    addresses: Vec<String>,
    listeners: Vec<Option<TcpListener>>,
    /// The logs of the services that were started.
    logs: Vec<Log>,
}

impl Parts {
    async fn new(
        options: &Options,
        data_dir: DataDir,
        stage: Option<&soundstage::Stage>,
    ) -> anyhow::Result<Self> {
        let secret = data_dir.secret()?;
        let id = data_dir.id()?;
        let purchasing = Purchasing::new(options, stage, UrlSigner::new(secret.clone()))?;
        let blobs = open_blobs(options, &data_dir).await.context("opening the object store")?;
        #[allow(clippy::float_cmp, reason = "exactly the default")]
        let clock =
            if options.time_scale == 1.0 { Clock::system() } else { Clock::scaled(options.time_scale) };
        let (mut addresses, mut listeners) = (Vec::new(), Vec::new());
        for name in SERVICES {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .with_context(|| format!("finding a port for the {name} service"))?;
            addresses.push(listener.local_addr()?.to_string());
            listeners.push(Some(listener));
        }
        let bus: Bus = match &options.nats_url {
            None => InProcessBus::new(),
            Some(url) => NatsBus::connect(url, &format!("standalone-{id}")).await?,
        };
        Ok(Self {
            data_dir,
            id,
            database: options.database_url.clone(),
            blobs,
            bus,
            clock,
            cancel: CancellationToken::new(),
            purchasing,
            signer_secret: secret,
            addresses,
            listeners,
            logs: Vec::new(),
        })
    }

    /// The name under which a service of this standalone holds leases.
    fn holder(&self, service: &str) -> String {
        format!("{service}-{}", self.id)
    }

    fn address(&self, name: &str) -> String {
        let index = SERVICES.iter().position(|service| *service == name);
        index.and_then(|index| self.addresses.get(index)).cloned().unwrap_or_default()
    }

    async fn service(&mut self, options: &Options, index: usize, name: &str) -> anyhow::Result<Running> {
        let listener = self.listeners[index].take().context("a service starts once")?;
        match name {
            "asset" => {
                let mut settings = asset::Settings::default();
                settings.import.allow_loopback = options.import_from_loopback;
                asset::build(settings, self.deps(name, &asset::store::MIGRATIONS, listener).await?).await
            }
            "render" => {
                let mut settings = self.purchasing.render();
                settings.owner = self.holder(name);
                Box::pin(render::build(settings, self.deps(name, &render::MIGRATIONS, listener).await?)).await
            }
            "stitch" => {
                let deps = self.deps(name, &stitch::MIGRATIONS, listener).await?;
                let owner = self.holder(name);
                stitch::build(stitch::Settings { owner, ..Default::default() }, deps).await
            }
            "audio" => {
                let mut settings = self.purchasing.audio();
                settings.owner = self.holder(name);
                Box::pin(audio::build(settings, self.deps(name, &audio::MIGRATIONS, listener).await?)).await
            }
            _ => {
                let mut settings = job::Settings::new(
                    self.address("asset"),
                    self.address("render"),
                    self.address("stitch"),
                    self.address("audio"),
                );
                settings.planner = self.purchasing.planner();
                settings.instance = self.holder(name);
                Box::pin(job::build(settings, self.deps(name, &job::MIGRATIONS, listener).await?)).await
            }
        }
    }

    async fn deps(
        &mut self,
        name: &str,
        migrations: &Migrations,
        listener: TcpListener,
    ) -> anyhow::Result<Deps> {
        let address = address(self.database.as_ref(), &self.data_dir, name);
        let opened = open_log(&address, migrations).await;
        let log: Log = opened.with_context(|| format!("opening the database of the {name} service"))?;
        self.logs.push(log.clone());
        Ok(Deps {
            log,
            bus: self.bus.clone(),
            blobs: self.blobs.clone(),
            clock: self.clock.clone(),
            listener,
            cancel: self.cancel.clone(),
            readiness: kit::Readiness::new(),
        })
    }

    fn gateway(&self, options: &Options, listener: TcpListener) -> anyhow::Result<gateway::Running> {
        let mut settings = gateway::Settings::new(self.signer_secret.clone());
        settings.api_keys.clone_from(&options.api_keys);
        settings.cors_origins.clone_from(&options.cors_origins);
        settings.testing_routes = true;
        settings.commit = option_env!("FILMSTRIP_COMMIT").filter(|commit| !commit.is_empty());
        if let Some(bytes) = options.max_upload {
            settings.max_upload_bytes = bytes;
        }
        let backends = gateway::Backends::new(&gateway::Addresses {
            asset: self.address("asset"),
            job: self.address("job"),
            render: self.address("render"),
            stitch: self.address("stitch"),
            audio: self.address("audio"),
        })?;
        let deps = gateway::GatewayDeps {
            listener,
            blobs: self.blobs.clone(),
            clock: self.clock.clone(),
            readiness: kit::Readiness::new(),
            cancel: self.cancel.clone(),
            backends,
        };
        Ok(gateway::build(settings, deps)?)
    }
}

async fn open_blobs(options: &Options, data_dir: &DataDir) -> anyhow::Result<Blobs> {
    let Some(address) = &options.blobs else { return Ok(Blobs::local(data_dir.blobs())?) };
    let blobs = Blobs::at(address, data_dir.scratch())?;
    blobs.check().await.with_context(|| address.to_string())?;
    Ok(blobs)
}

/// The database of a service: a schema of the one at `url`, else a file in the data directory.
fn address(url: Option<&secrecy::SecretString>, data_dir: &DataDir, service: &str) -> String {
    match url {
        None => data_dir.database(service),
        Some(url) => in_schema(url, service),
    }
}

/// The same database, in the schema of a service.
pub(crate) fn in_schema(url: &secrecy::SecretString, service: &str) -> String {
    use secrecy::ExposeSecret as _;
    let url = url.expose_secret();
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}schema={service}")
}

/// An address that a client on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port())
    } else {
        address
    }
}

fn summary(base: &str, options: &Options, services: &[Running], stage: Option<&soundstage::Stage>) -> String {
    let mut lines = vec![format!("gateway    {base}")];
    for (name, service) in SERVICES.iter().zip(services) {
        lines.push(format!("{name:<10} {} (gRPC, with reflection)", service.address));
    }
    lines.push(match (&options.providers, stage) {
        (_, Some(stage)) => format!("providers  stand-ins at {}", stage.base_url()),
        (Providers::Soundstage(url), None) => format!("providers  stand-ins at {url}"),
        (Providers::Real { replicate, xai, .. }, None) => {
            let planner = xai.as_ref().map_or("templates", |xai| xai.base_url.as_str());
            format!(
                "providers  {} (renders and music cost money), storyboards by {planner}",
                replicate.base_url
            )
        }
        (Providers::Own, None) => String::new(),
    });
    lines.push(format!("data       {}", display(&options.data_dir)));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn display(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
