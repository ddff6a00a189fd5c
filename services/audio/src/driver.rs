//! Makes it so: looks at every unfinished soundtrack whenever something was written, and does its next step.
//!
//! Every step is idempotent: an order has its key, an event is refused once the tables moved on, joining again
//! makes the same file. So the first pass after a crash is the same as any other, and a second replica wastes
//! time at most.

use std::collections::HashMap;
use std::time::Duration;

use blobs::Blobs;
use eventlog::{Log, Meta};
use kit::Clock;
use media::Media;
use predictions::Engine;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::AudioError;
use crate::events::Event;
use crate::join::{Joined, join};
use crate::model::MusicModel;
use crate::order::order;
use crate::store;
use crate::track::{SegmentEnd, Step, Track};
use crate::write;

/// How long the tables are left alone when nothing is written.
const POLL: Duration = Duration::from_secs(5);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How often joining is tried before the soundtrack fails.
const JOIN_TRIES: u32 = 3;

/// Carries soundtracks forward.
pub(crate) struct Driver {
    pub(crate) log: Log,
    pub(crate) engine: Engine,
    pub(crate) media: Media,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) model: MusicModel,
}

/// Joins under way and those that failed.
#[derive(Default)]
struct Joins {
    tasks: JoinSet<anyhow::Result<Joined>>,
    running: HashMap<Id, Joining>,
    failed: HashMap<String, Retry>,
}

struct Joining {
    track: Track,
    shortfall: Option<String>,
}

struct Retry {
    tries: u32,
    not_before: Instant,
}

impl Driver {
    /// Works until `cancel`; joins under way are dropped and done again after the next start.
    pub(crate) async fn run(self, cancel: CancellationToken) -> Result<(), AudioError> {
        let mut appended = self.log.appended();
        let mut joins = Joins::default();
        loop {
            appended.borrow_and_update();
            let pause = if self.pass(&mut joins).await { POLL } else { PAUSE };
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                changed = appended.changed() => if changed.is_err() { return Ok(()) },
                Some(done) = joins.tasks.join_next_with_id() => self.joined(&mut joins, done).await,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One step for each; `false` when something has to be tried again soon.
    async fn pass(&self, joins: &mut Joins) -> bool {
        let tracks = match store::unfinished(&self.log).await {
            Ok(tracks) => tracks,
            Err(error) => {
                tracing::error!(error = %anyhow::Error::new(error), "the soundtracks cannot be read; trying again");
                return false;
            }
        };
        let mut all_well = true;
        for track in tracks {
            let key = track.key.clone();
            if let Err(error) = self.step(joins, track).await {
                tracing::warn!(
                    key,
                    error = format!("{:#}", anyhow::Error::new(error)),
                    "a step failed; trying again"
                );
                all_well = false;
            }
        }
        all_well && joins.failed.is_empty()
    }

    async fn step(&self, joins: &mut Joins, track: Track) -> Result<(), AudioError> {
        match track.step(&self.model) {
            Step::Wait => Ok(()),
            Step::Order(plan) => {
                let Some(request) = &track.request else { return Ok(()) };
                let previous = track.delivered().last().map(|(_, audio, _)| audio);
                self.engine.place(order(&self.model, request, plan, previous), meta(&track)).await?;
                Ok(())
            }
            Step::Join { shortfall } => {
                self.start_joining(joins, track, shortfall);
                Ok(())
            }
            Step::Fail { reason, retryable } => self.fail(&track, reason, retryable).await,
            Step::Stop { key, reason } => {
                self.engine.cancel(&key, &reason, meta(&track)).await?;
                Ok(())
            }
            Step::EndCanceled => {
                let (key, job_id, cost_micros) = (track.key.clone(), track.job_id, track.cost_micros());
                let event = Event::SoundtrackCanceled { key, job_id, cost_micros };
                write::append(&self.log, &track.key, &[event], self.clock.now()).await.map(drop)
            }
        }
    }

    fn start_joining(&self, joins: &mut Joins, track: Track, shortfall: Option<String>) {
        let under_way = joins.running.values().any(|joining| joining.track.key == track.key);
        let too_early = joins.failed.get(&track.key).is_some_and(|retry| Instant::now() < retry.not_before);
        if under_way || too_early {
            return;
        }
        let (media, blobs, copy) = (self.media.clone(), self.blobs.clone(), track.clone());
        let task = joins.tasks.spawn(async move { join(&media, &blobs, &copy).await });
        joins.running.insert(task.id(), Joining { track, shortfall });
    }

    async fn joined(&self, joins: &mut Joins, done: Result<(Id, anyhow::Result<Joined>), JoinError>) {
        let (id, result) = match done {
            Ok(done) => done,
            Err(lost) => (lost.id(), Err(anyhow::Error::new(lost))),
        };
        let Some(Joining { track, shortfall }) = joins.running.remove(&id) else { return };
        let written = match result {
            Ok(joined) => {
                joins.failed.remove(&track.key);
                self.finish(&track, joined, shortfall).await
            }
            Err(error) => self.join_failed(joins, &track, &error).await,
        };
        if let Err(error) = written {
            // Joined again by the next pass.
            tracing::warn!(
                key = track.key,
                error = format!("{:#}", anyhow::Error::new(error)),
                "a write failed"
            );
        }
    }

    async fn finish(
        &self,
        track: &Track,
        joined: Joined,
        shortfall: Option<String>,
    ) -> Result<(), AudioError> {
        let segments = track
            .segments
            .iter()
            .filter(|segment| matches!(segment.end, Some(SegmentEnd::Delivered { .. })))
            .count();
        let event = Event::SoundtrackFinished {
            key: track.key.clone(),
            job_id: track.job_id,
            audio: joined.audio,
            duration_ms: joined.duration_ms,
            cost_micros: track.cost_micros(),
            segments: u32::try_from(segments).unwrap_or(u32::MAX),
            shortfall,
        };
        write::append(&self.log, &track.key, &[event], self.clock.now()).await.map(drop)
    }

    async fn join_failed(
        &self,
        joins: &mut Joins,
        track: &Track,
        error: &anyhow::Error,
    ) -> Result<(), AudioError> {
        let tries = joins.failed.get(&track.key).map_or(0, |retry| retry.tries) + 1;
        tracing::warn!(key = track.key, tries, error = format!("{error:#}"), "joining the segments failed");
        if tries < JOIN_TRIES {
            let not_before = Instant::now() + PAUSE * 2_u32.pow(tries);
            joins.failed.insert(track.key.clone(), Retry { tries, not_before });
            return Ok(());
        }
        joins.failed.remove(&track.key);
        let reason = format!("the music was made but could not be joined: {error}; ask for a new soundtrack");
        self.fail(track, reason, true).await
    }

    async fn fail(&self, track: &Track, reason: String, retryable: bool) -> Result<(), AudioError> {
        let event = Event::SoundtrackFailed {
            key: track.key.clone(),
            job_id: track.job_id,
            reason,
            retryable,
            cost_micros: track.cost_micros(),
        };
        write::append(&self.log, &track.key, &[event], self.clock.now()).await.map(drop)
    }
}

/// The orders belong to the job, too.
fn meta(track: &Track) -> Meta {
    Meta { correlation_id: format!("job-{}", track.job_id), ..Meta::default() }
}
