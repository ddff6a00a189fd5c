//! A job as it came: the message as the domain's fact, and the fact as the message again, to the letter.

use jiff::Timestamp;
use job_domain::{
    BlobRef, JobImported, JobStatus, LegacyOrigin, SceneStatus,
    imported::{ImportedFile, ImportedFrame, ImportedScene},
    state::JobKind,
};
use prost::Message as _;
use protos::{common::v1 as common, job::v1 as pb};
use uuid::Uuid;

/// Most bytes of a job's message: a job travels whole, and so does a page of a hundred.
const LARGEST: usize = 192 * 1024;

/// The job without its numbers here, which are still to be given to it. What is not said here the domain checks.
///
/// # Errors
/// Which field cannot be read, and what it should be.
pub(super) fn read(job: pb::LegacyJob) -> Result<JobImported, String> {
    let size = job.encoded_len();
    if size > LARGEST {
        return Err(format!(
            "its texts are too long: {size} bytes together, at most {LARGEST} travel in one job"
        ));
    }
    let status = JobStatus::from_word(&job.status)
        .filter(|status| status.is_terminal())
        .ok_or("status is invalid; use completed, failed or canceled")?;
    let scenes = job.scenes.into_iter().enumerate();
    let scenes =
        scenes.map(|(index, scene)| self::scene(scene).map_err(|wrong| format!("scenes[{index}].{wrong}")));
    Ok(JobImported {
        job: 0,
        number: 0,
        legacy_id: job.legacy_id,
        origin: origin(job.origin.ok_or("origin is missing")?),
        job_kind: JobKind::from_word(&job.kind)
            .ok_or("kind is invalid; use image_pairs or property_photos")?,
        campaign_id: job.campaign_id,
        campaign_name: job.campaign_name,
        client_id: job.client_id,
        video_name: job.video_name,
        model: job.model,
        status,
        error: job.error,
        aspect_ratio: job.aspect_ratio,
        resolution: job.resolution,
        parameters_json: job.parameters_json,
        scenes: scenes.collect::<Result<_, _>>()?,
        estimate_micros: job.estimate_micros,
        actual_cost_micros: job.actual_micros,
        video: job.video.map(|video| file("video", video)).transpose()?,
        audio: job.audio.map(|audio| file("audio", audio)).transpose()?,
        audio_merged: job.audio_merged,
        created_at_us: micros("created_at", &job.created_at)?,
        updated_at_us: micros("updated_at", &job.updated_at)?,
        warnings: job.warnings,
    })
}

fn scene(scene: pb::LegacyScene) -> Result<ImportedScene, String> {
    let known = [SceneStatus::Pending, SceneStatus::Completed, SceneStatus::Failed];
    let status = known.into_iter().find(|status| status.as_str() == scene.status);
    if Uuid::parse_str(&scene.id).is_err() {
        return Err("id is no UUID".to_owned());
    }
    Ok(ImportedScene {
        id: scene.id,
        number: scene.number,
        title: scene.title,
        description: scene.description,
        prompt: scene.prompt,
        scene_type: scene.scene_type,
        transition: scene.transition,
        camera_movement: scene.camera_movement,
        motion_goal: scene.motion_goal,
        group_name: scene.group_name,
        highlights: scene.highlights,
        duration_ms: length(scene.duration_ms),
        frames: scene.frames.into_iter().map(frame).collect(),
        status: status.ok_or("status is invalid; use pending, completed or failed")?,
        error: scene.error,
        provider_id: scene.provider_id,
        clip: scene.clip.map(|clip| file("clip", clip)).transpose()?,
        cost_micros: scene.actual_micros,
        created_at_us: micros("created_at", &scene.created_at)?,
        updated_at_us: micros("updated_at", &scene.updated_at)?,
    })
}

fn origin(origin: common::Origin) -> LegacyOrigin {
    let common::Origin { source, table, row, digest } = origin;
    LegacyOrigin { source, table, row, digest }
}

fn frame(frame: pb::LegacyFrame) -> ImportedFrame {
    let pb::LegacyFrame { asset_id, blob, width, height } = frame;
    ImportedFrame { asset_id, blob: blob.map(self::blob), width, height }
}

fn file(field: &str, file: pb::LegacyFile) -> Result<ImportedFile, String> {
    let blob = file.blob.map(self::blob).ok_or_else(|| format!("{field}.blob is missing"))?;
    Ok(ImportedFile { blob, poster: file.poster.map(self::blob), duration_ms: length(file.duration_ms) })
}

fn blob(blob: common::BlobRef) -> BlobRef {
    let common::BlobRef { sha256, size, content_type } = blob;
    BlobRef { sha256, size, content_type }
}

/// A length beyond all lengths is left to the domain to refuse.
fn length(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn micros(field: &str, text: &str) -> Result<i64, String> {
    let wrong = |_| format!("{field} is no time such as 2026-03-04T05:06:07Z");
    text.parse::<Timestamp>().map(Timestamp::as_microsecond).map_err(wrong)
}

/// The job as it came.
pub(super) fn told(came: &JobImported) -> pb::LegacyJob {
    let LegacyOrigin { source, table, row, digest } = came.origin.clone();
    pb::LegacyJob {
        origin: Some(common::Origin { source, table, row, digest }),
        legacy_id: came.legacy_id,
        kind: came.job_kind.as_str().to_owned(),
        campaign_id: came.campaign_id.clone(),
        campaign_name: came.campaign_name.clone(),
        client_id: came.client_id.clone(),
        video_name: came.video_name.clone(),
        model: came.model.clone(),
        status: came.status.as_str().to_owned(),
        error: came.error.clone(),
        aspect_ratio: came.aspect_ratio.clone(),
        resolution: came.resolution.clone(),
        parameters_json: came.parameters_json.clone(),
        scenes: came.scenes.iter().map(told_scene).collect(),
        estimate_micros: came.estimate_micros,
        actual_micros: came.actual_cost_micros,
        video: came.video.as_ref().map(told_file),
        audio: came.audio.as_ref().map(told_file),
        audio_merged: came.audio_merged,
        created_at: time(came.created_at_us),
        updated_at: time(came.updated_at_us),
        warnings: came.warnings.clone(),
    }
}

fn told_scene(scene: &ImportedScene) -> pb::LegacyScene {
    pb::LegacyScene {
        id: scene.id.clone(),
        number: scene.number,
        title: scene.title.clone(),
        description: scene.description.clone(),
        prompt: scene.prompt.clone(),
        scene_type: scene.scene_type.clone(),
        transition: scene.transition.clone(),
        camera_movement: scene.camera_movement.clone(),
        motion_goal: scene.motion_goal.clone(),
        group_name: scene.group_name.clone(),
        highlights: scene.highlights.clone(),
        duration_ms: u64::try_from(scene.duration_ms).unwrap_or_default(),
        frames: scene.frames.iter().map(told_frame).collect(),
        status: scene.status.as_str().to_owned(),
        error: scene.error.clone(),
        provider_id: scene.provider_id.clone(),
        clip: scene.clip.as_ref().map(told_file),
        actual_micros: scene.cost_micros,
        created_at: time(scene.created_at_us),
        updated_at: time(scene.updated_at_us),
    }
}

fn told_frame(frame: &ImportedFrame) -> pb::LegacyFrame {
    pb::LegacyFrame {
        asset_id: frame.asset_id.clone(),
        blob: frame.blob.as_ref().map(told_blob),
        width: frame.width,
        height: frame.height,
    }
}

fn told_file(file: &ImportedFile) -> pb::LegacyFile {
    pb::LegacyFile {
        blob: Some(told_blob(&file.blob)),
        poster: file.poster.as_ref().map(told_blob),
        duration_ms: u64::try_from(file.duration_ms).unwrap_or_default(),
    }
}

fn told_blob(blob: &BlobRef) -> common::BlobRef {
    common::BlobRef { sha256: blob.sha256.clone(), size: blob.size, content_type: blob.content_type.clone() }
}

/// RFC 3339 with `Z`.
fn time(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us).map(|at| at.to_string()).unwrap_or_default()
}
