//! From the command line to an exit code: 0 fine, 64 wrong usage or configuration, 1 anything else.

use std::{future::Future, io::Write as _, process::ExitCode};

use anyhow::Context as _;
use bus::EventBus as _;
use clap::{CommandFactory, FromArgMatches};
use kit::{Clock, Deps, Readiness};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{CommonCommand, EdgeCli, EventsCommand, ServiceCli, ServiceCommand},
    config::{Config, Layers, Reader, dump::dump},
    dependencies,
    events::{PATIENCE, Publisher},
    healthcheck::{self, Ask},
    instance, migrate,
    open::{self, Patience},
    program::{Edge, EdgeDeps, Service},
    serve::{self, Part, Serving},
    settings::{self, BlobSettings, Common, ServiceSettings},
    version::{self, COMMIT, VERSION},
    watch,
};

/// EX_USAGE of `sysexits.h`: the command line or the configuration is wrong.
const USAGE: u8 = 64;

/// The `main` of a process with a database.
#[must_use]
pub fn service<S: Service>() -> ExitCode {
    let cli: ServiceCli = match parse(S::NAME, S::ABOUT) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let mut config = load(S::DEFAULTS, cli.global.config.as_deref());
    match cli.command {
        ServiceCommand::Common(CommonCommand::Serve) => {
            let read = read_service::<S>(&mut config);
            let Some((service, common, needs)) = checked(&config, read) else { return ExitCode::from(USAGE) };
            // Sends the last words when it is dropped, after everything else has ended.
            let _telling = match start_telling(S::NAME, &common) {
                Ok(telling) => telling,
                Err(error) => return failed(S::NAME, &error),
            };
            if let Err(error) = boundary::arm() {
                return failed(S::NAME, &error.into());
            }
            finish(S::NAME, serve::live(start_service(service, common, needs)))
        }
        ServiceCommand::Common(CommonCommand::Healthcheck(wanted)) => {
            let listen = Reader::new(&mut config).socket("listen");
            let Some(listen) = checked(&config, Some(listen)) else { return ExitCode::from(USAGE) };
            let ask = Ask::service(wanted.live);
            finish(S::NAME, async move { healthcheck::ask(listen, ask).await.map(success) })
        }
        ServiceCommand::Common(CommonCommand::Config(_)) => {
            let _ = read_service::<S>(&mut config);
            show(&config)
        }
        ServiceCommand::Migrate => {
            let url = settings::database_url(&mut Reader::new(&mut config));
            let Some(url) = checked(&config, Some(url)) else { return ExitCode::from(USAGE) };
            finish(S::NAME, async move { migrate::run(&url, &S::MIGRATIONS).await.map(success) })
        }
        ServiceCommand::Events(command) => look_after::<S>(&mut config, command),
    }
}

/// The `main` of a process without a database.
#[must_use]
pub fn edge<E: Edge>() -> ExitCode {
    let cli: EdgeCli = match parse(E::NAME, E::ABOUT) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let mut config = load(E::DEFAULTS, cli.global.config.as_deref());
    match cli.command {
        CommonCommand::Serve => {
            let read = read_edge::<E>(&mut config);
            let Some((edge, common, blobs)) = checked(&config, read) else { return ExitCode::from(USAGE) };
            let _telling = match start_telling(E::NAME, &common) {
                Ok(telling) => telling,
                Err(error) => return failed(E::NAME, &error),
            };
            if let Err(error) = boundary::arm() {
                return failed(E::NAME, &error.into());
            }
            finish(E::NAME, serve::live(start_edge(edge, common, blobs)))
        }
        CommonCommand::Healthcheck(wanted) => {
            let listen = Reader::new(&mut config).socket("listen");
            let Some(listen) = checked(&config, Some(listen)) else { return ExitCode::from(USAGE) };
            let ask = Ask::Http(if wanted.live { E::LIVE_PATH } else { E::READY_PATH });
            finish(E::NAME, async move { healthcheck::ask(listen, ask).await.map(success) })
        }
        CommonCommand::Config(_) => {
            let _ = read_edge::<E>(&mut config);
            show(&config)
        }
    }
}

/// What a service needs besides its own settings.
pub(crate) struct Needs {
    service: ServiceSettings,
    blobs: Option<BlobSettings>,
}

pub(crate) fn read_service<S: Service>(config: &mut Config) -> Option<(S, Common, Needs)> {
    let mut reader = Reader::new(config);
    let mut common = Common::read(&mut reader);
    let service = ServiceSettings::read(&mut reader, &mut common);
    let blobs = S::HAS_BYTES.then(|| BlobSettings::read(&mut reader, S::NAME));
    let settings = S::read(&mut reader, &common)?;
    let blobs = match blobs {
        Some(read) => Some(read?),
        None => None,
    };
    Some((settings, common, Needs { service, blobs }))
}

pub(crate) fn read_edge<E: Edge>(config: &mut Config) -> Option<(E, Common, BlobSettings)> {
    let mut reader = Reader::new(config);
    let common = Common::read(&mut reader);
    let blobs = BlobSettings::read(&mut reader, E::NAME);
    let settings = E::read(&mut reader, &common)?;
    Some((settings, common, blobs?))
}

/// The first line of the log, also of a process that does not get any further.
fn say_which(name: &str) {
    tracing::info!(version = VERSION, commit = version::known(COMMIT), "filmstrip-{name} starts");
}

async fn start_service<S: Service>(service: S, common: Common, needs: Needs) -> anyhow::Result<Serving> {
    say_which(S::NAME);
    let Needs { service: wanted, blobs } = needs;
    let patience = Patience::configured(common.patience);
    let log = open::log(&wanted.database_url, &S::MIGRATIONS, patience).await?;
    let bus = open::bus(&wanted.nats_url, &common.instance, patience).await?;
    let (blobs, directory) = match blobs {
        Some(settings) => (open::blobs(&settings, patience).await?, None),
        None => open::no_blobs(S::NAME).map(|(blobs, directory)| (blobs, Some(directory)))?,
    };
    let (cancel, readiness) = (CancellationToken::new(), Readiness::new());
    let watching = dependencies::watch(log.clone(), bus.clone(), readiness.clone(), cancel.clone());
    let leases = watch::watch(vec![log.clone()], cancel.clone());
    let deps = Deps {
        log,
        bus: bus.clone(),
        blobs,
        clock: Clock::system(),
        listener: serve::bind(common.listen).await?,
        cancel: cancel.clone(),
        readiness: readiness.clone(),
    };
    let running = service.build(deps).await.with_context(|| format!("starting the {} service", S::NAME))?;
    let address = running.address;
    tracing::info!(%address, instance = common.instance, "the {} service serves", S::NAME);
    tokio::spawn(watching);
    tokio::spawn(leases);
    let service = Part::new("the service", async move { running.stopped().await });
    let parts = vec![service, Part::new("the relays to NATS", async move { bus.stop().await })];
    Ok(Serving { name: S::NAME, address, readiness, cancel, stop: common.stop, parts, directory })
}

async fn start_edge<E: Edge>(edge: E, common: Common, blobs: BlobSettings) -> anyhow::Result<Serving> {
    say_which(E::NAME);
    let blobs = open::blobs(&blobs, Patience::configured(common.patience)).await?;
    let (cancel, readiness) = (CancellationToken::new(), Readiness::new());
    let listener = serve::bind(common.listen).await?;
    let address = listener.local_addr().context("the listener has no address")?;
    let deps = EdgeDeps {
        blobs,
        listener,
        clock: Clock::system(),
        cancel: cancel.clone(),
        readiness: readiness.clone(),
    };
    let ended = edge.build(deps).await.with_context(|| format!("starting the {}", E::NAME))?;
    let parts = vec![Part::new(E::NAME, ended)];
    Ok(Serving { name: E::NAME, address, readiness, cancel, stop: common.stop, parts, directory: None })
}

fn look_after<S: Service>(config: &mut Config, command: EventsCommand) -> ExitCode {
    let mut reader = Reader::new(config);
    let urls = (settings::database_url(&mut reader), settings::nats_url(&mut reader));
    let Some((database, nats)) = checked(config, Some(urls)) else { return ExitCode::from(USAGE) };
    finish(S::NAME, async move {
        let bus = open::bus(&nats, &instance::made_up(), PATIENCE).await?;
        let publisher = Publisher { source: S::NAME, translate: S::TRANSLATE, bus: &bus };
        let log = open::log(&database, &S::MIGRATIONS, PATIENCE);
        Box::pin(publisher.run(&command, log)).await
    })
}

fn parse<C: CommandFactory + FromArgMatches>(name: &str, about: &'static str) -> Result<C, ExitCode> {
    let binary = format!("filmstrip-{name}");
    let command = C::command().about(about).display_name(&binary).bin_name(&binary).version(version::text());
    let parsed = command.try_get_matches().and_then(|matches| C::from_arg_matches(&matches));
    parsed.map_err(|error| {
        // Nobody is left to tell when this fails.
        let _ = error.print();
        if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
    })
}

fn load(defaults: &str, file: Option<&std::path::Path>) -> Config {
    Config::load(defaults, &Layers { file, lookup: |name: &str| std::env::var(name).ok() })
}

/// What was read, unless something is wrong; then all of it is told.
fn checked<T>(config: &Config, read: Option<T>) -> Option<T> {
    let problems = config.problems();
    if problems.is_empty() && read.is_some() {
        return read;
    }
    tell(&format!("the configuration cannot be used ({} wrong):", problems.len()));
    for problem in problems {
        tell(&format!("  - {problem}"));
    }
    None
}

/// Prints what is in force, and what is wrong with it.
fn show(config: &Config) -> ExitCode {
    if say(dump(config).trim_end()).is_err() {
        return ExitCode::FAILURE;
    }
    match checked(config, Some(())) {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::from(USAGE),
    }
}

/// Starts logs, traces and metrics.
fn start_telling(name: &str, common: &Common) -> anyhow::Result<telemetry::Guard> {
    let exporting = telemetry::Exporting {
        endpoint: common.collector.clone(),
        service: format!("filmstrip-{name}"),
        instance: common.instance.clone(),
        version: VERSION.to_owned(),
    };
    let telling = telemetry::start(&common.log_filter, common.log_format, &exporting)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked: {}", panic.payload_as_str().unwrap_or("no text"));
    }));
    Ok(telling)
}

fn success((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

fn failed(name: &str, error: &anyhow::Error) -> ExitCode {
    tell(&format!("filmstrip-{name}: {error:#}"));
    ExitCode::FAILURE
}

/// Runs a command to its end; what goes wrong is told on standard error.
fn finish(name: &str, command: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(name, &anyhow::Error::new(error).context("the runtime does not start")),
    };
    let code = runtime.block_on(Box::pin(command)).unwrap_or_else(|error| failed(name, &error));
    // Whatever still runs was given its time.
    runtime.shutdown_background();
    code
}

/// A line on standard output.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("printing")
}

#[allow(clippy::print_stderr, reason = "the last word of a command is for whoever started it")]
fn tell(text: &str) {
    eprintln!("{text}");
}
