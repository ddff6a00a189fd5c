//! Stored events to published ones: the only place where one becomes the other.

use bus::{Published, TranslateError};
use eventlog::StoredEvent;
use protos::audio::v1 as pb;

use crate::events::Event;

/// What the world hears of a stored event; none for what is our own business.
///
/// # Errors
/// The stored event cannot be read by this build.
pub fn translate(event: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    let Some(event) = Event::from_stored(&event.kind, &event.data).map_err(TranslateError::new)? else {
        return Ok(None);
    };
    match event {
        Event::SoundtrackRequested(_) | Event::SoundtrackCancelRequested { .. } => Ok(None),
        Event::SoundtrackFinished { key, job_id, audio, duration_ms, cost_micros, shortfall, .. } => {
            let message = pb::SoundtrackFinished {
                key: key.clone(),
                job_id,
                audio: Some(audio),
                duration_ms,
                cost_micros,
                shortfall,
            };
            Published::new(entity(&key), "soundtrack_finished", &message).map(Some)
        }
        Event::SoundtrackFailed { key, job_id, reason, retryable, cost_micros } => {
            let message = pb::SoundtrackFailed { key: key.clone(), job_id, reason, retryable, cost_micros };
            Published::new(entity(&key), "soundtrack_failed", &message).map(Some)
        }
        Event::SoundtrackCanceled { key, job_id, cost_micros } => {
            let message = pb::SoundtrackCanceled { key: key.clone(), job_id, cost_micros };
            Published::new(entity(&key), "soundtrack_canceled", &message).map(Some)
        }
    }
}

/// The key as one token of a subject: `job-43/soundtrack-1` is `job-43-soundtrack-1`.
fn entity(key: &str) -> String {
    let token = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    key.chars().map(token).collect()
}
