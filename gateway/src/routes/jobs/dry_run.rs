//! What a job would be and cost: the same checks, storyboard and price, and nothing is stored or spent.

use kit::ServiceError;
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{super::text, view::Costs};
use crate::app::App;

/// What a job would be. Nothing was stored, and nothing was spent.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRun {
    /// Always true.
    dry_run: bool,
    r#type: String,
    /// The name that is free now.
    video_name: String,
    campaign_id: String,
    #[schema(required)]
    client_id: Option<String>,
    video_model: String,
    /// Who would draw the storyboard: `xai` or `template`.
    planner: String,
    /// Whether `storyboard` is what making the job would draw from the same photos. False: a language model would draw
    /// it and was not asked; the price is of the scenes that it would be asked for. `plan: true` asks it.
    planned: bool,
    scene_count: usize,
    /// Seconds.
    total_duration: f64,
    pub(super) estimated_cost: f64,
    costs: Costs,
    pub(super) breakdown: Breakdown,
    /// `scenes` and `total_duration`; null unless `planned`.
    #[schema(required, value_type = Option<Object>)]
    storyboard: Option<Value>,
    #[schema(required, value_type = Option<Object>)]
    parameters: Option<Value>,
    /// RFC 3339, UTC: until when the prices hold.
    pub(super) valid_until: String,
}

/// What the price is made of, USD.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Breakdown {
    price_per_second: f64,
    billed_seconds: u32,
    scenes: Vec<SceneCost>,
    /// Storyboards cost the caller nothing.
    pub(super) storyboard_generation: f64,
    /// The photos are there already.
    pub(super) image_generation: f64,
    pub(super) video_rendering: f64,
}

/// What one scene costs.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct SceneCost {
    index: i32,
    /// Seconds that the model makes and bills.
    billed_seconds: u32,
    cost: f64,
}

/// Asks for the estimate of a job.
pub(super) async fn estimate(
    app: &App,
    request: pb::CreateJobRequest,
    plan: bool,
) -> Result<DryRun, ServiceError> {
    let request = pb::GetEstimateRequest { job: Some(request), plan };
    let estimate = app.backends.patient_job().get_estimate(request).await.map_err(ServiceError::from)?;
    Ok(DryRun::of(estimate.into_inner()))
}

impl DryRun {
    fn of(estimate: pb::Estimate) -> Self {
        let job = estimate.job.unwrap_or_default();
        let storyboard = text::json(&job.storyboard_json).filter(|_| estimate.planned);
        let billed_seconds = job.scenes.iter().map(|scene| scene.billed_seconds).sum();
        Self {
            dry_run: true,
            costs: Costs::of(&job),
            breakdown: Breakdown::of(&job, billed_seconds),
            scene_count: job.scenes.len(),
            total_duration: f64::from(billed_seconds),
            estimated_cost: text::dollars(job.estimated_cost_micros),
            r#type: job.kind,
            video_name: job.video_name,
            campaign_id: job.campaign_id,
            client_id: job.client_id,
            video_model: job.video_model,
            planner: estimate.planner,
            planned: estimate.planned,
            storyboard,
            parameters: text::json(&job.parameters_json),
            valid_until: estimate.valid_until,
        }
    }
}

impl Breakdown {
    fn of(job: &pb::Job, billed_seconds: u32) -> Self {
        let price = job.price_micros_per_second;
        let cost = |scene: &pb::Scene| SceneCost {
            index: scene.index,
            billed_seconds: scene.billed_seconds,
            cost: text::dollars(i64::from(scene.billed_seconds) * price),
        };
        Self {
            // Prices may be finer than cents.
            price_per_second: price as f64 / 1_000_000.0,
            billed_seconds,
            scenes: job.scenes.iter().map(cost).collect(),
            storyboard_generation: 0.0,
            image_generation: 0.0,
            video_rendering: text::dollars(job.estimated_cost_micros),
        }
    }
}
