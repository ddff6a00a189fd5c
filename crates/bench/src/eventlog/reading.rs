//! Loads of one stream, the whole log from its beginning, and following it while others write.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use eventlog::{Append, Log, Tail};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Args, appends, postgres::Peers, sample};
use crate::{
    series::Series,
    table::{Table, verdict},
};

/// Events that a stream has when it is loaded.
const STREAMS: [u64; 2] = [100, 1000];
/// Writers while the log is followed.
const WRITERS: usize = 16;
/// Events of one batch of the tail.
const BATCH: usize = 1024;
/// Events a second, the whole log.
const WHOLE_AIM: f64 = 400_000.0;
/// Milliseconds.
const LAG_AIM: f64 = 10.0;
/// How long the last events may take to be read.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(
    args: &Args,
    database: &str,
    log: &Log,
    driver: Option<&Peers>,
) -> anyhow::Result<()> {
    let mut table = Table::new(&["what", "median (least–most)", "aim", ""]);
    for events in STREAMS {
        let loads = load(args, log, events).await?;
        table.plain(format!("load of a stream of {events} events, ms"), loads.to_string());
    }
    fill(log, args.events).await?;
    let (whole, head) = (whole(args, log).await?, log.head().await?);
    let met = verdict(whole.median() >= WHOLE_AIM);
    let aim = format!("≥ {WHOLE_AIM:.0} events/s");
    table.row(vec![format!("the whole log of {head} events, events/s"), whole.to_string(), aim, met]);
    if let Some(peers) = driver {
        let mut alone = Series::default();
        for _ in 0..args.runs {
            alone.push(peers.read(i64::try_from(BATCH)?).await?);
        }
        table.plain(
            "the same rows through the driver alone, texts borrowed, rows/s".to_owned(),
            alone.to_string(),
        );
    }
    let lag = follow(args, log).await?;
    let p99 = lag.stored.quantile(0.99);
    let met = verdict(p99 < LAG_AIM);
    let what = format!("behind {WRITERS} writers, from stored to read, 99 % below, ms");
    table.row(vec![what, format!("{p99:.2}"), format!("< {LAG_AIM:.0} ms, nothing lost"), met]);
    table.plain("the same, median, ms".to_owned(), format!("{:.2}", lag.stored.median()));
    let made = format!("{:.2}, median {:.2}", lag.made.quantile(0.99), lag.made.median());
    table.plain("from handed over to read (storing included), 99 % below, ms".to_owned(), made);
    table.print(&format!("Reading on {database}"));
    Ok(())
}

async fn load(args: &Args, log: &Log, events: u64) -> anyhow::Result<Series> {
    let stream = format!("long-{}", Uuid::now_v7());
    log.append(Append::to(&*stream).events((0..events).map(sample::event))).await?;
    let mut series = Series::default();
    for _ in 0..args.runs.max(20) {
        let started = Instant::now();
        let loaded = log.load(&stream, 0).await?;
        series.push(started.elapsed().as_secs_f64() * 1000.0);
        ensure!(loaded.len() as u64 == events, "{} of {events} events were loaded", loaded.len());
    }
    Ok(series)
}

pub(super) async fn fill(log: &Log, events: u64) -> anyhow::Result<()> {
    for chunk in 0..events.div_ceil(1000) {
        let append = Append::to(format!("filled-{}", Uuid::now_v7()));
        log.append(append.events((0..1000).map(|number| sample::event(chunk * 1000 + number)))).await?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a rate")]
pub(super) async fn whole(args: &Args, log: &Log) -> anyhow::Result<Series> {
    let mut series = Series::default();
    for _ in 0..args.runs {
        let (head, cancel) = (log.head().await?, CancellationToken::new());
        let mut tail = Tail::new(log.clone(), 0).batch(BATCH);
        let (started, mut read) = (Instant::now(), 0);
        while tail.position() < head {
            read += tail.next_batch(&cancel).await?.map_or(0, |batch| batch.len());
        }
        series.push(read as f64 / started.elapsed().as_secs_f64());
    }
    Ok(series)
}

/// Lags in milliseconds, over all events.
struct Lag {
    /// From the moment at which an event was handed over; its way to the disk is in it.
    made: Series,
    /// From the moment at which its writer knew that it was stored.
    stored: Series,
}

async fn follow(args: &Args, log: &Log) -> anyhow::Result<Lag> {
    let (cancel, from) = (CancellationToken::new(), log.head().await?);
    let (reading, stop) = (log.clone(), cancel.clone());
    let (told, mut position) = watch::channel(from);
    let reader = tokio::spawn(async move {
        let mut tail = Tail::new(reading, from).batch(BATCH);
        let mut read = HashMap::new();
        while let Some(batch) = tail.next_batch(&stop).await? {
            let now = Instant::now();
            for event in batch {
                let again = read.insert((event.stream, event.version), now).is_some();
                ensure!(!again, "an event was read twice");
            }
            told.send_replace(tail.position());
        }
        Ok(read)
    });
    let written = appends::run(log, WRITERS, args.each()).await?.written;
    let head = log.head().await?;
    tokio::time::timeout(PATIENCE, position.wait_for(|position| *position >= head)).await??;
    cancel.cancel();
    let read = reader.await??;
    ensure!(
        read.len() == written.len(),
        "{} of {} events were read while following",
        read.len(),
        written.len()
    );
    let mut lag = Lag { made: Series::default(), stored: Series::default() };
    for event in written {
        let read = read.get(&(event.stream, event.version)).context("an event was lost while following")?;
        lag.made.push(read.saturating_duration_since(event.made).as_secs_f64() * 1000.0);
        lag.stored.push(read.saturating_duration_since(event.stored).as_secs_f64() * 1000.0);
    }
    Ok(lag)
}
