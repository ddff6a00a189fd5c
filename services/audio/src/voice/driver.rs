//! Makes it so: one call at a time, each recorded before it is made and after it is answered, under a lease.
//!
//! An answer may be paid: it is kept until it is recorded, over a database that is away and over another lease. A
//! process that is to stop makes no further call, and ends and records the one that is out; only a lost lease ends it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use blobs::{Blobs, Need, WorkDir};
use eventlog::Log;
use kit::Clock;
use media::Media;
use predictions::session::{Session, Terms};
use predictions::tally::{self, Ended};
use telemetry::Subject;
use telemetry::metrics::key;
use telemetry::trace::span;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::elevenlabs::{Client, LARGEST, NoSpeech, PROVIDER};
use super::events::Event;
use super::patience::patiently;
use super::state::{Answer, State, Voice};
use super::{script, store};
use crate::error::AudioError;

const LEASE_NAME: &str = "voice-driver";
/// How long the table is left alone when nothing is written.
const POLL: Duration = Duration::from_secs(5);
/// How long to wait after a failure, and before looking whether something is due.
const PAUSE: Duration = Duration::from_millis(500);
const MP3: &str = "audio/mpeg";

/// What calls came to and is not recorded yet, by voice.
type Answers = HashMap<String, Answered>;

/// What a call came to.
#[derive(Clone)]
struct Answered {
    event: Event,
    /// What the metrics are told once it is recorded; none of a call that was not made, or that somebody else made.
    ended: Option<Ended>,
}

impl Answered {
    /// A call that there is nothing to tell of.
    fn untold(event: Event) -> Self {
        Self { event, ended: None }
    }
}

/// Has scripts spoken.
pub(crate) struct Driver {
    pub(crate) log: Log,
    /// None: whatever is to be spoken fails.
    pub(crate) client: Option<Client>,
    pub(crate) media: Media,
    pub(crate) blobs: Blobs,
    pub(crate) clock: Clock,
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
        // The lease is held until nobody works any more, not only until `cancel`.
        let (leading, answers) = (CancellationToken::new(), Mutex::new(Answers::new()));
        let (driver, cancel, answers) = (&self, &cancel, &answers);
        let lead = terms.lead(&leading, |session| async move {
            driver.work(&session, cancel, &mut *answers.lock().await).await;
        });
        let stop = async {
            cancel.cancelled().await;
            let _nobody_works = answers.lock().await;
            leading.cancel();
        };
        tokio::join!(lead, stop);
        Ok(())
    }

    async fn work(&self, session: &Arc<Session>, cancel: &CancellationToken, answers: &mut Answers) {
        // Under another lease somebody else may have made the call that we did not.
        answers.retain(|_, answer| !matches!(answer.event, Event::VoiceDelayed { .. }));
        let mut appended = self.log.appended();
        while !(session.stop.is_cancelled() || cancel.is_cancelled() && answers.is_empty()) {
            appended.borrow_and_update();
            // A call that is out when the lease is lost is an answer that nobody heard.
            let pass = session.unless_stopped(self.pass(session, cancel, answers));
            let Some(wait) = pass.await else { break };
            tokio::select! {
                () = session.stop.cancelled() => {}
                () = cancel.cancelled(), if answers.is_empty() => {}
                changed = appended.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One step for each; tells how long to wait until the next look.
    async fn pass(&self, session: &Session, cancel: &CancellationToken, answers: &mut Answers) -> Duration {
        let voices = match store::unfinished(&self.log).await {
            Ok(voices) => voices,
            Err(error) => {
                tracing::error!(error = %anyhow::Error::new(error), "the voices cannot be read; trying again");
                return PAUSE;
            }
        };
        let waits_for =
            |key: &str| voices.iter().any(|voice| voice.request.key == key && voice.state == State::Speaking);
        answers.retain(|key, _| waits_for(key));
        let mut wait = POLL;
        for voice in voices {
            let is_due = voice.due_at <= self.clock.now() && !cancel.is_cancelled();
            if voice.state == State::Waiting && !is_due {
                wait = PAUSE;
                continue;
            }
            let stepping = async {
                let stepped = self.step(session, cancel, answers, &voice).await;
                let Err(error) = stepped else { return true };
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::warn!(key = voice.request.key, error, "a step failed; trying again");
                false
            };
            if !Subject::of_key(&voice.request.key).around(stepping).await {
                wait = PAUSE;
            }
        }
        wait
    }

    /// One step, in the trace of whoever asked for the voice.
    async fn step(
        &self,
        session: &Session,
        cancel: &CancellationToken,
        answers: &mut Answers,
        voice: &Voice,
    ) -> Result<(), AudioError> {
        let asked = store::traceparent(&self.log, &voice.request.key).await?;
        let span = |name| {
            let model = script::model_key(&voice.request.model);
            span(name).under(asked.as_deref()).with(key::PROVIDER, PROVIDER).with(key::MODEL, model)
        };
        if voice.state == State::Speaking {
            // Without an answer nobody is at it: this process holds the lease and waits for no call.
            let answer = answers.get(&voice.request.key).cloned();
            let answer = answer.unwrap_or_else(|| Answered::untold(voice.orphaned()));
            let recording = Box::pin(self.record(session, answers, voice, answer));
            return span("end voice").around(recording).await;
        }
        let Some(client) = &self.client else {
            let (unspeakable, span) = (voice.unspeakable(), span("end voice"));
            return span.around(self.write(session, &unspeakable)).await.map(drop);
        };
        let buying = Box::pin(self.buy(client, session, cancel, answers, voice));
        span("buy speech").around(buying).await
    }

    /// The call that is due, recorded before and after.
    async fn buy(
        &self,
        client: &Client,
        session: &Session,
        cancel: &CancellationToken,
        answers: &mut Answers,
        voice: &Voice,
    ) -> Result<(), AudioError> {
        let key = voice.request.key.clone();
        let attempt = voice.attempt + 1;
        match self.write(session, &Event::VoiceCalled { key: key.clone(), attempt }).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                // It may be stored all the same, and no call was made.
                let (reason, retry_at) = ("the database was away".to_owned(), self.clock.now());
                let delayed = Event::VoiceDelayed { key: key.clone(), attempt, reason, retry_at };
                answers.insert(key, Answered::untold(delayed));
                return Err(error);
            }
        }
        let began = Instant::now();
        let answer = self.call(client, cancel, voice).await;
        let voice = Voice { state: State::Speaking, attempt, ..voice.clone() };
        let (outcome, took) = (answer.outcome(), began.elapsed());
        let event = voice.answered(answer, self.clock.now());
        let ended = Ended { outcome, took, charged_micros: event.cost_micros() };
        let answer = Answered { event, ended: Some(ended) };
        answers.insert(key, answer.clone());
        self.record(session, answers, &voice, answer).await
    }

    /// An answer that cannot be recorded now is kept for the next pass, as long as the voice waits for it.
    async fn record(
        &self,
        session: &Session,
        answers: &mut Answers,
        voice: &Voice,
        answer: Answered,
    ) -> Result<(), AudioError> {
        // The table takes one answer of a call, so it is told of once.
        if self.write(session, &answer.event).await? {
            if let Some(ended) = &answer.ended {
                tally::tell(PROVIDER, script::model_key(&voice.request.model), ended);
            }
            answers.remove(&voice.request.key);
        }
        Ok(())
    }

    async fn call(&self, client: &Client, cancel: &CancellationToken, voice: &Voice) -> Answer {
        let room = self.blobs.work_dir(Need { copies: 0, made: LARGEST as u64 });
        let room = tokio::select! {
            room = room => room,
            () = cancel.cancelled() => return Answer::NotNow { why: "the process stops".into(), after: None },
        };
        let work = match room {
            Ok(work) => work,
            // Nothing was asked for yet.
            Err(error) => return Answer::NotNow { why: error.to_string(), after: None },
        };
        let speech = match client.speak(&voice.request).await {
            Ok(speech) => speech,
            Err(NoSpeech::NotNow { why, after }) => return Answer::NotNow { why, after },
            Err(NoSpeech::Refused(why)) => return Answer::Refused(why),
            Err(NoSpeech::Broken(why)) => return Answer::Useless(why),
            Err(NoSpeech::Unknown(why)) => return Answer::Unknown(why),
        };
        let kept = patiently(cancel, || self.keep(&work, &speech)).await;
        kept.unwrap_or_else(|error| Answer::Useless(format!("it could not be stored: {error:#}")))
    }

    /// Looks at what came and stores it. An error is ours, and may pass.
    async fn keep(&self, work: &WorkDir, speech: &[u8]) -> anyhow::Result<Answer> {
        let file = work.join("speech.mp3");
        tokio::fs::write(&file, speech).await.context("writing the speech")?;
        let probe = match self.media.probe(&file).await {
            Err(error) if error.is_about_the_input() => return Ok(Answer::Useless(error.to_string())),
            probe => probe.context("looking at the speech")?,
        };
        if let Err(error) = probe.require_audio() {
            return Ok(Answer::Useless(error.to_string()));
        }
        let audio = self.blobs.put_file(&file, MP3).await.context("storing the speech")?;
        Ok(Answer::Spoken { audio, duration_ms: probe.duration_ms })
    }

    async fn write(&self, session: &Session, event: &Event) -> Result<bool, AudioError> {
        store::append(&self.log, event, self.clock.now(), Some(session.guard())).await
    }
}
