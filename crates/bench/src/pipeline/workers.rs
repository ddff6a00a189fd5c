//! The three workers with providers that take no time: what is asked for is done at once, stored in the worker's
//! own durable log and published, as the real workers do; no media is made.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bus::{Published, Translate, TranslateError};
use eventlog::{Append, Log, Meta, NewEvent, StoredEvent};
use protos::{
    audio::v1::{self as audio, audio_service_server::AudioService},
    common::v1::BlobRef,
    render::v1::{self as render, render_service_server::RenderService},
    stitch::v1::{self as stitch, stitch_service_server::StitchService},
};
use serde::Serialize;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::moments::Clockwork;

/// The workers' logs.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) render: Log,
    pub(crate) stitch: Log,
    pub(crate) audio: Log,
}

/// The workers.
#[derive(Clone, Debug)]
pub(crate) struct Workers {
    logs: Arc<Logs>,
    clockwork: Arc<Clockwork>,
    /// Whether the reply to the first request carries the result already.
    inline: Arc<AtomicBool>,
}

impl Workers {
    pub(crate) fn new(logs: Logs, clockwork: Arc<Clockwork>) -> Self {
        Self { logs: Arc::new(logs), clockwork, inline: Arc::default() }
    }

    /// How results are told from now on: in the reply, or by a published message.
    pub(crate) fn tell_inline(&self, inline: bool) {
        self.inline.store(inline, Ordering::Relaxed);
    }

    /// Commits that the workers' logs made so far.
    pub(crate) fn commits(&self) -> u64 {
        let Logs { render, stitch, audio } = &*self.logs;
        [render, stitch, audio].into_iter().map(|log| log.stats().commits).sum()
    }

    fn inline(&self) -> bool {
        self.inline.load(Ordering::Relaxed)
    }
}

/// Stores what is published, after the reply has gone out.
fn publish<T: Serialize>(log: &Log, job: i32, name: &'static str, message: &T) -> Result<(), Status> {
    let data = serde_json::to_value(message).map_err(|error| Status::internal(error.to_string()))?;
    #[allow(clippy::disallowed_methods, reason = "a bench runs in the real time")]
    let now = jiff::Timestamp::now();
    let meta = Meta { traceparent: kit::trace::traceparent(), ..Meta::default() };
    let append = Append::to(job.to_string()).event(NewEvent::new(Uuid::now_v7(), name, data, now).meta(meta));
    let log = log.clone();
    tokio::spawn(async move {
        if let Err(error) = log.append(append).await {
            eprintln!("a worker cannot store its result: {error}");
        }
    });
    Ok(())
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
        let (key, job_id) = (request.key, request.job_id);
        let (clip, duration_ms) =
            (blob(&format!("clip {key}"), "video/mp4"), u64::from(request.seconds) * 1_000);
        let mut reply = render::Render {
            key: key.clone(),
            state: "rendering".to_owned(),
            prediction_id: Some(format!("p-{key}")),
            attempts: 1,
            ..render::Render::default()
        };
        self.clockwork.mark(job_id, |moments, now| {
            (moments.all_requested, moments.last_done) = (Some(now), Some(now));
        });
        if self.inline() {
            reply.state = "rendered".to_owned();
            (reply.clip, reply.duration_ms) = (clip, Some(duration_ms));
            return Ok(Response::new(reply));
        }
        let message = render::RenderFinished {
            key: key.clone(),
            job_id,
            scene_id: request.scene_id,
            take: request.take,
            clip,
            duration_ms,
            prediction_id: format!("p-{key}"),
            scene_index: request.scene_index,
            ..Default::default()
        };
        publish(&self.logs.render, job_id, "render_finished", &message)?;
        Ok(Response::new(reply))
    }

    async fn cancel_render(
        &self,
        _: Request<render::CancelRenderRequest>,
    ) -> Result<Response<render::Render>, Status> {
        Err(Status::unimplemented("nothing is canceled"))
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
    fn product(
        &self,
        name: &'static str,
        key: String,
        job_id: i32,
        duration_ms: u64,
    ) -> Result<Response<stitch::Product>, Status> {
        let (video, poster) =
            (blob(&format!("video {key}"), "video/mp4"), blob(&format!("poster {key}"), "image/jpeg"));
        let kind = name.split('_').next().unwrap_or(name).to_owned();
        let state = if self.inline() { "ready" } else { "working" }.to_owned();
        let mut product = stitch::Product { key: key.clone(), state, job_id, kind, ..Default::default() };
        if self.inline() {
            (product.video, product.poster, product.duration_ms) = (video, poster, Some(duration_ms));
        } else {
            let message = stitch::CutFinished { key, job_id, video, duration_ms, poster };
            publish(&self.logs.stitch, job_id, name, &message)?;
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
        let stitch::RequestCutRequest { key, job_id, clips, .. } = request.into_inner();
        self.clockwork.mark(job_id, |moments, now| {
            (moments.cut_requested, moments.mixable) = (Some(now), Some(now));
        });
        self.product("cut_finished", key, job_id, clips.len() as u64 * 5_000)
    }

    async fn request_mix(
        &self,
        request: Request<stitch::RequestMixRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        let stitch::RequestMixRequest { key, job_id, .. } = request.into_inner();
        self.clockwork.mark(job_id, |moments, now| {
            (moments.mix_requested, moments.mixed) = (Some(now), Some(now));
        });
        self.product("mix_finished", key, job_id, 50_000)
    }

    async fn get_product(
        &self,
        _: Request<stitch::GetProductRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        Err(Status::unimplemented("not asked by jobs"))
    }

    async fn cancel_product(
        &self,
        _: Request<stitch::CancelProductRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        Err(Status::unimplemented("nothing is canceled"))
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
        let audio::RequestSoundtrackRequest { key, job_id, duration_ms, .. } = request.into_inner();
        let made = blob(&format!("music {key}"), "audio/mp4");
        let state = if self.inline() { "ready" } else { "generating" }.to_owned();
        let mut reply = audio::Soundtrack { key: key.clone(), state, job_id, ..Default::default() };
        self.clockwork.mark(job_id, |moments, now| moments.mixable = Some(now));
        if self.inline() {
            (reply.audio, reply.duration_ms) = (made, Some(duration_ms));
        } else {
            let message =
                audio::SoundtrackFinished { key, job_id, audio: made, duration_ms, ..Default::default() };
            publish(&self.logs.audio, job_id, "soundtrack_finished", &message)?;
        }
        Ok(Response::new(reply))
    }

    async fn cancel_soundtrack(
        &self,
        _: Request<audio::CancelSoundtrackRequest>,
    ) -> Result<Response<audio::Soundtrack>, Status> {
        Err(Status::unimplemented("nothing is canceled"))
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

/// Everything in a worker's log is published as it is stored.
pub(crate) const TRANSLATE: Translate = published;

fn published(event: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    let data = event.data.value().map_err(TranslateError::new)?;
    let (entity, name) = (event.stream.clone(), event.kind.clone());
    Ok(Some(Published { entity, name, data }))
}
