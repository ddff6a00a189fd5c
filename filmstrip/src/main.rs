//! The `filmstrip` command.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use filmstrip::{
    demo::{self, DemoArgs},
    import::{self, ImportArgs},
    standalone::{self, Options, Signals},
    strip,
};
use tokio_util::sync::CancellationToken;

/// Turns property photos into finished, scored videos.
#[derive(Debug, Parser)]
#[command(name = "filmstrip", version, about)]
struct Cli {
    /// What is logged, such as "info" or "info,render=debug".
    #[arg(long, env = "FILMSTRIP_LOG", default_value = "info", global = true)]
    log: String,
    /// OpenTelemetry collector to send traces, metrics and logs to (OTLP over HTTP), such as http://127.0.0.1:4318.
    #[arg(long = "otlp", env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", global = true)]
    collector: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything in one process.
    Standalone(StandaloneArgs),
    /// Runs only the stand-in providers.
    Soundstage(SoundstageArgs),
    /// From photographs to a finished video, through the public API.
    Demo(DemoArgs),
    /// Brings over what a predecessor's database holds, and shows that it is there.
    Import(ImportArgs),
    /// Prints a job's events as a timeline.
    Strip(StripArgs),
    /// Prints the OpenAPI document of the public API.
    Openapi,
}

#[derive(Debug, clap::Args)]
struct StandaloneArgs {
    /// Databases, media and the stand-in's state.
    #[arg(long, env = "FILMSTRIP_DATA_DIR", default_value = "filmstrip-data")]
    data_dir: PathBuf,
    /// Where the gateway listens.
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port of the gateway; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 4000)]
    port: u16,
    /// Small, quick clips from the stand-in providers.
    #[arg(long)]
    draft: bool,
    /// The stand-in providers deliver at once.
    #[arg(long)]
    instant: bool,
    /// Uses stand-in providers that run already (`filmstrip soundstage`).
    #[arg(long, env = "SOUNDSTAGE_URL")]
    soundstage: Option<String>,
    /// Runs our clock faster than the wall, for tests.
    #[arg(long, default_value_t = 1.0, hide = true)]
    time_scale: f64,
    /// Largest upload, bytes.
    #[arg(long, env = "MAX_UPLOAD_BYTES")]
    max_upload: Option<u64>,
    /// Lets URL imports reach loopback, for tests.
    #[arg(long, hide = true)]
    import_from_loopback: bool,
}

#[derive(Debug, clap::Args)]
struct SoundstageArgs {
    /// Its predictions, files and ledger.
    #[arg(long, default_value = "soundstage-data")]
    dir: PathBuf,
    /// Where it listens; port 0 takes a free one and keeps it.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Small, quick clips.
    #[arg(long)]
    draft: bool,
    /// Delivers at once.
    #[arg(long)]
    instant: bool,
    /// Runs its clock faster than the wall, for tests.
    #[arg(long, default_value_t = 1.0, hide = true)]
    time_scale: f64,
    /// Seed of what it decides by chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
struct StripArgs {
    /// Number of the job.
    job_id: i64,
    /// Data directory of the standalone that holds the job.
    #[arg(long, env = "FILMSTRIP_DATA_DIR", default_value = "filmstrip-data")]
    data_dir: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Sends the last words when it is dropped, after everything else has ended.
    let telling = match telemetry::start(&cli.log, telemetry::LogFormat::Text, &exporting(&cli)) {
        Ok(telling) => telling,
        Err(error) => return failed(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error).context("starting the runtime")),
    };
    let code = match runtime.block_on(run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    };
    drop(runtime);
    drop(telling);
    code
}

/// Where traces, metrics and logs go, if anywhere.
fn exporting(cli: &Cli) -> telemetry::Exporting {
    telemetry::Exporting {
        endpoint: cli.collector.clone().filter(|address| !address.is_empty()),
        service: "filmstrip".to_owned(),
        instance: std::process::id().to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

#[allow(clippy::print_stderr, reason = "the last word of a command is for the person who typed it")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("filmstrip: {error:#}");
    ExitCode::FAILURE
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Standalone(args) => Box::pin(serve(args)).await,
        Command::Soundstage(args) => Box::pin(soundstage_alone(args)).await,
        Command::Demo(args) => Box::pin(demo::run(args)).await,
        Command::Import(args) => {
            boundary::arm()?;
            let data_dir = std::env::var_os("FILMSTRIP_DATA_DIR").map(PathBuf::from);
            Box::pin(import::run(args, data_dir, Options::from_env()?)).await
        }
        Command::Strip(args) => {
            let url = Options::from_env()?.database_url;
            for line in strip::lines(&args.data_dir, url.as_ref(), args.job_id).await? {
                say(&line)?;
            }
            Ok(())
        }
        Command::Openapi => say(&gateway::openapi_json()),
    }
}

async fn serve(args: StandaloneArgs) -> anyhow::Result<()> {
    boundary::arm()?;
    let mut options = Options::from_env()?;
    if let Some(url) = args.soundstage {
        options.providers = standalone::Providers::Soundstage(url.trim_end_matches('/').to_owned());
    }
    let options = Options {
        data_dir: args.data_dir,
        host: args.host,
        port: args.port,
        draft: args.draft,
        instant: args.instant,
        time_scale: args.time_scale,
        max_upload: args.max_upload,
        import_from_loopback: args.import_from_loopback,
        ..options
    };
    let mut signals = Signals::listen()?;
    let server = tokio::select! {
        server = standalone::start(options) => server?,
        // Nothing was promised to anybody yet.
        () = signals.heard() => return Ok(()),
    };
    say(&server.summary())?;
    server.until_stopped(signals).await
}

async fn soundstage_alone(args: SoundstageArgs) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let cancel = CancellationToken::new();
    let stage = soundstage::start(
        soundstage::StageOptions {
            dir: args.dir,
            listen: args.listen,
            draft: args.draft,
            seed: args.seed,
            instant: args.instant,
            time_scale: args.time_scale,
        },
        cancel.clone(),
    )
    .await
    .context("starting the stand-in providers")?;
    say(&format!("soundstage {}", stage.base_url()))?;
    signals.heard().await;
    cancel.cancel();
    stage.wait().await;
    Ok(())
}

fn say(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("printing")
}
