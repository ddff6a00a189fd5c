//! One event an append, each writer waiting for its answer before the next.

use std::time::{Duration, Instant};

use eventlog::{Append, Expected, Log};
use futures::future::try_join_all;
use uuid::Uuid;

use super::sample;

pub(super) struct Measured {
    pub(super) per_second: f64,
    pub(super) per_commit: f64,
    pub(super) written: Vec<Written>,
}

/// An event, when it was handed over and when it was known to be stored.
pub(super) struct Written {
    pub(super) stream: String,
    pub(super) version: i64,
    pub(super) made: Instant,
    pub(super) stored: Instant,
}

/// Appends with `writers` streams at a time for as long as told.
#[allow(clippy::cast_precision_loss, reason = "rates")]
pub(super) async fn run(log: &Log, writers: usize, each: Duration) -> anyhow::Result<Measured> {
    let before = log.stats();
    let started = Instant::now();
    let tasks = (0..writers).map(|_| tokio::spawn(write(log.clone(), started + each)));
    let written = try_join_all(tasks).await?.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let took = started.elapsed().as_secs_f64();
    let after = log.stats();
    let events = (after.events - before.events) as f64;
    Ok(Measured {
        per_second: events / took,
        per_commit: events / (after.commits - before.commits).max(1) as f64,
        written: written.into_iter().flatten().collect(),
    })
}

async fn write(log: Log, until: Instant) -> anyhow::Result<Vec<Written>> {
    let stream = format!("job-{}", Uuid::now_v7());
    let (mut version, mut written) = (0, Vec::new());
    while Instant::now() < until {
        let expected = if version == 0 { Expected::NoStream } else { Expected::Version(version) };
        let event = sample::event(version.unsigned_abs());
        let made = Instant::now();
        version = log.append(Append::to(&*stream).expecting(expected).event(event)).await?.last_version;
        written.push(Written { stream: stream.clone(), version, made, stored: Instant::now() });
    }
    Ok(written)
}
