//! Stored events to published ones: the only place where one becomes the other.

use bus::{Published, TranslateError};
use eventlog::StoredEvent;
use protos::render::v1 as pb;

use crate::events::Event;

/// What the world hears of a stored event; none for what is our own business.
///
/// # Errors
/// The stored event cannot be read by this build.
pub fn translate(event: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    let Some(event) = Event::from_stored(&event.kind, &event.data).map_err(TranslateError::new)? else {
        return Ok(None);
    };
    let published = match event {
        Event::RenderStarted { key, take, prediction_id, attempt } => {
            let message = pb::RenderStarted {
                key: key.clone(),
                job_id: take.job_id,
                scene_id: take.scene_id,
                take: take.take,
                prediction_id,
                attempt,
            };
            Published::new(entity(&key), "render_started", &message)
        }
        Event::RenderFinished { key, take, clip, duration_ms, prediction_id, cost_micros } => {
            let message = pb::RenderFinished {
                key: key.clone(),
                job_id: take.job_id,
                scene_id: take.scene_id,
                take: take.take,
                clip: Some(clip),
                duration_ms,
                prediction_id,
                cost_micros,
                scene_index: take.scene_index,
            };
            Published::new(entity(&key), "render_finished", &message)
        }
        Event::RenderFailed { key, take, reason, retryable, cost_micros } => {
            let message = pb::RenderFailed {
                key: key.clone(),
                job_id: take.job_id,
                scene_id: take.scene_id,
                take: take.take,
                reason,
                retryable,
                cost_micros,
                scene_index: take.scene_index,
            };
            Published::new(entity(&key), "render_failed", &message)
        }
        Event::RenderCanceled { key, take, cost_micros } => {
            let message = pb::RenderCanceled {
                key: key.clone(),
                job_id: take.job_id,
                scene_id: take.scene_id,
                take: take.take,
                cost_micros,
            };
            Published::new(entity(&key), "render_canceled", &message)
        }
    };
    published.map(Some)
}

/// The key as one token of a subject: `job-43/scene-2/take-1` is `job-43-scene-2-take-1`.
fn entity(key: &str) -> String {
    let token = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    key.chars().map(token).collect()
}
