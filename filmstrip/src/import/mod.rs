//! `filmstrip import`: what the databases of the predecessors hold, brought over and shown to be there.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `args` | what a person types |
//! | `feed` | reads the source in a thread of its own |
//! | `batch` | puts together what is read; its bytes are on their way to the object store meanwhile |
//! | `fetch` | bytes that the source has only a URL of |
//! | `fill` | references to bytes, where they belong; pure |
//! | `present` | what came in earlier runs |
//! | `send` | batch after batch, in order |
//! | `target` | the services' code in this process, or services that run |
//! | `dry` | reads everything and writes nothing |
//! | `verify` | the source beside what is here |
//! | `report` | what it came to, as JSON and for people |
//! | `progress` | how far it is |
//!
//! It may be killed at any moment. Bytes are durable before what names them, each row is there whole or not at all, and
//! every row is known by where it comes from: the same command goes on where it stopped.

mod args;
mod batch;
mod dry;
#[cfg(test)]
mod fake;
mod feed;
mod fetch;
mod fill;
mod present;
mod progress;
mod report;
mod send;
mod target;
mod verify;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use legacy::Source;

use crate::standalone::{self, Keeping, Options};
pub use args::ImportArgs;
use args::{Doing, ReportFile, Where};
use feed::Mode;
use progress::Progress;
use report::{Report, SourceName};
use send::Wishes;
use target::{Inside, Target, Wire};
use verify::Findings;

/// Runs the command; an error unless everything that was found is there, or is the same. `data_dir` is the data directory
/// that the environment names.
///
/// # Errors
/// The source or the target cannot be used, something failed, or rows stay behind; the text says which.
pub async fn run(args: ImportArgs, data_dir: Option<PathBuf>, options: Options) -> anyhow::Result<()> {
    let report = args.report()?;
    let opened = tokio::task::spawn_blocking({
        let args = args.clone();
        move || args.open()
    });
    let (source, name) = opened.await.context("opening the source")??;
    let doing = args.doing();
    if let Doing::DryRun { fetch } = doing {
        return dry_run(source, name, fetch, report).await;
    }
    let mut options = options;
    options.import_from_loopback = args.import_from_loopback();
    let place = args.place(data_dir);
    let told = match &place {
        Where::DataDir(dir) => dir.display().to_string(),
        Where::Server(addresses) => addresses.to_string(),
    };
    let target = open(place, options, doing).await?;
    match doing {
        Doing::Import { fetch } => {
            let wishes = Wishes { fetch, limits: args.limits() };
            import(source, name, told, target, wishes, report).await
        }
        _ => verify(source, name, told, target, report).await,
    }
}

async fn open(place: Where, options: Options, doing: Doing) -> anyhow::Result<Arc<dyn Target>> {
    Ok(match place {
        Where::Server(addresses) => Arc::new(Wire::new(&addresses)?),
        Where::DataDir(data_dir) => {
            if doing == Doing::Verify && !data_dir.exists() {
                bail!("there is no data directory {}: nothing was brought over to it", data_dir.display());
            }
            let options = Options { data_dir, ..options };
            Arc::new(Inside(Keeping::open(&options).await?))
        }
    })
}

async fn dry_run(
    source: Source,
    name: SourceName,
    fetch: bool,
    file: Option<ReportFile>,
) -> anyhow::Result<()> {
    let progress = Progress::new();
    let mut report = Report::new(name, None);
    let feed = feed::start(source, Mode::Digests, progress.clone());
    let ended = unless_stopped(dry::run(feed, fetch, &progress, &mut report)).await;
    finish(report, ended, &progress, file, "Nothing was written.")
}

async fn import(
    source: Source,
    name: SourceName,
    told: String,
    target: Arc<dyn Target>,
    wishes: Wishes,
    file: Option<ReportFile>,
) -> anyhow::Result<()> {
    let progress = Progress::new();
    let mut report = Report::new(name.clone(), Some(told));
    let feed = feed::start(source, Mode::Pieces, progress.clone());
    let running = send::run(feed, &name.name, &target, wishes, &progress, &mut report);
    let ended = unless_stopped(running).await;
    let after = "Nothing is half-imported: each row is there whole or not at all. When that is put right, the same \
                 command goes on where it stopped.";
    finish(report, ended, &progress, file, after)
}

/// Prints and writes the report; an error unless it is complete.
fn finish(
    mut report: Report,
    ended: anyhow::Result<()>,
    progress: &Progress,
    file: Option<ReportFile>,
    after_a_failure: &str,
) -> anyhow::Result<()> {
    progress.finish();
    let (bytes, passed) = progress.so_far();
    (report.bytes, report.seconds) = (bytes, passed.as_secs_f64());
    report.close(ended.as_ref().err().map(|error| format!("{error:#}")));
    say(&report.text())?;
    if let Some(file) = file {
        file.write(&report)?;
    }
    if let Err(error) = ended {
        let what = format!("{error:#}");
        bail!("{}. {after_a_failure}", what.trim_end_matches('.'));
    }
    match report.bad() {
        0 => Ok(()),
        1 => bail!("1 row stays behind; the report says which and why"),
        rows => bail!("{rows} rows stay behind; the report says which and why"),
    }
}

async fn verify(
    source: Source,
    name: SourceName,
    told: String,
    target: Arc<dyn Target>,
    file: Option<ReportFile>,
) -> anyhow::Result<()> {
    let progress = Progress::new();
    let mut findings = Findings::new(name.clone(), told);
    let feed = feed::start(source, Mode::Digests, progress.clone());
    let running = verify::run(feed, &name.name, &target, &progress, &mut findings);
    let ended = unless_stopped(running).await;
    progress.finish();
    findings.seconds = progress.so_far().1.as_secs_f64();
    findings.close(ended.as_ref().err().map(|error| format!("{error:#}")));
    say(&findings.text())?;
    if let Some(file) = file {
        file.write(&findings)?;
    }
    ended.context("comparing stopped before its end")?;
    match findings.differences() {
        0 => Ok(()),
        1 => bail!("1 difference; it is named above"),
        differences => bail!("{differences} differences; they are named above"),
    }
}

/// Runs something until it ends or a signal says to stop. Whatever it was doing then is left as after a kill.
async fn unless_stopped<E: Into<anyhow::Error>>(
    running: impl Future<Output = Result<(), E>>,
) -> anyhow::Result<()> {
    let mut signals = standalone::Signals::listen()?;
    tokio::select! {
        ended = running => ended.map_err(Into::into),
        () = signals.heard() => bail!("it was told to stop by a signal"),
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).context("printing")
}
