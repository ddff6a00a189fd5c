//! Makes it so: one call at a time, each recorded before it is made and after it is answered, under a lease.

use std::sync::Arc;
use std::time::Duration;

use blobs::Blobs;
use eventlog::Log;
use kit::Clock;
use media::Media;
use predictions::session::{Session, Terms};
use tokio_util::sync::CancellationToken;

use super::elevenlabs::{Client, NoSpeech};
use super::events::Event;
use super::state::{Answer, State, Voice};
use super::store;
use crate::error::AudioError;

const LEASE_NAME: &str = "voice-driver";
/// How long the table is left alone when nothing is written.
const POLL: Duration = Duration::from_secs(5);
/// How long to wait after a failure, and before looking whether something is due.
const PAUSE: Duration = Duration::from_millis(500);
const MP3: &str = "audio/mpeg";

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
        let driver = &self;
        terms.lead(&cancel, |session| async move { driver.work(&session).await }).await;
        Ok(())
    }

    async fn work(&self, session: &Arc<Session>) {
        let mut appended = self.log.appended();
        while !session.stop.is_cancelled() {
            appended.borrow_and_update();
            // A call that is out when the process stops is an answer that nobody heard.
            let Some(wait) = session.unless_stopped(self.pass(session)).await else { break };
            tokio::select! {
                () = session.stop.cancelled() => {}
                changed = appended.changed() => if changed.is_err() { break },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// One step for each; tells how long to wait until the next look.
    async fn pass(&self, session: &Session) -> Duration {
        let voices = match store::unfinished(&self.log).await {
            Ok(voices) => voices,
            Err(error) => {
                tracing::error!(error = %anyhow::Error::new(error), "the voices cannot be read; trying again");
                return PAUSE;
            }
        };
        let mut wait = POLL;
        for voice in voices {
            if voice.state == State::Waiting && voice.due_at > self.clock.now() {
                wait = PAUSE;
                continue;
            }
            if let Err(error) = self.step(session, &voice).await {
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::warn!(key = voice.request.key, error, "a step failed; trying again");
                wait = PAUSE;
            }
        }
        wait
    }

    async fn step(&self, session: &Session, voice: &Voice) -> Result<(), AudioError> {
        if voice.state == State::Speaking {
            // Nobody is at it: this process holds the lease and has made no call yet.
            return self.write(session, &voice.orphaned()).await.map(drop);
        }
        let Some(client) = &self.client else {
            return self.write(session, &voice.unspeakable()).await.map(drop);
        };
        let attempt = voice.attempt + 1;
        let called = Event::VoiceCalled { key: voice.request.key.clone(), attempt };
        if !self.write(session, &called).await? {
            return Ok(());
        }
        let answer = self.call(client, voice).await;
        let voice = Voice { state: State::Speaking, attempt, ..voice.clone() };
        let event = voice.answered(answer, self.clock.now());
        self.write(session, &event).await.map(drop)
    }

    async fn call(&self, client: &Client, voice: &Voice) -> Answer {
        let local = |error: String| Answer::Unknown(error);
        let work = match self.media.work_dir() {
            Ok(work) => work,
            // Nothing was asked for yet.
            Err(error) => return Answer::NotNow { why: error.to_string(), after: None },
        };
        let file = work.path().join("speech.mp3");
        match client.speak(&voice.request, &file).await {
            Ok(()) => {}
            Err(NoSpeech::NotNow { why, after }) => return Answer::NotNow { why, after },
            Err(NoSpeech::Refused(why)) => return Answer::Refused(why),
            Err(NoSpeech::Unknown(why)) => return Answer::Unknown(why),
        }
        let probe = match self.media.probe(&file).await {
            Ok(probe) => probe,
            Err(error) if error.is_about_the_input() => return Answer::Useless(error.to_string()),
            Err(error) => return local(error.to_string()),
        };
        if let Err(error) = probe.require_audio() {
            return Answer::Useless(error.to_string());
        }
        match self.blobs.put_file(&file, MP3).await {
            Ok(audio) => Answer::Spoken { audio, duration_ms: probe.duration_ms },
            Err(error) => local(error.to_string()),
        }
    }

    async fn write(&self, session: &Session, event: &Event) -> Result<bool, AudioError> {
        store::append(&self.log, event, self.clock.now(), Some(session.guard())).await
    }
}
