//! Changing a scene of a storyboard: its frames are looked up before the domain decides.

use std::sync::Arc;

use job_domain::{Command, Frame, SceneChanges};
use kit::ServiceError;
use protos::{asset::v1 as asset, job::v1 as pb};

use crate::{
    app::{App, Done, Remember},
    assets::Assets,
    create::millis,
    events::Origin,
    photos,
};

/// What it takes to change a scene.
#[derive(Debug)]
pub struct Editor {
    app: Arc<App>,
    assets: Assets,
}

impl Editor {
    /// An editor of jobs.
    #[must_use]
    pub fn new(app: Arc<App>, assets: Assets) -> Self {
        Self { app, assets }
    }

    /// Changes the scene.
    ///
    /// # Errors
    /// The change is refused, or a service is away.
    pub async fn edit(
        &self,
        request: pb::EditSceneRequest,
        remember: Remember<'_>,
    ) -> Result<Done, ServiceError> {
        let (first_id, last_id) = (request.first_asset_id, request.last_asset_id);
        let (mut first_frame, mut last_frame) = (None, None);
        if first_id.is_some() || last_id.is_some() {
            // A repeat needs no frames: they may be gone by now.
            if let Some(before) = self.app.repeated(remember).await? {
                return Ok(Done::Before(before));
            }
            let job = self.app.get(request.job_id).await?;
            let assets = self.assets.of_campaign(&job.job.campaign_id).await?;
            first_frame = frame(&assets, "first_asset_id", first_id.as_deref())?;
            last_frame = frame(&assets, "last_asset_id", last_id.as_deref())?;
        }
        let changes = SceneChanges {
            title: request.title,
            description: request.description,
            prompt: request.prompt,
            transition: request.transition,
            scene_type: request.scene_type,
            camera_movement: request.camera_movement,
            motion_goal: request.motion_goal,
            music_description: request.music_description,
            music_style: request.music_style,
            music_energy: request.music_energy,
            requested_ms: request.duration.map(millis),
            first_frame,
            last_frame,
        };
        let command = Command::EditSceneAt { index: request.index, changes };
        self.app.carry_out(request.job_id, &command, &Origin::api(&request.command_id), remember).await
    }
}

fn frame(assets: &[asset::Asset], field: &str, id: Option<&str>) -> Result<Option<Frame>, ServiceError> {
    let frame = id.map(|id| photos::frame(assets, id)).transpose();
    frame.map_err(|why| ServiceError::validation([(field, why)]))
}
