//! The workers: render, stitch and audio.

use std::sync::Arc;

use protos::{
    audio::v1::{self as audio, audio_service_server::AudioService},
    render::v1::{self as render, render_service_server::RenderService},
    stitch::v1::{self as stitch, stitch_service_server::StitchService},
};
use tonic::{Request, Response, Status};

use super::Script;

/// Answers from its script.
pub(crate) struct FakeRender {
    pub(crate) script: Arc<Script>,
}

#[tonic::async_trait]
impl RenderService for FakeRender {
    async fn request_render(
        &self,
        request: Request<render::RequestRenderRequest>,
    ) -> Result<Response<render::Render>, Status> {
        self.script.answer("request_render", request)
    }

    async fn get_render(
        &self,
        request: Request<render::GetRenderRequest>,
    ) -> Result<Response<render::Render>, Status> {
        self.script.answer("get_render", request)
    }

    async fn cancel_render(
        &self,
        request: Request<render::CancelRenderRequest>,
    ) -> Result<Response<render::Render>, Status> {
        self.script.answer("cancel_render", request)
    }

    async fn receive_webhook(
        &self,
        request: Request<render::ReceiveWebhookRequest>,
    ) -> Result<Response<render::ReceiveWebhookReply>, Status> {
        self.script.answer("receive_webhook", request)
    }
}

/// Answers from its script.
pub(crate) struct FakeStitch {
    pub(crate) script: Arc<Script>,
}

#[tonic::async_trait]
impl StitchService for FakeStitch {
    async fn request_cut(
        &self,
        request: Request<stitch::RequestCutRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        self.script.answer("request_cut", request)
    }

    async fn request_mix(
        &self,
        request: Request<stitch::RequestMixRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        self.script.answer("request_mix", request)
    }

    async fn get_product(
        &self,
        request: Request<stitch::GetProductRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        self.script.answer("get_product", request)
    }

    async fn cancel_product(
        &self,
        request: Request<stitch::CancelProductRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        self.script.answer("cancel_product", request)
    }

    async fn get_frame(
        &self,
        request: Request<stitch::GetFrameRequest>,
    ) -> Result<Response<stitch::GetFrameReply>, Status> {
        self.script.answer("get_frame", request)
    }
}

/// Answers from its script.
pub(crate) struct FakeAudio {
    pub(crate) script: Arc<Script>,
}

#[tonic::async_trait]
impl AudioService for FakeAudio {
    async fn request_soundtrack(
        &self,
        request: Request<audio::RequestSoundtrackRequest>,
    ) -> Result<Response<audio::Soundtrack>, Status> {
        self.script.answer("request_soundtrack", request)
    }

    async fn get_soundtrack(
        &self,
        request: Request<audio::GetSoundtrackRequest>,
    ) -> Result<Response<audio::Soundtrack>, Status> {
        self.script.answer("get_soundtrack", request)
    }

    async fn cancel_soundtrack(
        &self,
        request: Request<audio::CancelSoundtrackRequest>,
    ) -> Result<Response<audio::Soundtrack>, Status> {
        self.script.answer("cancel_soundtrack", request)
    }

    async fn receive_webhook(
        &self,
        request: Request<render::ReceiveWebhookRequest>,
    ) -> Result<Response<render::ReceiveWebhookReply>, Status> {
        self.script.answer("receive_webhook", request)
    }
}
