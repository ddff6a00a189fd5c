//! `PipelineService` over gRPC: requests in, the words of the service out. No rule is decided here.

use std::sync::Arc;

use job_domain::{
    Command, SoundtrackWish,
    pipeline::PipelineCommand,
    soundtrack_wish::{ErrorStrategy, SyncMode, USUAL_FADE_MS},
    storyboard::templates::{self, Placed},
};
use kit::ServiceError;
use prost::Message;
use protos::job::v1::{self as pb, pipeline_service_server::PipelineService};
use serde_json::{Map, Value};
use tonic::{Request, Response, Status};

use super::{PipelineSettings, preview::Previewer, script::Writer};
use crate::{
    app::{App, Done, Remember},
    events::Origin,
    view,
};

/// The service.
#[derive(Debug)]
pub struct Pipelines {
    /// All jobs.
    pub app: Arc<App>,
    /// The settings.
    pub settings: PipelineSettings,
    /// Draws storyboards that are not stored.
    pub previewer: Previewer,
    /// Writes what a voice says.
    pub writer: Writer,
}

fn reply(job: &job_domain::Job) -> Vec<u8> {
    view::of(job).encode_to_vec()
}

#[tonic::async_trait]
impl PipelineService for Pipelines {
    async fn get_pipeline(
        &self,
        _: Request<pb::GetPipelineRequest>,
    ) -> Result<Response<pb::Pipeline>, Status> {
        Ok(Response::new(self.settings.message(&self.settings.current().await?)))
    }

    async fn configure_pipeline(
        &self,
        request: Request<pb::ConfigurePipelineRequest>,
    ) -> Result<Response<pb::Pipeline>, Status> {
        let request = request.into_inner();
        let digest = crate::grpc::digest(
            "configure_pipeline",
            &pb::ConfigurePipelineRequest { command_id: String::new(), ..request.clone() },
        );
        let changes = object(&request.changes_json)?;
        let command = if request.step.is_empty() {
            PipelineCommand::Whole { config: changes }
        } else {
            PipelineCommand::Step { step: request.step, updates: changes }
        };
        Ok(Response::new(self.settings.configure(&command, &request.command_id, &digest).await?))
    }

    async fn wish_soundtrack(
        &self,
        request: Request<pb::WishSoundtrackRequest>,
    ) -> Result<Response<pb::Job>, Status> {
        let request = request.into_inner();
        let digest = crate::grpc::digest(
            "wish_soundtrack",
            &pb::WishSoundtrackRequest { command_id: String::new(), ..request.clone() },
        );
        let remember = Remember { id: &request.command_id, digest: &digest, reply };
        let command = Command::WishSoundtrack { wish: wish(&request) };
        let origin = Origin::api(&request.command_id);
        let job = match self.app.carry_out(request.job_id, &command, &origin, remember).await? {
            Done::Now(job) => view::job(&job),
            Done::Before(before) => pb::Job::decode(before.as_slice()).map_err(ServiceError::internal)?,
        };
        Ok(Response::new(job))
    }

    async fn list_templates(
        &self,
        request: Request<pb::ListTemplatesRequest>,
    ) -> Result<Response<pb::ListTemplatesReply>, Status> {
        let pb::ListTemplatesRequest { scene_count, available_types } = request.into_inner();
        let placed = match scene_count {
            None => templates::all(),
            Some(count) => templates::adapted(count, &available_types)
                .map_err(|wrong| ServiceError::validation([(wrong.field, wrong.message)]))?,
        };
        let templates = placed.iter().map(template).collect();
        Ok(Response::new(pb::ListTemplatesReply { templates }))
    }

    async fn preview_storyboard(
        &self,
        request: Request<pb::PreviewStoryboardRequest>,
    ) -> Result<Response<pb::PreviewStoryboardReply>, Status> {
        let pipeline = self.settings.current().await?;
        Ok(Response::new(self.previewer.preview(&request.into_inner(), &pipeline).await?))
    }

    async fn preview_script(
        &self,
        request: Request<pb::PreviewScriptRequest>,
    ) -> Result<Response<pb::Script>, Status> {
        let pipeline = self.settings.current().await?;
        Ok(Response::new(self.writer.write(request.into_inner(), &pipeline).await?))
    }
}

fn object(text: &str) -> Result<Map<String, Value>, ServiceError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(ServiceError::validation([("config", "must be an object")])),
    }
}

fn wish(request: &pb::WishSoundtrackRequest) -> SoundtrackWish {
    let prompt = request.prompt.as_deref().map(str::trim).filter(|prompt| !prompt.is_empty());
    SoundtrackWish {
        prompt: prompt.map(str::to_owned),
        fade_ms: request.fade_ms.unwrap_or(USUAL_FADE_MS),
        sync: SyncMode::of_word(&request.sync_mode),
        merge: request.merge_with_video,
        on_error: ErrorStrategy::of_word(&request.error_strategy),
    }
}

fn template(placed: &Placed) -> pb::Template {
    let Placed { template, order, start_ms, end_ms } = *placed;
    let owned = |words: &[&str]| words.iter().copied().map(str::to_owned).collect();
    let music = template.music();
    pb::Template {
        r#type: template.key.to_owned(),
        order,
        title: template.title.to_owned(),
        subtitle: template.subtitle.to_owned(),
        start_ms,
        end_ms,
        default_ms: template.default_ms,
        scene_types: owned(template.scene_types),
        keywords: owned(template.keywords),
        preferred_tags: owned(template.preferred_tags),
        motion_goal: template.motion_goal.to_owned(),
        camera_movement: template.camera_movement.to_owned(),
        video_prompt: template.prompt.to_owned(),
        music_description: music.description,
        music_style: music.style,
        music_energy: music.energy,
    }
}
