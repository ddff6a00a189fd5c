//! Jobs and their scenes.

use anyhow::Result;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::maker::Maker;
use crate::{
    rows::told,
    sound,
    truth::{BytesTruth, Family, FrameTruth, JobTruth, SceneTruth},
};

/// A job to be put in.
#[derive(Default)]
struct NewJob<'a> {
    property: bool,
    status: &'static str,
    campaign: &'a str,
    /// What its parameters say.
    client: Option<&'a str>,
    /// What the statuses of its scenes are.
    scenes: &'a [&'static str],
    stage: &'static str,
    error: Option<&'static str>,
    video: bool,
    audio: bool,
    poster: bool,
    /// Where its video should be there is what an error overwrote it with.
    overwritten: bool,
    nameless: bool,
}

/// What a video was overwritten with.
const STATUS: &[u8] = b"{\"status\":\"completed\",\"message\":\"All scenes were rendered and stitched\"}";

impl Maker<'_> {
    /// Jobs in every status, with numbers from `first`.
    pub(super) fn jobs(&mut self, first: i64, clients: &[String; 3], campaigns: &[String; 4]) -> Result<()> {
        const DONE: &str = "completed";
        let plain = || NewJob { campaign: &campaigns[0], stage: "storyboard_ready", ..NewJob::default() };
        let done = || NewJob { status: DONE, stage: DONE, video: true, ..plain() };
        let gone = self.dice.uuid();
        let all = [
            NewJob {
                audio: true,
                poster: true,
                client: Some(&clients[0]),
                scenes: &[DONE, DONE, DONE, DONE],
                stage: "audio_completed",
                ..done()
            },
            NewJob { property: true, scenes: &[DONE, "failed", DONE], stage: "completed_partial", ..done() },
            NewJob { status: "pending", scenes: &["pending", "pending"], ..plain() },
            NewJob { status: "approved", scenes: &["pending"], stage: "approved", ..plain() },
            NewJob {
                status: "processing",
                scenes: &[DONE, "processing", "pending"],
                stage: "starting_render",
                ..plain()
            },
            NewJob {
                status: "failed",
                property: true,
                scenes: &["failed", "failed"],
                stage: "failed",
                error: Some("No valid sub_jobs with video data"),
                ..plain()
            },
            NewJob { overwritten: true, video: false, scenes: &[DONE], ..done() },
            NewJob { nameless: true, campaign: &gone, scenes: &[DONE, DONE], ..done() },
        ];
        for (offset, new) in all.into_iter().enumerate() {
            self.job(first + i64::try_from(offset)?, &new)?;
        }
        Ok(())
    }

    fn job(&mut self, number: i64, new: &NewJob<'_>) -> Result<()> {
        let created = self.clock.tick(600);
        let changed = created.plus(300);
        let shown = self.shown(new);
        let estimate = f64::from(u32::try_from(new.scenes.len())?) * 5.0 * 0.2;
        let name = (!new.nameless).then(|| format!("Haus am See {number}"));
        let still = self.next();
        let still = new.poster.then(|| self.pictures.still(still).bytes);
        let video = match (new.video, new.overwritten) {
            (true, _) => Some(self.video(5 * u32::try_from(new.scenes.len())?)),
            (false, true) => Some(STATUS.to_vec()),
            (false, false) => None,
        };
        let song = self.next();
        let song = new.audio.then(|| sound::mp3(6, song));
        let kind = if new.property { "property_photos" } else { "image_pairs" };
        let model = if new.property { "hailuo-02" } else { "veo3" };
        self.put(
            "jobs",
            created,
            changed,
            &[
                ("id", &number),
                ("type", &kind),
                ("status", &new.status),
                ("parameters", &parameters(new, model, estimate).to_string()),
                ("storyboard", &storyboard(&shown).to_string()),
                ("progress", &progress(new, estimate, still.as_deref()).to_string()),
                ("result", &video),
                ("audio_blob", &song),
                ("video_name", &name),
                ("estimated_cost", &estimate),
            ],
        )?;
        let blob = |bytes: &Vec<u8>, kind, column| told(bytes, kind, ("jobs", column), number);
        let scenes = self.scenes(number, new, &shown)?;
        self.truth.jobs.push(JobTruth {
            number,
            table: "jobs",
            family: if new.property { Family::Property } else { Family::Pairs },
            kind: Some(kind),
            model: model.to_owned(),
            campaign_id: Some(new.campaign.to_owned()),
            client_id: new.client.map(str::to_owned),
            video_name: name,
            source_status: new.status.to_owned(),
            status: if new.status == "completed" { "completed" } else { "failed" },
            finished: matches!(new.status, "completed" | "failed"),
            error: new.error.map(str::to_owned),
            video: video.as_ref().filter(|_| new.video).map(|video| blob(video, "video/mp4", "result")),
            video_missing: new.overwritten,
            poster: still.as_ref().map(|still| blob(still, "image/jpeg", "progress")),
            audio: song.as_ref().map(|song| blob(song, "audio/mpeg", "audio_blob")),
            scenes,
            estimate_micros: (estimate * 1e6).round() as i64,
            actual_micros: 0,
            created_at: created.rfc3339(),
            updated_at: Some(changed.rfc3339()),
        });
        Ok(())
    }

    /// The two images that each scene shows.
    fn shown(&self, new: &NewJob<'_>) -> Vec<[FrameTruth; 2]> {
        let images = self.truth.assets.iter().filter(|asset| asset.asset_type == "image");
        let images = images.filter_map(|asset| asset.bytes.here().map(|bytes| (asset, bytes)));
        let frames: Vec<_> = images
            .map(|(asset, bytes)| FrameTruth {
                asset_id: asset.id.clone(),
                sha256: Some(bytes.sha256.clone()),
            })
            .collect();
        let frame = |n: usize| frames[n % frames.len()].clone();
        (0..new.scenes.len()).map(|n| [frame(2 * n), frame(2 * n + 1)]).collect()
    }

    /// Puts the scenes of a job in, all in the same second: their order is that of their rows.
    fn scenes(&mut self, job: i64, new: &NewJob<'_>, shown: &[[FrameTruth; 2]]) -> Result<Vec<SceneTruth>> {
        let created = self.clock.tick(0);
        let mut scenes = Vec::new();
        for (n, (status, frames)) in new.scenes.iter().zip(shown).enumerate() {
            let id = self.dice.uuid();
            let clip = if *status == "completed" { Some(self.video(5)) } else { None };
            let provider = (*status != "pending").then(|| self.dice.letters(26));
            self.put(
                "sub_jobs",
                created,
                created.plus(120),
                &[
                    ("id", &id),
                    ("job_id", &job),
                    ("status", status),
                    ("provider_id", &provider),
                    ("video_blob", &clip),
                ],
            )?;
            let clip: Option<BytesTruth> =
                clip.map(|clip| told(&clip, "video/mp4", ("sub_jobs", "video_blob"), &id));
            scenes.push(SceneTruth {
                id,
                table: "sub_jobs",
                number: u32::try_from(n)? + 1,
                source_status: (*status).to_owned(),
                status: if *status == "processing" { "failed" } else { status },
                error: None,
                description: Some(description(n)),
                duration_ms: Some(5000),
                frames: frames.to_vec(),
                clip,
                provider_id: provider,
                actual_micros: 0,
            });
        }
        Ok(scenes)
    }
}

fn description(n: usize) -> String {
    format!("Ein ruhiger Gang durch Raum {}", n + 1)
}

fn parameters(new: &NewJob<'_>, model: &str, estimate: f64) -> Value {
    let mut all = json!({
        "campaign_id": new.campaign, "campaign_name": "Haus am See", "video_model": model, "clip_duration": 5,
        "aspect_ratio": "16:9", "estimated_cost": estimate,
    });
    if let Some(client) = new.client {
        all["client_id"] = client.into();
    }
    all
}

fn storyboard(shown: &[[FrameTruth; 2]]) -> Value {
    let scene = |(n, [first, last]): (usize, &[FrameTruth; 2])| {
        json!({
            "title": format!("Interior View {}", n + 1), "description": description(n),
            "prompt": description(n),
            "duration": 5, "transition": "fade", "scene_type": "interior", "camera_movement": "dolly_forward",
            "asset_ids": [&first.asset_id, &last.asset_id], "highlights": ["Licht", "Holz"],
        })
    };
    json!({
        "scenes": shown.iter().enumerate().map(scene).collect::<Vec<_>>(), "total_duration": 5 * shown.len(),
    })
}

fn progress(new: &NewJob<'_>, estimate: f64, still: Option<&[u8]>) -> Value {
    let mut all = json!({
        "percentage": if new.status == "completed" { 100 } else { 0 }, "stage": new.stage,
        "costs": {"estimated": estimate, "currency": "USD"},
    });
    if let Some(error) = new.error {
        all["error"] = error.into();
    }
    if let Some(still) = still {
        all["thumbnail"] = BASE64_STANDARD.encode(still).into();
    }
    if new.audio {
        all["audio_status"] = "completed_and_merged".into();
        all["video_with_audio"] = true.into();
    }
    all
}
