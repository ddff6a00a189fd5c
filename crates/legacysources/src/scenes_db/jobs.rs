//! Jobs, and the scenes that a job's clips or storyboard are in: putting one in.

use anyhow::Result;
use serde_json::Value;

use super::maker::Maker;
use crate::{
    json,
    rows::told,
    truth::{Family, FrameTruth, JobTruth, SceneTruth},
};

/// A job to be put in.
#[derive(Default)]
pub(super) struct NewJob {
    pub(super) number: i64,
    pub(super) family: Option<Family>,
    pub(super) model: &'static str,
    pub(super) status: &'static str,
    pub(super) prompt: String,
    pub(super) video_url: String,
    pub(super) parameters: Value,
    pub(super) metadata: Option<Value>,
    pub(super) progress: Option<Value>,
    pub(super) storyboard: Option<Value>,
    pub(super) video: Option<Vec<u8>>,
    /// Whether there is a still of the video.
    pub(super) poster: bool,
    /// What the columns say, in dollars.
    pub(super) estimate: f64,
    pub(super) cost: f64,
    /// What it really cost, when the column does not say it.
    pub(super) real_cost: Option<f64>,
    /// What the column says.
    pub(super) error: Option<&'static str>,
    /// What the metadata says, when the column says nothing.
    pub(super) real_error: Option<&'static str>,
    /// What the columns say.
    pub(super) row_client: Option<String>,
    pub(super) row_campaign: Option<String>,
    /// What the parameters or the columns say, when it is an id.
    pub(super) client: Option<String>,
    pub(super) campaign: Option<String>,
    /// Whether the row has no time of its last change.
    pub(super) unchanged: bool,
}

/// What a status there comes to here, and whether such a job was over.
fn here(status: &str) -> (&'static str, bool) {
    match status {
        "completed" => ("completed", true),
        "failed" | "timeout" => ("failed", true),
        "canceled" | "cancelled" => ("canceled", true),
        _ => ("failed", false),
    }
}

/// Micro-dollars.
pub(crate) fn micros(dollars: f64) -> i64 {
    (dollars * 1e6).round() as i64
}

impl Maker<'_> {
    /// Puts a job in; its place in the truth.
    pub(super) fn job(&mut self, new: NewJob) -> Result<usize> {
        let created = self.clock.tick(900);
        let late = self.new_enough();
        let changed = (late && !new.unchanged).then(|| created.plus(240));
        let number = self.next();
        let still = (new.poster && late).then(|| self.pictures.still(number).bytes);
        let parameters = json::python(&new.parameters);
        self.put(
            "generated_videos",
            &[
                ("id", &new.number),
                ("prompt", &new.prompt),
                ("video_url", &new.video_url),
                ("model_id", &new.model),
                ("parameters", &parameters),
                ("status", &new.status),
                ("created_at", &created.sqlite()),
                ("metadata", &new.metadata.as_ref().map(json::python)),
                ("video_data", &new.video),
                ("thumbnail_data", &still),
                ("progress", &new.progress.as_ref().map(json::python)),
                ("storyboard_data", &new.storyboard.as_ref().map(json::python)),
                ("estimated_cost", &new.estimate),
                ("actual_cost", &new.cost),
                ("error_message", &new.error),
                ("updated_at", &changed.map(|changed| changed.sqlite())),
                ("client_id", &new.row_client),
                ("campaign_id", &new.row_campaign),
            ],
        )?;
        let blob = |bytes: &Vec<u8>, content_type, column| {
            told(bytes, content_type, ("generated_videos", column), new.number)
        };
        let (status, finished) = here(new.status);
        let family = new.family.unwrap_or(Family::Clip);
        self.truth.jobs.push(JobTruth {
            number: new.number,
            table: "generated_videos",
            family,
            kind: match family {
                Family::Pairs | Family::Luigi => Some("image_pairs"),
                Family::Property => Some("property_photos"),
                Family::Generic | Family::V2 | Family::Concat | Family::Clip => None,
            },
            model: new.model.to_owned(),
            campaign_id: new.campaign,
            client_id: new.client,
            video_name: None,
            source_status: new.status.to_owned(),
            status,
            finished,
            error: new.error.filter(|_| late).or(new.real_error).map(str::to_owned),
            video_missing: status == "completed" && new.video.is_none(),
            poster: still.as_ref().map(|still| blob(still, "image/jpeg", "thumbnail_data")),
            video: new.video.as_ref().map(|video| blob(video, "video/mp4", "video_data")),
            audio: None,
            scenes: Vec::new(),
            estimate_micros: if late { micros(new.estimate) } else { 0 },
            actual_micros: if late { micros(new.real_cost.unwrap_or(new.cost)) } else { 0 },
            created_at: created.rfc3339(),
            updated_at: changed.map(|changed| changed.rfc3339()),
        });
        Ok(self.truth.jobs.len() - 1)
    }

    /// Puts a clip between two images in, six seconds of `veo3` at 0.15 dollars a second.
    pub(super) fn pair(
        &mut self,
        job: usize,
        number: u32,
        status: &'static str,
        images: [&str; 2],
    ) -> Result<()> {
        let id = self.dice.uuid();
        let parent = self.truth.jobs[job].number;
        let created = self.clock.tick(0);
        let done = status == "completed";
        let provider = done.then(|| self.dice.letters(26));
        let url = provider.as_ref().map(|id| format!("https://replicate.delivery/xezq/{id}/output.mp4"));
        let error = (status == "failed").then_some("Prediction failed: E006 invalid input");
        let prompt = format!("Slow push into the room, pair {number}");
        let input = serde_json::json!({
            "duration": 6, "score": 0.8, "reasoning": "same room", "prompt": &prompt,
            "scene_number": number, "scene_name": "The Hook", "motion_goal": "reveal",
        });
        let cost = if done { 0.9 } else { 0.0 };
        self.put(
            "video_sub_jobs",
            &[
                ("id", &id),
                ("job_id", &parent),
                ("sub_job_number", &number),
                ("image1_asset_id", &images[0]),
                ("image2_asset_id", &images[1]),
                ("replicate_prediction_id", &provider),
                ("model_id", &"veo3"),
                ("input_parameters", &json::python(&input)),
                ("status", &status),
                ("progress", &f64::from(u8::from(done))),
                ("video_url", &url),
                ("duration_seconds", &done.then_some(6.0)),
                ("actual_cost", &cost),
                ("error_message", &error),
                ("started_at", &(status != "pending").then(|| created.sqlite())),
                ("completed_at", &done.then(|| created.plus(200).sqlite())),
                ("created_at", &created.sqlite()),
                ("updated_at", &created.plus(200).sqlite()),
            ],
        )?;
        let frames = images.map(|id| self.frame(id)).to_vec();
        self.truth.jobs[job].scenes.push(SceneTruth {
            id,
            table: "video_sub_jobs",
            number,
            source_status: status.to_owned(),
            status: if status == "processing" { "failed" } else { status },
            error: error.map(str::to_owned),
            description: Some(prompt),
            duration_ms: Some(6000),
            frames,
            clip: None,
            provider_id: provider,
            actual_micros: micros(cost),
        });
        Ok(())
    }

    /// What an asset that is shown is.
    pub(super) fn frame(&self, asset: &str) -> FrameTruth {
        let row = self.truth.assets.iter().find(|row| row.id == asset);
        let bytes = row.and_then(|row| row.bytes.here());
        FrameTruth { asset_id: asset.to_owned(), sha256: bytes.map(|bytes| bytes.sha256.clone()) }
    }
}
