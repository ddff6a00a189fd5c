//! Jobs of every kind and in every status.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    jobs::{NewJob, micros},
    maker::Maker,
    owners::{Campaigns, Clients},
};
use crate::{
    json,
    truth::{Family, SceneTruth},
};

/// A model that clips were made with one by one.
const MODEL: &str = "bytedance/seedance-1-lite";

impl Maker<'_> {
    /// Clips that were made one by one, joined by hand or by the second version. `first`: the number of the
    /// first job.
    pub(super) fn clips(&mut self, first: i64) -> Result<()> {
        let clip = |offset: i64, status: &'static str| NewJob {
            number: first + offset,
            model: MODEL,
            status,
            prompt: "A calm sea at dusk – ruhig".to_owned(),
            parameters: json!({"prompt": "A calm sea at dusk – ruhig", "fps": 24}),
            row_client: Some("admin".to_owned()),
            ..NewJob::default()
        };
        let video = Some(self.video(4));
        let replicate = |error: Value| {
            Some(
                json!({"replicate_id": "r1", "prediction_url": "https://api.example.com/r1", "error": error}),
            )
        };
        let url = format!("/api/videos/{first}/data");
        self.job(NewJob {
            video,
            poster: true,
            video_url: url,
            metadata: replicate(Value::Null),
            ..clip(0, "completed")
        })?;
        let metadata = replicate("NSFW content".into());
        self.job(NewJob { metadata, real_error: Some("NSFW content"), ..clip(1, "failed") })?;
        self.job(clip(2, "canceled"))?;
        self.job(NewJob { video_url: "pending".to_owned(), ..clip(3, "timeout") })?;
        let video = Some(self.video(8));
        let (family, model) = (Some(Family::Concat), "ffmpeg-concat");
        self.job(NewJob { family, model, video, unchanged: true, ..clip(4, "completed") })?;
        if !self.new_enough() {
            return Ok(());
        }
        let v2 = |offset, status| NewJob {
            family: Some(Family::V2),
            model: "v2-workflow",
            parameters: json!({
                "duration": 30, "style": "modern", "aspect_ratio": "16:9", "brand_guidelines": null,
            }),
            storyboard: Some(json!([
                {"scene_number": 1, "description": "Arrival", "duration": 5.0,
                 "image_url": "https://i.example.com/1"},
            ])),
            estimate: 3.015,
            ..clip(offset, status)
        };
        let video = Some(self.video(30));
        let url = format!("/api/videos/{}/data", first + 5);
        self.job(NewJob { video, video_url: url, poster: true, cost: 2.9, ..v2(5, "completed") })?;
        self.job(NewJob { error: Some("No storyboard data available"), ..v2(6, "failed") })?;
        for (n, status) in
            ["pending", "parsing", "generating_storyboard", "rendering", "processing"].into_iter().enumerate()
        {
            self.job(v2(7 + i64::try_from(n)?, status))?;
        }
        Ok(())
    }

    /// Jobs that made a storyboard of a brief: one that waits for a person, with a gap in its scenes, one
    /// that was being written, and one that was called off.
    pub(super) fn storyboards(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        let (client, campaign) = (&clients[0], &campaigns.good[0]);
        let images = self.images_of(campaign);
        let generic = |number, status: &'static str| NewJob {
            number,
            family: Some(Family::Generic),
            model: "v3-job",
            status,
            prompt: "Product: Villa\n    Target Audience: Families\n    Style: calm".to_owned(),
            parameters: json!({
                "context": {"clientId": client, "campaignId": campaign, "userId": null},
                "ad_basics": {
                    "product": "Villa", "targetAudience": "Families", "keyMessage": "Ruhe",
                    "callToAction": "Book",
                },
                "creative": {
                    "videoSpecs": {"duration": 30, "format": "16:9"}, "direction": {"style": "calm"},
                },
                "advanced": null, "processed_asset_ids": [&images[0], &images[1]],
                "generate_audio": true, "audio_cost": 2.0,
            }),
            progress: Some(json!({"current_stage": status, "message": "…"})),
            estimate: 7.0,
            row_client: Some(client.clone()),
            client: Some(client.clone()),
            campaign: Some(campaign.clone()),
            ..NewJob::default()
        };
        let job = self.job(generic(21, "storyboard_ready"))?;
        // The third was deleted; the others kept their numbers.
        for number in [1, 2, 4, 5] {
            self.storyboard_scene(job, number, &images)?;
        }
        self.job(generic(22, "scene_generation"))?;
        self.job(generic(23, "cancelled"))?;
        Ok(())
    }

    fn storyboard_scene(&mut self, job: usize, number: u32, images: &[String]) -> Result<()> {
        let id = self.dice.uuid();
        let created = self.clock.tick(0).sqlite();
        let asset = images.get(number as usize).filter(|_| number != 5);
        let description = format!("Scene {number}: das Licht fällt in die Küche");
        let seconds = 7.5;
        self.put(
            "job_scenes",
            &[
                ("id", &id),
                ("job_id", &self.truth.jobs[job].number),
                ("scene_number", &number),
                ("duration_seconds", &seconds),
                ("description", &description),
                ("script", &"Come home."),
                ("shot_type", &"wide"),
                ("transition", &"dissolve"),
                ("assets", &asset.map(|asset| json::python(&json!([asset])))),
                (
                    "metadata",
                    &(number == 1).then(|| json::python(&json!({"setting": "Küche", "mood": "warm"}))),
                ),
                ("created_at", &created),
                ("updated_at", &created),
            ],
        )?;
        let frames = asset.map(|asset| self.frame(asset)).into_iter().collect();
        self.truth.jobs[job].scenes.push(SceneTruth {
            id,
            table: "job_scenes",
            number,
            source_status: String::new(),
            status: "pending",
            error: None,
            description: Some(description),
            duration_ms: Some(7500),
            frames,
            clip: None,
            provider_id: None,
            actual_micros: micros(0.0),
        });
        Ok(())
    }

    /// The ids of a campaign's images whose bytes are there.
    fn images_of(&self, campaign: &str) -> Vec<String> {
        let of_it =
            self.truth.assets.iter().filter(|asset| asset.row_campaign_id.as_deref() == Some(campaign));
        let images = of_it.filter(|asset| asset.asset_type == "image" && asset.bytes.here().is_some());
        images.map(|asset| asset.id.clone()).collect()
    }

    /// Jobs that rendered clips between pairs of images. Number 141 is whole: seven clips, of which one
    /// failed and one shows an image that was deleted since; its cost is in its metadata alone.
    pub(super) fn pairs(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        let (client, campaign) = (&clients[0], &campaigns.good[0]);
        let images = self.images_of(campaign);
        let pairs = |number: i64, status: &'static str| NewJob {
            number,
            family: Some(Family::Pairs),
            model: "image-pair-workflow",
            status,
            prompt: format!("Image pair video for campaign {campaign}"),
            parameters: json!({
                "campaign_id": campaign, "client_id": client, "clip_duration": 6, "num_pairs": 7,
            }),
            progress: Some(json!({"selected_pairs": 7})),
            client: Some(client.clone()),
            campaign: Some(campaign.clone()),
            ..NewJob::default()
        };
        let done = |number: i64| NewJob {
            video_url: format!("/api/v3/videos/{number}/combined"),
            metadata: Some(json!({
                "total_clips": 7, "successful_clips": 6, "failed_clips": 1,
                "clip_urls": urls(number),
                "total_cost": 5.4,
            })),
            real_cost: Some(5.4),
            ..pairs(number, "completed")
        };
        let video = Some(self.video(36));
        let whole = self.job(NewJob { video, poster: true, ..done(141) })?;
        let gone = self.dice.uuid();
        for number in 1..=7 {
            let status = if number == 4 { "failed" } else { "completed" };
            let n = number as usize * 2;
            let second = if number == 6 { &gone } else { &images[n % images.len()] };
            self.pair(whole, number, status, [&images[n - 1], second])?;
        }
        // Nothing but its metadata says why.
        let metadata = Some(json!({"error": "All clips failed"}));
        let failed = NewJob { metadata, real_error: Some("All clips failed"), ..pairs(142, "failed") };
        let failed = self.job(failed)?;
        self.pair(failed, 1, "failed", [&images[0], &images[1]])?;
        // In the middle of it.
        let running = self.job(pairs(143, "sub_job_processing"))?;
        for (number, status) in [(1, "completed"), (2, "processing"), (3, "pending")] {
            self.pair(running, number, status, [&images[2], &images[3]])?;
        }
        // Its video was never in the database.
        let lost = self.job(NewJob { unchanged: true, ..done(144) })?;
        self.pair(lost, 1, "completed", [&images[4], &images[5]])?;
        for (n, status) in [
            "image_pair_selection",
            "sub_job_creation",
            "video_combining",
            "audio_generation",
            "video_processing",
        ]
        .into_iter()
        .enumerate()
        {
            self.job(pairs(146 + i64::try_from(n)?, status))?;
        }
        self.odd_pairs(clients, campaigns)
    }

    /// A job of the pipeline of tasks, one from the photos of a property, and one of a campaign whose client
    /// is gone.
    fn odd_pairs(&mut self, clients: &Clients, campaigns: &Campaigns) -> Result<()> {
        let (client, campaign) = (&clients[0], &campaigns.good[1]);
        let odd = |number: i64, family, model, status, campaign: &String| NewJob {
            number,
            family: Some(family),
            model,
            status,
            prompt: format!("Image pair video for campaign {campaign}"),
            parameters: json!({"campaign_id": campaign, "client_id": null}),
            campaign: Some(campaign.clone()),
            ..NewJob::default()
        };
        self.job(NewJob {
            parameters: json!({
                "campaign_id": campaign, "client_id": client, "clip_duration": null, "num_pairs": null,
                "workflow_type": "luigi",
            }),
            client: Some(client.clone()),
            ..odd(151, Family::Luigi, "luigi-workflow", "pipeline_starting", campaign)
        })?;
        self.job(NewJob {
            parameters: json!({
                "property_info": {
                    "name": "Villa Azure", "location": "Çeşme", "propertyType": "villa",
                    "positioning": "quiet",
                },
                "campaign_id": campaign, "video_model": "veo3", "clip_duration": 6.0,
                "selection_metadata": {}, "scene_pairs": [],
            }),
            metadata: Some(json!({"error": "Grok returned no scene pairs"})),
            real_error: Some("Grok returned no scene pairs"),
            ..odd(152, Family::Property, "image-pair-workflow", "failed", campaign)
        })?;
        let video = Some(self.video(12));
        let orphan = odd(160, Family::Pairs, "image-pair-workflow", "completed", &campaigns.orphans[0]);
        self.job(NewJob { video, ..orphan })?;
        Ok(())
    }
}

/// Where a whole job's six clips were.
fn urls(job: i64) -> Vec<String> {
    (1..7).map(|n| format!("/api/v3/videos/{job}/clips/clip_{n:03}.mp4")).collect()
}
