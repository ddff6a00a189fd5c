//! The storyboard that a job of a campaign would get: drawn like one, and not stored.

use job_domain::{SceneSpec, pipeline::Pipeline, state::JobKind, view::scene_object, wishes::RawWishes};
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::Value;

use crate::{
    assets::Assets,
    photos,
    planner::{Brief, Choice, Planner},
};

/// Scenes when the caller does not say how many.
const USUAL_SCENES: u32 = 7;
/// The longest brief, in characters.
const LONGEST_BRIEF: usize = 4_000;

/// Draws storyboards.
#[derive(Debug)]
pub struct Previewer {
    /// What the asset service knows.
    pub assets: Assets,
    /// Who draws.
    pub planner: Planner,
    /// Model of a job that names none.
    pub default_model: String,
}

impl Previewer {
    /// The storyboard for a campaign.
    ///
    /// # Errors
    /// There is no such campaign, it has no images, the request is wrong, or the planner failed.
    pub async fn preview(
        &self,
        request: &pb::PreviewStoryboardRequest,
        pipeline: &Pipeline,
    ) -> Result<pb::PreviewStoryboardReply, ServiceError> {
        if request.brief.chars().count() > LONGEST_BRIEF {
            let message = format!("should be at most {LONGEST_BRIEF} character(s)");
            return Err(ServiceError::validation([("brief", message)]));
        }
        let campaign = self.assets.campaign(&request.campaign_id).await?;
        let campaign = campaign.ok_or_else(|| ServiceError::not_found("Campaign not found"))?;
        let assets = self.assets.of_campaign(&campaign.id).await?;
        let images = assets.iter().filter(|asset| asset.r#type == "image").count();
        if images == 0 {
            return Err(ServiceError::new(Code::Invalid, "no_images", "No images found in campaign"));
        }
        let settings = pipeline.for_new_job(&campaign.name);
        let photos = photos::usable(JobKind::PropertyPhotos, &assets)?;
        let count = request.scene_count.map(i64::from);
        let usual = settings.scene_count.unwrap_or(USUAL_SCENES);
        let raw = RawWishes { num_pairs: count.or_else(|| Some(usual.into())), ..RawWishes::default() };
        let model = settings.model.as_deref().unwrap_or(&self.default_model);
        let invalid = |wrong: Vec<job_domain::Violation>| {
            let renamed = |field: String| if field == "num_pairs" { "scene_count".to_owned() } else { field };
            ServiceError::validation(wrong.into_iter().map(|wrong| (renamed(wrong.field), wrong.message)))
        };
        let mut wishes = raw.check(model).map_err(invalid)?;
        if request.scene_count.is_none() {
            let most = u32::try_from(wishes.most_scenes()).unwrap_or(u32::MAX);
            wishes.num_pairs = wishes.num_pairs.map(|count| count.min(most));
        }
        wishes.scene_count(photos.len()).map_err(|wrong| invalid(vec![wrong]))?;
        let text = if request.brief.trim().is_empty() {
            campaign.brief.as_deref().unwrap_or(&campaign.name)
        } else {
            &request.brief
        };
        let choice = if settings.use_ai { Choice::Configured } else { Choice::Templates };
        let brief = Brief { kind: JobKind::ImagePairs, wishes: &wishes, photos: &photos, text };
        let plan = self.planner.draw(brief, choice).await?;
        let scene = |(index, draft): (u32, job_domain::SceneDraft)| {
            let spec = SceneSpec { id: String::new(), number: index + 1, index, draft };
            let mut scene = scene_object(&spec);
            if let Some(object) = scene.as_object_mut() {
                object.shift_remove("id");
            }
            scene
        };
        let scenes: Vec<Value> = (0..).zip(plan.scenes).map(scene).collect();
        Ok(pb::PreviewStoryboardReply {
            campaign_id: campaign.id,
            campaign_name: campaign.name,
            total_assets: u32::try_from(images).unwrap_or(u32::MAX),
            scenes_json: Value::Array(scenes).to_string(),
            planner: plan.planner.to_owned(),
        })
    }
}
