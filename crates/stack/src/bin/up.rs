//! `filmstrip-up`: the whole of Filmstrip as processes on this machine, until Ctrl-C.

use std::{io::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use stack::{Options, Stack, table};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Starts every process with its replicas on PostgreSQL, NATS and S3 servers of their own, with stand-in
/// providers; stops them on Ctrl-C or SIGTERM and leaves nothing behind.
#[derive(Debug, Parser)]
#[command(name = "filmstrip-up", version, about)]
struct Args {
    /// Replicas of each process.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    replicas: u8,
    /// Small, quick clips.
    #[arg(long)]
    draft: bool,
    /// API key that the gateway asks its callers for; without it the API is open, on loopback.
    #[arg(long)]
    key: Option<String>,
    /// Port of the first gateway; another when it is taken.
    #[arg(long, default_value_t = 4000)]
    port: u16,
    /// Keep logs and work in progress in this directory instead of a scratch one.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// What the processes log, such as "info" or "info,render=debug".
    #[arg(long, default_value = "info")]
    log: String,
}

/// Between two looks at the processes.
const LOOK: Duration = Duration::from_millis(500);
/// Before another try to start a process that does not start.
const RETRY: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error).context("starting the runtime")),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

#[allow(clippy::print_stderr, reason = "the last word of a command is for the person who typed it")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("filmstrip-up: {error:#}");
    ExitCode::FAILURE
}

async fn run(args: Args) -> anyhow::Result<()> {
    let mut told = Told::new()?;
    let options = Options {
        replicas: usize::from(args.replicas),
        draft: args.draft,
        directory: args.dir,
        gateway_port: Some(args.port),
        api_key: args.key,
        log_filter: args.log,
        ..Options::default()
    };
    say("starting PostgreSQL, NATS, S3, the stand-in providers and every process")?;
    let started = tokio::select! {
        started = Stack::start(options) => started,
        // What has started so far ends with the future that held it.
        () = told.heard() => return say("stopped before it was up"),
    };
    let mut stack = started?;
    say(&format!("\n{}\n\n{}", table::listing(&stack), table::advice(&stack)))?;
    watch(&mut stack, &mut told).await?;
    say("stopping; Ctrl-C again kills what is left")?;
    tokio::select! {
        stopped = stack.stop() => stopped?,
        () = told.heard() => anyhow::bail!("killed before everything had stopped"),
    }
    say("stopped")
}

/// Starts processes again that end by themselves, until we are told to stop.
async fn watch(stack: &mut Stack, told: &mut Told) -> anyhow::Result<()> {
    let mut down = Vec::new();
    let mut wait = LOOK;
    loop {
        tokio::select! {
            () = told.heard() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
        wait = LOOK;
        for (service, index, status) in stack.ended() {
            say(&format!("{service} {index} ended ({status})"))?;
            down.push((service, index));
        }
        let Some((service, index)) = down.pop() else { continue };
        let started = tokio::select! {
            started = stack.start_again(service, index) => started,
            () = told.heard() => return Ok(()),
        };
        match started {
            Ok(()) => say(&format!("{service} {index} runs again"))?,
            Err(error) => {
                say(&format!("{error:#}"))?;
                down.insert(0, (service, index));
                wait = RETRY;
            }
        }
    }
}

/// SIGINT and SIGTERM, listened for from the start.
struct Told {
    interrupt: Signal,
    terminate: Signal,
}

impl Told {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("listening for SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("listening for SIGTERM")?,
        })
    }

    /// Waits for the next of either.
    async fn heard(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("printing")
}
