//! A job as the service shows it: the domain's state in the words of `proto/job/v1`.

use jiff::Timestamp;
use job_domain::{BlobRef, Job, progress, state::Scene, view};
use protos::{common::v1 as common, job::v1 as pb};
use serde_json::{Value, json};

use crate::app::Snapshot;

/// The job at a version.
#[must_use]
pub fn job(snapshot: &Snapshot) -> pb::Job {
    pb::Job { position: snapshot.position, ..of(&snapshot.job) }
}

/// The job, without the position that it has in the log.
#[must_use]
pub fn of(job: &Job) -> pb::Job {
    let costs = view::costs(job);
    let master = job.master.as_ref();
    pb::Job {
        id: job.id,
        kind: job.kind.as_str().to_owned(),
        status: job.status.as_str().to_owned(),
        outcome: job.outcome.map(|outcome| outcome.as_str().to_owned()),
        video_name: job.video_name.clone(),
        campaign_id: job.campaign_id.clone(),
        client_id: job.client_id.clone(),
        progress: Some(progress_of(job)),
        next_cut: next_cut(job),
        parameters_json: Value::Object(view::parameters(job)).to_string(),
        storyboard_json: storyboard(job).to_string(),
        scenes: job.scenes.iter().map(|scene| self::scene(job, scene)).collect(),
        estimated_cost_micros: costs.estimated_micros,
        actual_cost_micros: costs.actual_micros,
        error: job.error.clone(),
        video: master.map(|master| blob(&master.video)),
        poster: master.and_then(|master| master.poster.as_ref()).map(blob),
        video_duration_ms: master.and_then(|master| known_length(master.duration_ms)),
        audio: Some(audio(job)),
        position: 0,
        created_at: time(job.created_at_ms),
        updated_at: time(job.updated_at_ms),
        planner: job.planner.clone(),
        video_model: job.model.clone(),
        warnings: job.warnings.clone(),
        total_assets: job.total_assets,
        price_micros_per_second: job.price_micros_per_second,
    }
}

/// The job as a line of a list: without storyboard, parameters and scenes.
#[must_use]
pub fn line(snapshot: &Snapshot) -> pb::Job {
    let (storyboard_json, parameters_json, scenes) = (String::new(), String::new(), Vec::new());
    pb::Job { storyboard_json, parameters_json, scenes, ..job(snapshot) }
}

/// The storyboard in the contract's shape. Lengths are the seconds that are made and billed, because they are
/// the ones that the price and the video follow. What was billed of a job that was brought over is not known: its lengths
/// are those of the older database.
fn storyboard(job: &Job) -> Value {
    let scenes = job.scenes.iter();
    if job.imported.is_some() {
        let scenes: Vec<Value> = scenes.map(|scene| view::scene_object(&scene.spec)).collect();
        let total_ms: i64 = job.scenes.iter().map(|scene| scene.spec.draft.requested_ms).sum();
        let total = total_ms as f64 / 1_000.0;
        return json!({ "scenes": scenes, "total_duration": total, "planner": job.planner });
    }
    let scenes: Vec<Value> = scenes.map(|scene| scene_object(&scene.spec)).collect();
    json!({ "scenes": scenes, "total_duration": f64::from(job.planned_seconds()), "planner": job.planner })
}

fn scene_object(spec: &job_domain::SceneSpec) -> Value {
    let mut object = view::scene_object(spec);
    object["duration"] = json!(f64::from(spec.draft.billed_seconds));
    object
}

/// How far the job is, with its scenes counted.
#[must_use]
pub fn progress_of(job: &Job) -> pb::Progress {
    counted(job, progress::progress(job))
}

fn counted(job: &Job, at: progress::Progress) -> pb::Progress {
    let counts = view::counts(job);
    pb::Progress {
        percentage: at.percentage.into(),
        stage: at.stage.to_owned(),
        total_scenes: counts.total,
        completed_scenes: counts.completed,
        processing_scenes: counts.processing,
        failed_scenes: counts.failed,
    }
}

fn next_cut(job: &Job) -> Option<pb::NextCut> {
    let next = progress::next_cut(job)?;
    Some(pb::NextCut { progress: next.progress.map(|at| counted(job, at)), error: next.error })
}

fn audio(job: &Job) -> pb::AudioState {
    let audio = view::audio(job);
    pb::AudioState {
        status: audio.status.as_str().to_owned(),
        started_at: audio.started_at_ms.map(time),
        generated_at: audio.generated_at_ms.map(time),
        soundtrack: audio.audio.as_ref().map(blob),
        error: audio.error,
    }
}

/// A scene of the job.
#[must_use]
pub fn scene(job: &Job, scene: &Scene) -> pb::Scene {
    let draft = &scene.spec.draft;
    let failure = view::scene_failure(job, scene);
    let clip = view::clip(scene);
    pb::Scene {
        id: scene.spec.id.clone(),
        index: i32::try_from(scene.spec.index).unwrap_or(i32::MAX),
        status: view::scene_status(job, scene).as_str().to_owned(),
        provider_id: view::provider_id(scene).map(str::to_owned),
        clip: clip.map(|clip| blob(&clip.video)),
        clip_duration_ms: clip.and_then(|clip| known_length(clip.duration_ms)),
        error: failure.as_ref().map(|failure| failure.reason.clone()),
        retryable: failure.is_some_and(|failure| failure.retryable),
        title: draft.title.clone(),
        prompt: draft.prompt.clone(),
        billed_seconds: draft.billed_seconds,
        first_asset_id: draft.first_frame.asset_id.clone(),
        last_asset_id: draft.last_frame.asset_id.clone(),
        scene_type: draft.scene_type.clone().unwrap_or_default(),
        take: scene.last_take().map_or(0, |take| take.number),
        created_at: time(scene.created_at_ms),
        updated_at: time(scene.updated_at_ms),
        actual_cost_micros: scene.takes.iter().map(|take| take.cost_micros).sum(),
        description: draft.description.clone(),
        progress: progress::of_scene(scene).into(),
        started_at: scene.last_take().map(|take| time(take.requested_at_ms)),
        ended_at: scene.last_take().and_then(|take| take.settled_at_ms).map(time),
        attempt: scene.last_take().map_or(0, |take| take.attempt),
        requested_seconds: draft.requested_ms as f64 / 1_000.0,
    }
}

fn blob(blob: &BlobRef) -> common::BlobRef {
    common::BlobRef { sha256: blob.sha256.clone(), size: blob.size, content_type: blob.content_type.clone() }
}

/// None for what was brought over with a length that nobody knows.
fn known_length(duration_ms: i64) -> Option<u64> {
    u64::try_from(duration_ms).ok().filter(|length| *length > 0)
}

/// RFC 3339 with `Z`.
fn time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map(|at| at.to_string()).unwrap_or_default()
}
