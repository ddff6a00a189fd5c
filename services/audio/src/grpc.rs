//! Translation between the messages of `audio.v1` and our own types.

use kit::ServiceError;
use predictions::Engine;
use protos::audio::v1 as pb;
use protos::audio::v1::audio_service_server::AudioService;
use protos::render::v1::{ReceiveWebhookReply, ReceiveWebhookRequest};
use telemetry::Subject;
use tonic::{Request, Response, Status};

use crate::error::AudioError;
use crate::events::{self, OnFailure};
use crate::model::MusicModel;
use crate::prompt;
use crate::service::Service;
use crate::track::{State, Track};
use crate::voice::script::voice_id;

/// The RPCs.
pub(crate) struct Grpc {
    pub(crate) service: Service,
    pub(crate) engine: Engine,
}

fn refuse(error: AudioError) -> Status {
    ServiceError::from(error).into()
}

#[tonic::async_trait]
impl AudioService for Grpc {
    async fn request_soundtrack(
        &self,
        request: Request<pb::RequestSoundtrackRequest>,
    ) -> Result<Response<pb::Soundtrack>, Status> {
        let request = from_message(request.into_inner())?;
        let subject = Subject::of_key(&request.key);
        let track = subject.around(self.service.request(request)).await.map_err(refuse)?;
        Ok(Response::new(to_message(track, &self.service.settings.model)))
    }

    async fn get_soundtrack(
        &self,
        request: Request<pb::GetSoundtrackRequest>,
    ) -> Result<Response<pb::Soundtrack>, Status> {
        let key = request.into_inner().key;
        let track = Subject::of_key(&key).around(self.service.get(&key)).await.map_err(refuse)?;
        Ok(Response::new(to_message(track, &self.service.settings.model)))
    }

    async fn cancel_soundtrack(
        &self,
        request: Request<pb::CancelSoundtrackRequest>,
    ) -> Result<Response<pb::Soundtrack>, Status> {
        let request = request.into_inner();
        let canceling = self.service.cancel(&request.key, &request.reason);
        let track = Subject::of_key(&request.key).around(canceling).await.map_err(refuse)?;
        Ok(Response::new(to_message(track, &self.service.settings.model)))
    }

    async fn receive_webhook(
        &self,
        request: Request<ReceiveWebhookRequest>,
    ) -> Result<Response<ReceiveWebhookReply>, Status> {
        let ReceiveWebhookRequest { attempt_id, headers, body } = request.into_inner();
        let received = self.engine.webhook(&attempt_id, &headers, &body).await;
        let accepted = received.map_err(|error| refuse(AudioError::Order(error)))?;
        Ok(Response::new(ReceiveWebhookReply { accepted }))
    }
}

fn from_message(message: pb::RequestSoundtrackRequest) -> Result<events::Request, ServiceError> {
    let on_failure = OnFailure::parse(&message.error_strategy).ok_or_else(|| {
        ServiceError::validation([("error_strategy", "must be one of continue_with_silence, halt")])
    })?;
    let scene = |scene: pb::MusicScene| events::Scene {
        title: scene.title,
        description: scene.description,
        style: scene.style,
        energy: scene.energy,
        duration_ms: scene.duration_ms,
    };
    Ok(events::Request {
        key: message.key,
        digest: message.digest,
        job_id: message.job_id,
        campaign_id: message.campaign_id,
        duration_ms: message.duration_ms,
        scenes: message.scenes.into_iter().map(scene).collect(),
        prompt: message.prompt,
        on_failure,
        fade_ms: message.fade_ms,
        voice: message
            .voice
            .map(|voice| events::Spoken { script: voice.script, voice: voice_id(&voice.voice) }),
    })
}

fn to_message(track: Track, model: &MusicModel) -> pb::Soundtrack {
    let mut message = pb::Soundtrack {
        key: track.key.clone(),
        state: track.word(model).to_owned(),
        cost_micros: track.cost_micros(),
        job_id: track.job_id,
        segments_done: u32::try_from(track.delivered().count()).unwrap_or(u32::MAX),
        segments_total: track.expected_segments(model),
        ..pb::Soundtrack::default()
    };
    if let Some(request) = &track.request {
        let until_ms = request.duration_ms.min(u64::from(model.longest_seconds) * 1000);
        message.prompt_used = prompt::compose(&request.scenes, request.prompt.as_deref(), 0, until_ms);
    }
    match track.state {
        State::Open => {}
        State::Ready { audio, duration_ms, shortfall } => {
            message.audio = Some(audio);
            message.duration_ms = Some(duration_ms);
            message.shortfall = shortfall;
        }
        State::Failed { reason, retryable } => {
            message.reason = Some(reason);
            message.retryable = retryable;
        }
        State::Canceling { reason } | State::Canceled { reason } => message.reason = Some(reason),
    }
    message
}
