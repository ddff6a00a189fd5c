//! What the routes for trying out ask: the pipeline, texts over videos, voices.

use std::sync::Arc;

use protos::{
    audio::v1::{self as audio, voice_service_server::VoiceService},
    job::v1::{self as job, pipeline_service_server::PipelineService},
    stitch::v1::{self as stitch, overlay_service_server::OverlayService},
};
use tonic::{Request, Response, Status};

use super::Script;

/// Answers from its script.
pub(crate) struct FakePipeline {
    pub(crate) script: Arc<Script>,
}

#[tonic::async_trait]
impl PipelineService for FakePipeline {
    async fn get_pipeline(
        &self,
        request: Request<job::GetPipelineRequest>,
    ) -> Result<Response<job::Pipeline>, Status> {
        self.script.answer("get_pipeline", request)
    }

    async fn configure_pipeline(
        &self,
        request: Request<job::ConfigurePipelineRequest>,
    ) -> Result<Response<job::Pipeline>, Status> {
        self.script.answer("configure_pipeline", request)
    }

    async fn wish_soundtrack(
        &self,
        request: Request<job::WishSoundtrackRequest>,
    ) -> Result<Response<job::Job>, Status> {
        self.script.answer("wish_soundtrack", request)
    }

    async fn list_templates(
        &self,
        request: Request<job::ListTemplatesRequest>,
    ) -> Result<Response<job::ListTemplatesReply>, Status> {
        self.script.answer("list_templates", request)
    }

    async fn preview_storyboard(
        &self,
        request: Request<job::PreviewStoryboardRequest>,
    ) -> Result<Response<job::PreviewStoryboardReply>, Status> {
        self.script.answer("preview_storyboard", request)
    }

    async fn preview_script(
        &self,
        request: Request<job::PreviewScriptRequest>,
    ) -> Result<Response<job::Script>, Status> {
        self.script.answer("preview_script", request)
    }
}

/// Answers from its script.
pub(crate) struct FakeOverlay {
    pub(crate) script: Arc<Script>,
}

#[tonic::async_trait]
impl OverlayService for FakeOverlay {
    async fn request_overlay(
        &self,
        request: Request<stitch::RequestOverlayRequest>,
    ) -> Result<Response<stitch::Product>, Status> {
        self.script.answer("request_overlay", request)
    }

    async fn preview_overlay(
        &self,
        request: Request<stitch::Overlay>,
    ) -> Result<Response<stitch::OverlayPreview>, Status> {
        self.script.answer("preview_overlay", request)
    }
}

/// Answers from its script.
pub(crate) struct FakeVoice {
    pub(crate) script: Arc<Script>,
}

#[tonic::async_trait]
impl VoiceService for FakeVoice {
    async fn request_voice(
        &self,
        request: Request<audio::RequestVoiceRequest>,
    ) -> Result<Response<audio::Voice>, Status> {
        self.script.answer("request_voice", request)
    }

    async fn get_voice(
        &self,
        request: Request<audio::GetVoiceRequest>,
    ) -> Result<Response<audio::Voice>, Status> {
        self.script.answer("get_voice", request)
    }
}
