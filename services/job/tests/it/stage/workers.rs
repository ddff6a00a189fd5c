//! The three workers, scripted.

use std::{collections::HashMap, sync::Arc};

use bus::{Published, Translate, TranslateError};
use eventlog::{Append, Log, Meta, NewEvent, StoredEvent};
use jiff::Timestamp;
use kit::{Code, ServiceError};
use parking_lot::Mutex;
use protos::{
    audio::v1::{self as audio, audio_service_server::AudioService},
    common::v1::BlobRef,
    render::v1::{self as render, render_service_server::RenderService},
    stitch::v1::{self as stitch, stitch_service_server::StitchService},
};
use serde::Serialize;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// It is made.
    Deliver,
    /// It fails for this reason.
    Fail(&'static str),
    /// It is being made until the script changes.
    Hold,
    /// The worker says no.
    Refuse,
    /// The worker is away for so many calls, then delivers.
    Away(u32),
}

/// How the job hears of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tell {
    /// By the reply to the first call.
    #[default]
    Reply,
    /// By a message; every reply says that it is being made.
    Message,
    /// By the reply to the second call: the message is lost.
    Silence,
}

#[derive(Debug, Default)]
struct State {
    scripts: HashMap<String, Script>,
    tell: Tell,
    digests: HashMap<String, String>,
    calls: Vec<String>,
    canceled: Vec<String>,
    renders: HashMap<String, render::RequestRenderRequest>,
    soundtracks: HashMap<String, audio::RequestSoundtrackRequest>,
    /// Trace of the last call under each key.
    traces: HashMap<String, String>,
}

/// The workers.
#[derive(Clone, Debug)]
pub(crate) struct Workers {
    state: Arc<Mutex<State>>,
    log: Log,
}

/// What a call leads to.
enum Answer {
    Busy,
    Done,
    Failed(&'static str),
    Canceled,
}

impl Workers {
    pub(super) fn new(log: Log) -> Self {
        Self { state: Arc::default(), log }
    }

    /// What becomes of the request with this key, such as `job-1/scene-2/take-1`; without one, it is delivered.
    pub(crate) fn script(&self, key: &str, script: Script) {
        self.state.lock().scripts.insert(key.to_owned(), script);
    }

    /// How results are told from now on.
    pub(crate) fn tell(&self, tell: Tell) {
        self.state.lock().tell = tell;
    }

    /// How often a key was asked for.
    pub(crate) fn calls(&self, key: &str) -> usize {
        self.state.lock().calls.iter().filter(|call| *call == key).count()
    }

    /// Every key that was asked for, once each, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut keys = self.state.lock().calls.clone();
        keys.sort();
        keys.dedup();
        keys
    }

    /// The keys that were canceled, sorted.
    pub(crate) fn canceled(&self) -> Vec<String> {
        let mut keys = self.state.lock().canceled.clone();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Id of the trace in which a key was asked for last.
    pub(crate) fn trace(&self, key: &str) -> String {
        self.state.lock().traces[key].clone()
    }

    /// A render request as it came.
    pub(crate) fn render(&self, key: &str) -> render::RequestRenderRequest {
        self.state.lock().renders[key].clone()
    }

    /// A soundtrack request as it came.
    pub(crate) fn soundtrack(&self, key: &str) -> audio::RequestSoundtrackRequest {
        self.state.lock().soundtracks[key].clone()
    }

    /// Publishes a message.
    pub(crate) async fn publish(&self, name: &str, message: &impl Serialize) {
        let data = serde_json::to_value(message).unwrap();
        let meta = Meta { traceparent: kit::trace::traceparent(), ..Meta::default() };
        let event = NewEvent::new(Uuid::now_v7(), name, data, Timestamp::UNIX_EPOCH).meta(meta);
        self.log.append(Append::to("worker").event(event)).await.unwrap();
    }

    fn call(&self, key: &str, digest: &str) -> Result<(Answer, bool), Status> {
        let mut state = self.state.lock();
        state.calls.push(key.to_owned());
        state.traces.extend(trace_id(kit::trace::traceparent().as_deref()).map(|id| (key.to_owned(), id)));
        if state.canceled.iter().any(|canceled| canceled == key) {
            return Ok((Answer::Canceled, false));
        }
        let first = !state.digests.contains_key(key);
        if *state.digests.entry(key.to_owned()).or_insert_with(|| digest.to_owned()) != digest {
            return Err(ServiceError::new(Code::Conflict, "digest", "another digest under this key").into());
        }
        let answer = match state.scripts.get(key).copied().unwrap_or(Script::Deliver) {
            Script::Hold => return Ok((Answer::Busy, false)),
            Script::Refuse => return Err(ServiceError::validation([("prompt", "is not allowed")]).into()),
            Script::Away(times) => {
                let next = if times > 1 { Script::Away(times - 1) } else { Script::Deliver };
                state.scripts.insert(key.to_owned(), next);
                return Err(Status::unavailable("the worker is away"));
            }
            Script::Fail(reason) => Answer::Failed(reason),
            Script::Deliver => Answer::Done,
        };
        match state.tell {
            Tell::Reply => Ok((answer, false)),
            Tell::Message => Ok((answer, true)),
            Tell::Silence if first => Ok((Answer::Busy, false)),
            Tell::Silence => Ok((answer, false)),
        }
    }

    fn cancel(&self, key: &str) {
        self.state.lock().canceled.push(key.to_owned());
    }
}

/// The id of the trace that a `traceparent` names.
pub(crate) fn trace_id(traceparent: Option<&str>) -> Option<String> {
    traceparent?.split('-').nth(1).map(str::to_owned)
}

fn blob(name: &str, content_type: &str) -> Option<BlobRef> {
    Some(BlobRef { sha256: name.to_owned(), size: 10, content_type: content_type.to_owned() })
}

#[tonic::async_trait]
impl RenderService for Workers {
    async fn request_render(
        &self,
        request: Request<render::RequestRenderRequest>,
    ) -> Result<Response<render::Render>, Status> {
        let request = request.into_inner();
        let key = request.key.clone();
        self.state.lock().renders.insert(key.clone(), request.clone());
        let (answer, told) = self.call(&key, &request.digest)?;
        let cost_micros = i64::from(request.seconds) * request.price_per_second_micros;
        let mut reply = render::Render {
            key: key.clone(),
            state: "rendering".to_owned(),
            prediction_id: Some(format!("p-{key}")),
            attempts: 1,
            ..render::Render::default()
        };
        let (scene_id, take, job_id) = (request.scene_id.clone(), request.take, request.job_id);
        match answer {
            Answer::Done if told => {
                let message = render::RenderFinished {
                    key: key.clone(),
                    job_id,
                    scene_id,
                    take,
                    clip: blob(&format!("clip {key}"), "video/mp4"),
                    duration_ms: u64::from(request.seconds) * 1_000,
                    prediction_id: format!("p-{key}"),
                    cost_micros,
                    scene_index: request.scene_index,
                };
                self.publish("render_finished", &message).await;
            }
            Answer::Failed(reason) if told => {
                let message = render::RenderFailed {
                    key: key.clone(),
                    job_id,
                    scene_id,
                    take,
                    reason: reason.to_owned(),
                    ..render::RenderFailed::default()
                };
                self.publish("render_failed", &message).await;
            }
            Answer::Done => {
                reply.state = "rendered".to_owned();
                reply.clip = blob(&format!("clip {key}"), "video/mp4");
                reply.duration_ms = Some(u64::from(request.seconds) * 1_000);
                reply.cost_micros = cost_micros;
            }
            Answer::Failed(reason) => {
                reply.state = "failed".to_owned();
                reply.reason = Some(reason.to_owned());
            }
            Answer::Canceled => reply.state = "canceled".to_owned(),
            Answer::Busy => {}
        }
        Ok(Response::new(reply))
    }

    async fn cancel_render(
        &self,
        request: Request<render::CancelRenderRequest>,
    ) -> Result<Response<render::Render>, Status> {
        let key = request.into_inner().key;
        self.cancel(&key);
        let cost_micros = 800_000;
        Ok(Response::new(render::Render {
            key,
            state: "canceled".to_owned(),
            cost_micros,
            ..Default::default()
        }))
    }

    async fn get_render(
        &self,
        _: Request<render::GetRenderRequest>,
    ) -> Result<Response<render::Render>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn receive_webhook(
        &self,
        _: Request<render::ReceiveWebhookRequest>,
    ) -> Result<Response<render::ReceiveWebhookReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }
}

impl Workers {
    async fn product(
        &self,
        kind: &str,
        key: String,
        digest: &str,
        job_id: i32,
        length: u64,
    ) -> Result<Response<stitch::Product>, Status> {
        let (answer, told) = self.call(&key, digest)?;
        let (video, poster) =
            (blob(&format!("video {key}"), "video/mp4"), blob(&format!("poster {key}"), "image/jpeg"));
        let mut product = stitch::Product {
            key: key.clone(),
            state: "working".to_owned(),
            job_id,
            kind: kind.to_owned(),
            ..stitch::Product::default()
        };
        match answer {
            Answer::Done if told => {
                let message = stitch::CutFinished { key, job_id, video, duration_ms: length, poster };
                self.publish(&format!("{kind}_finished"), &message).await;
            }
            Answer::Failed(reason) if told => {
                let message = stitch::CutFailed { key, job_id, reason: reason.to_owned() };
                self.publish(&format!("{kind}_failed"), &message).await;
            }
            Answer::Done => {
                product.state = "ready".to_owned();
                (product.video, product.poster, product.duration_ms) = (video, poster, Some(length));
            }
            Answer::Failed(reason) => {
                product.state = "failed".to_owned();
                product.reason = Some(reason.to_owned());
            }
            Answer::Canceled => product.state = "canceled".to_owned(),
            Answer::Busy => {}
        }
        Ok(Response::new(product))
    }
}

#[tonic::async_trait]
impl StitchService for Workers {
    async fn request_cut(
        &self,
        request: Request<stitch::RequestCutRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        let stitch::RequestCutRequest { key, digest, job_id, clips, .. } = request.into_inner();
        self.product("cut", key, &digest, job_id, clips.len() as u64 * 4_000).await
    }

    async fn request_mix(
        &self,
        request: Request<stitch::RequestMixRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        let stitch::RequestMixRequest { key, digest, job_id, .. } = request.into_inner();
        self.product("mix", key, &digest, job_id, 8_000).await
    }

    async fn get_product(
        &self,
        _: Request<stitch::GetProductRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn cancel_product(
        &self,
        request: Request<stitch::CancelProductRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        let key = request.into_inner().key;
        self.cancel(&key);
        Ok(Response::new(stitch::Product { key, state: "canceled".to_owned(), ..Default::default() }))
    }

    async fn get_frame(
        &self,
        _: Request<stitch::GetFrameRequest>,
    ) -> Result<Response<stitch::GetFrameReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }
}

#[tonic::async_trait]
impl AudioService for Workers {
    async fn request_soundtrack(
        &self,
        request: Request<audio::RequestSoundtrackRequest>,
    ) -> Result<Response<audio::Soundtrack>, Status> {
        let request = request.into_inner();
        let (key, job_id, duration_ms) = (request.key.clone(), request.job_id, request.duration_ms);
        self.state.lock().soundtracks.insert(key.clone(), request.clone());
        let (answer, told) = self.call(&key, &request.digest)?;
        let made = blob(&format!("music {key}"), "audio/mp4");
        let mut reply = audio::Soundtrack {
            key: key.clone(),
            state: "generating".to_owned(),
            job_id,
            ..Default::default()
        };
        match answer {
            Answer::Done if told => {
                let message = audio::SoundtrackFinished {
                    key,
                    job_id,
                    audio: made,
                    duration_ms,
                    cost_micros: 90_000,
                    shortfall: None,
                };
                self.publish("soundtrack_finished", &message).await;
            }
            Answer::Failed(reason) if told => {
                let reason = reason.to_owned();
                self.publish(
                    "soundtrack_failed",
                    &audio::SoundtrackFailed { key, job_id, reason, ..Default::default() },
                )
                .await;
            }
            Answer::Done => {
                reply.state = "ready".to_owned();
                (reply.audio, reply.duration_ms, reply.cost_micros) = (made, Some(duration_ms), 90_000);
            }
            Answer::Failed(reason) => {
                reply.state = "failed".to_owned();
                reply.reason = Some(reason.to_owned());
            }
            Answer::Canceled => reply.state = "canceled".to_owned(),
            Answer::Busy => {}
        }
        Ok(Response::new(reply))
    }

    async fn cancel_soundtrack(
        &self,
        request: Request<audio::CancelSoundtrackRequest>,
    ) -> Result<Response<audio::Soundtrack>, Status> {
        let key = request.into_inner().key;
        self.cancel(&key);
        Ok(Response::new(audio::Soundtrack { key, state: "canceled".to_owned(), ..Default::default() }))
    }

    async fn get_soundtrack(
        &self,
        _: Request<audio::GetSoundtrackRequest>,
    ) -> Result<Response<audio::Soundtrack>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn receive_webhook(
        &self,
        _: Request<render::ReceiveWebhookRequest>,
    ) -> Result<Response<render::ReceiveWebhookReply>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }
}

/// What each worker publishes of the one log that they share here.
pub(super) fn translation(source: &str) -> Translate {
    match source {
        "render" => |event| published(event, &["render_"]),
        "stitch" => |event| published(event, &["cut_", "mix_"]),
        _ => |event| published(event, &["soundtrack_"]),
    }
}

fn published(event: &StoredEvent, names: &[&str]) -> Result<Option<Published>, TranslateError> {
    let ours = names.iter().any(|name| event.kind.starts_with(name));
    if !ours {
        return Ok(None);
    }
    let data = event.data.value().map_err(TranslateError::new)?;
    Ok(Some(Published { entity: "one".to_owned(), name: event.kind.clone(), data }))
}
