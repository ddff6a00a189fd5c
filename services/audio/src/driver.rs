//! Makes it so: looks at every unfinished soundtrack whenever something was written, and does its next step.
//!
//! One replica at a time does so, under a lease. Every step is idempotent all the same: an order has its key, an
//! event is refused once the tables moved on, joining again makes the same file. So the first pass after a crash,
//! or after taking over, is the same as any other.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use blobs::Blobs;
use eventlog::{Log, Meta};
use kit::Clock;
use media::Media;
use predictions::Engine;
use predictions::session::{Session, Terms};
use telemetry::Subject;
use telemetry::trace::{self, span};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::AudioError;
use crate::events::Event;
use crate::join::{Joined, join};
use crate::joins::{Joining, Joins};
use crate::model::MusicModel;
use crate::order::order;
use crate::store;
use crate::track::{SegmentEnd, Step, Track};
use crate::voice::events::Event as VoiceEvent;
use crate::voice::{script::Request as VoiceRequest, state::State as VoiceState, store as voice};
use crate::write;

const LEASE_NAME: &str = "soundtrack-driver";
/// How long the tables are left alone when nothing is written.
const POLL: Duration = Duration::from_secs(5);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Carries soundtracks forward.
pub(crate) struct Driver {
    pub(crate) log: Log,
    pub(crate) engine: Engine,
    pub(crate) media: Media,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
    pub(crate) model: MusicModel,
    /// Name of this process for its lease.
    pub(crate) owner: String,
    /// How long the lease lasts without being renewed.
    pub(crate) lease: Duration,
}

impl Driver {
    /// Works until `cancel`, whenever this process holds the lease.
    pub(crate) async fn run(self, cancel: CancellationToken) -> Result<(), AudioError> {
        let terms =
            Terms { log: self.log.clone(), name: LEASE_NAME, owner: self.owner.clone(), ttl: self.lease };
        let driver = &self;
        terms.lead(&cancel, |session| async move { Box::pin(driver.work(&session)).await }).await;
        Ok(())
    }

    /// Works while the lease is held; joins under way end with it, and are done again by whoever is next.
    async fn work(&self, session: &Arc<Session>) {
        let mut appended = self.log.appended();
        let mut joins = Joins::default();
        while !session.stop.is_cancelled() {
            appended.borrow_and_update();
            let pass = session.unless_stopped(self.pass(session, &mut joins));
            let Some(all_well) = pass.await else { break };
            let pause = if all_well { POLL } else { PAUSE };
            let soon = Instant::now() + pause;
            let look_again = joins.again_at().map_or(soon, |again| again.min(soon));
            tokio::select! {
                () = session.stop.cancelled() => {}
                changed = appended.changed() => if changed.is_err() { break },
                (joining, result) = joins.ended() => self.joined(session, &mut joins, joining, result).await,
                () = tokio::time::sleep_until(look_again) => {}
            }
        }
        joins.stop().await;
    }

    /// One step for each; `false` when something has to be tried again soon.
    async fn pass(&self, session: &Session, joins: &mut Joins) -> bool {
        let tracks = match store::unfinished(&self.log).await {
            Ok(tracks) => tracks,
            Err(error) => {
                tracing::error!(error = %anyhow::Error::new(error), "the soundtracks cannot be read; trying again");
                return false;
            }
        };
        let joinable = |track: &&Track| matches!(track.step(&self.model), Step::Join { .. });
        let wanted: HashSet<String> = tracks.iter().filter(joinable).map(|track| track.key.clone()).collect();
        joins.keep(&wanted);
        let mut all_well = true;
        for track in tracks {
            let key = track.key.clone();
            let stepping = async {
                let Err(error) = self.step(session, joins, track).await else { return true };
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::warn!(key, error, "a step failed; trying again");
                false
            };
            all_well &= Subject::of_key(&key).around(stepping).await;
        }
        all_well
    }

    /// What is to be done next, in the trace of whoever asked for the soundtrack.
    async fn step(&self, session: &Session, joins: &mut Joins, track: Track) -> Result<(), AudioError> {
        let step = track.step(&self.model);
        match step {
            Step::Wait => return Ok(()),
            Step::Join { .. } if !joins.takes(&track.key) => return Ok(()),
            _ => {}
        }
        let traceparent = self.traceparent(&track).await?;
        let carried = Box::pin(self.carry_out(session, joins, track, step));
        trace::continuing(traceparent.as_deref(), carried).await
    }

    async fn carry_out(
        &self,
        session: &Session,
        joins: &mut Joins,
        track: Track,
        step: Step,
    ) -> Result<(), AudioError> {
        match step {
            Step::Wait => Ok(()),
            Step::Order(plan) => {
                let Some(request) = &track.request else { return Ok(()) };
                let previous = track.delivered().last().map(|(_, audio, _)| audio);
                self.engine.place(order(&self.model, request, plan, previous), meta(&track)).await?;
                Ok(())
            }
            Step::Speak(request) => {
                span("ask for voice").around(self.ask_for_voice(session, &track, request)).await
            }
            Step::Hush { key, reason } => {
                let hushed = [VoiceEvent::VoiceCanceled { key, reason }];
                span("take voice back").around(self.tell_voice(session, &hushed)).await
            }
            Step::Join { shortfall } => {
                let (media, blobs, copy) = (self.media.clone(), self.blobs.clone(), track.clone());
                let joining = async move { join(&media, &blobs, &copy).await };
                joins.start(track, shortfall, span("join soundtrack").around(joining));
                Ok(())
            }
            Step::Fail { reason, retryable } => self.fail(session, &track, reason, retryable).await,
            Step::Stop { key, reason } => {
                self.engine.cancel(&key, &reason, meta(&track)).await?;
                Ok(())
            }
            Step::EndCanceled => {
                let (key, job_id, cost_micros) = (track.key.clone(), track.job_id, track.cost_micros());
                let event = Event::SoundtrackCanceled { key, job_id, cost_micros };
                self.write(session, &track, event).await
            }
        }
    }

    /// Asks for the voice, unless an earlier soundtrack of the job has bought the same.
    async fn ask_for_voice(
        &self,
        session: &Session,
        track: &Track,
        request: VoiceRequest,
    ) -> Result<(), AudioError> {
        let known = if track.job_id > 0 { voice::of_job(&self.log, track.job_id).await? } else { Vec::new() };
        let same: Vec<_> = known.into_iter().filter(|voice| voice.request.sounds_like(&request)).collect();
        let is_any = !same.is_empty();
        let ready = same.into_iter().find_map(|voice| match voice.state {
            VoiceState::Ready { audio, duration_ms } => Some((voice.request.key, audio, duration_ms)),
            _ => None,
        });
        let (key, requested) = (request.key.clone(), VoiceEvent::VoiceRequested(request));
        match ready {
            Some((from, audio, duration_ms)) => {
                let reused = VoiceEvent::VoiceReused { key, from, audio, duration_ms };
                self.tell_voice(session, &[requested, reused]).await
            }
            // It is being bought: what comes of it decides.
            None if is_any => Ok(()),
            None => self.tell_voice(session, &[requested]).await,
        }
    }

    /// Records what is wanted of a voice; its own driver does it.
    async fn tell_voice(&self, session: &Session, events: &[VoiceEvent]) -> Result<(), AudioError> {
        voice::append_all(&self.log, events, self.clock.now(), Some(session.guard())).await.map(drop)
    }

    async fn joined(
        &self,
        session: &Session,
        joins: &mut Joins,
        joining: Joining,
        result: anyhow::Result<Joined>,
    ) {
        let Joining { track, shortfall, .. } = joining;
        Subject::of_key(&track.key).around(self.end(session, joins, &track, shortfall, result)).await;
    }

    async fn end(
        &self,
        session: &Session,
        joins: &mut Joins,
        track: &Track,
        shortfall: Option<String>,
        result: anyhow::Result<Joined>,
    ) {
        let written = match result {
            Ok(joined) => {
                joins.succeeded(&track.key);
                self.finish(session, track, joined, shortfall).await
            }
            Err(error) => {
                tracing::warn!(key = track.key, error = format!("{error:#}"), "joining the segments failed");
                if !joins.failed(&track.key) {
                    return;
                }
                let reason =
                    format!("the music was made but could not be joined: {error}; ask for a new soundtrack");
                self.fail(session, track, reason, true).await
            }
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
        session: &Session,
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
        self.write(session, track, event).await
    }

    async fn fail(
        &self,
        session: &Session,
        track: &Track,
        reason: String,
        retryable: bool,
    ) -> Result<(), AudioError> {
        let event = Event::SoundtrackFailed {
            key: track.key.clone(),
            job_id: track.job_id,
            reason,
            retryable,
            cost_micros: track.cost_micros(),
        };
        self.write(session, track, event).await
    }

    /// Writes under the lease, as part of the story that the request began.
    async fn write(&self, session: &Session, track: &Track, event: Event) -> Result<(), AudioError> {
        let traceparent = self.traceparent(track).await?;
        let (at, events) = (self.clock.now(), [event]);
        let writing = write::append_under(&self.log, &track.key, &events, at, Some(session.guard()));
        span("end soundtrack").under(traceparent.as_deref()).around(writing).await.map(drop)
    }

    /// The trace of the request that the soundtrack comes from, as it was stored with its first event.
    async fn traceparent(&self, track: &Track) -> Result<Option<String>, AudioError> {
        let events = self.log.load(&track.key, 0).await?;
        Ok(events.into_iter().next().and_then(|event| event.meta.traceparent))
    }
}

/// The orders belong to the job and to the trace that this is done in, too.
fn meta(track: &Track) -> Meta {
    Meta {
        correlation_id: format!("job-{}", track.job_id),
        traceparent: trace::traceparent(),
        ..Meta::default()
    }
}
