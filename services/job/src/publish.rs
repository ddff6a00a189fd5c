//! Stored events, translated into what the world is told (`proto/job/v1/events.proto`).
//!
//! Stored events may change; what is published only grows.

use bus::{Published, TranslateError};
use eventlog::StoredEvent;
use jiff::Timestamp;
use job_domain::{BlobRef, JobEvent, JobId, JobImported, JobStatus, LegacyOrigin};
use protos::{common::v1 as common, job::v1 as pb};

use crate::events;

/// What is published for a stored event; none for what concerns the service alone.
///
/// # Errors
/// The event cannot be read.
pub fn translate(stored: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    let Some(job_id) = events::job_of(&stored.stream) else { return Ok(None) };
    let event = events::read(stored).map_err(TranslateError::new)?;
    lifecycle(job_id, &event).or_else(|| scene(job_id, &event)).transpose()
}

type Translated = Option<Result<Published, TranslateError>>;

fn lifecycle(job_id: JobId, event: &JobEvent) -> Translated {
    let entity = job_id.to_string();
    Some(match event {
        JobEvent::JobCreated(created) => {
            let message = pb::JobCreated {
                job_id,
                campaign_id: created.campaign_id.clone(),
                client_id: created.client_id.clone(),
                kind: created.job_kind.as_str().to_owned(),
                video_name: created.video_name.clone(),
                scene_count: created.scene_count,
                estimated_cost_micros: created.estimate_micros,
            };
            Published::new(entity, "job_created", &message)
        }
        JobEvent::JobImported(came) => Published::new(entity, "job_imported", &imported(job_id, came)),
        JobEvent::JobApproved { .. } => Published::new(entity, "job_approved", &pb::JobApproved { job_id }),
        JobEvent::JobCanceled { reason } => {
            let message = pb::JobCanceled { job_id, reason: reason.clone().unwrap_or_default() };
            Published::new(entity, "job_canceled", &message)
        }
        JobEvent::JobCompleted { outcome, master, actual_cost_micros, .. } => {
            let message = pb::JobCompleted {
                job_id,
                outcome: outcome.as_str().to_owned(),
                video: Some(blob(&master.video)),
                duration_ms: length(master.duration_ms),
                actual_cost_micros: *actual_cost_micros,
            };
            Published::new(entity, "job_completed", &message)
        }
        JobEvent::JobFailed { reason, .. } => {
            Published::new(entity, "job_failed", &pb::JobFailed { job_id, reason: reason.clone() })
        }
        JobEvent::JobStalled { owner, what, cause, since_ms, deadline_ms, times } => {
            let message = pb::JobStalled {
                job_id,
                owner: owner.as_str().to_owned(),
                what: what.clone(),
                cause: cause.clone(),
                since: time(*since_ms),
                deadline: time(*deadline_ms),
                times: *times,
            };
            Published::new(entity, "job_stalled", &message)
        }
        JobEvent::JobResumed { owner, what, since_ms } => {
            let (owner, what) = (owner.as_str().to_owned(), what.clone());
            let message = pb::JobResumed { job_id, owner, what, since: time(*since_ms) };
            Published::new(entity, "job_resumed", &message)
        }
        JobEvent::CutReplaced { outcome, master, .. } => {
            let message = pb::JobCutReplaced {
                job_id,
                outcome: outcome.as_str().to_owned(),
                video: Some(blob(&master.video)),
                duration_ms: length(master.duration_ms),
            };
            Published::new(entity, "job_cut_replaced", &message)
        }
        _ => return None,
    })
}

fn scene(job_id: JobId, event: &JobEvent) -> Translated {
    let entity = job_id.to_string();
    Some(match event {
        JobEvent::SceneRendered { scene, index, take, clip, duration_ms, .. } => {
            let message = pb::JobSceneRendered {
                job_id,
                scene_id: scene.clone(),
                scene_index: place(*index),
                take: *take,
                clip: Some(blob(clip)),
                duration_ms: length(*duration_ms),
            };
            Published::new(entity, "job_scene_rendered", &message)
        }
        JobEvent::SceneFailed { scene, index, take, reason, .. } => {
            let message = pb::JobSceneFailed {
                job_id,
                scene_id: scene.clone(),
                scene_index: place(*index),
                take: *take,
                reason: reason.clone(),
            };
            Published::new(entity, "job_scene_failed", &message)
        }
        _ => return None,
    })
}

/// Told as what it is: history, and no news of a job that was just made or finished.
fn imported(job_id: JobId, came: &JobImported) -> pb::JobImported {
    let LegacyOrigin { source, table, row, digest } = came.origin.clone();
    let video = came.video.as_ref().filter(|_| came.status == JobStatus::Completed);
    pb::JobImported {
        job_id,
        legacy_id: came.legacy_id,
        origin: Some(common::Origin { source, table, row, digest }),
        campaign_id: came.campaign_id.clone(),
        client_id: came.client_id.clone(),
        kind: came.job_kind.as_str().to_owned(),
        video_name: came.video_name.clone(),
        status: came.status.as_str().to_owned(),
        video: video.map(|video| blob(&video.blob)),
        duration_ms: video.map_or(0, |video| length(video.duration_ms)),
        actual_cost_micros: came.actual_cost_micros,
        created_at: Timestamp::from_microsecond(came.created_at_us).unwrap_or_default().to_string(),
    }
}

fn blob(blob: &BlobRef) -> common::BlobRef {
    common::BlobRef { sha256: blob.sha256.clone(), size: blob.size, content_type: blob.content_type.clone() }
}

/// RFC 3339 with `Z`.
fn time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MAX).to_string()
}

fn length(duration_ms: i64) -> u64 {
    u64::try_from(duration_ms).unwrap_or_default()
}

fn place(index: u32) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}
