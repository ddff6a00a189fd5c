//! `VoiceService`: messages to our own types and back; a wish is recorded once under its key.

use eventlog::Log;
use kit::{Clock, Code, ServiceError};
use protos::audio::v1 as pb;
use protos::audio::v1::voice_service_server::VoiceService;
use telemetry::Subject;
use tonic::{Request as Call, Response, Status};

use super::events::Event;
use super::script::{Request, model_id, voice_id};
use super::state::{State, Voice};
use super::store;
use crate::error::AudioError;
use crate::service::check_key;

/// How often a write is decided again when others were faster.
const TRIES: usize = 8;

/// The RPCs.
#[derive(Debug)]
pub(crate) struct Voices {
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    /// Whether there is a provider.
    pub(crate) configured: bool,
}

impl Voices {
    async fn request(&self, request: Request, provider: &str) -> Result<Voice, AudioError> {
        let mut wrong: Vec<_> = check_key(&request.key).into_iter().collect();
        wrong.extend(request.check(provider));
        if !wrong.is_empty() {
            return Err(AudioError::Invalid(wrong));
        }
        let (key, digest) = (request.key.clone(), request.digest.clone());
        let event = Event::VoiceRequested(request);
        for _ in 0..TRIES {
            match store::voice(&self.log, &key).await? {
                Some(voice) if voice.request.digest == digest => return Ok(voice),
                Some(_) => return Err(AudioError::DigestMismatch(key)),
                None => {
                    store::append(&self.log, &event, self.clock.now(), None).await?;
                }
            }
        }
        Err(AudioError::Busy(key))
    }
}

#[tonic::async_trait]
impl VoiceService for Voices {
    async fn request_voice(
        &self,
        call: Call<pb::RequestVoiceRequest>,
    ) -> Result<Response<pb::Voice>, Status> {
        let message = call.into_inner();
        let provider = message.provider.trim().to_owned();
        let request = Request {
            key: message.key,
            digest: message.digest,
            script: message.script,
            voice: voice_id(&message.voice),
            model: model_id(&message.model),
            stability: message.stability,
            similarity_boost: message.similarity_boost,
            speed: message.speed,
        };
        if !self.configured && request.check(&provider).is_empty() {
            let text =
                "No voice provider is configured here; whoever runs the server must set ELEVENLABS_API_KEY.";
            return Err(ServiceError::new(Code::Precondition, "no_voice_provider", text).into());
        }
        let subject = Subject::of_key(&request.key);
        let voice = subject.around(self.request(request, &provider)).await.map_err(ServiceError::from)?;
        Ok(Response::new(to_message(voice)))
    }

    async fn get_voice(&self, call: Call<pb::GetVoiceRequest>) -> Result<Response<pb::Voice>, Status> {
        let key = call.into_inner().key;
        let found =
            store::voice(&self.log, &key).await.map_err(AudioError::from).map_err(ServiceError::from)?;
        let unknown = || ServiceError::not_found(format!("there is no voice {key}; it was never asked for"));
        Ok(Response::new(to_message(found.ok_or_else(unknown)?)))
    }
}

fn to_message(voice: Voice) -> pb::Voice {
    let mut message =
        pb::Voice { key: voice.request.key, cost_micros: voice.cost_micros, ..pb::Voice::default() };
    message.state = match voice.state {
        State::Waiting => "waiting",
        State::Speaking => "speaking",
        State::Ready { audio, duration_ms } => {
            (message.audio, message.duration_ms) = (Some(audio), Some(duration_ms));
            "ready"
        }
        State::Failed { reason, retryable } => {
            (message.reason, message.retryable) = (Some(reason), retryable);
            "failed"
        }
    }
    .to_owned();
    message
}
