//! Stored events to published ones: the only place where one becomes the other.

use bus::{Published, TranslateError};
use eventlog::StoredEvent;
use protos::stitch::v1 as pb;

use crate::events::{Event, Of};
use crate::product::Kind;

/// What the world hears of a stored event; none for what is our own business.
///
/// # Errors
/// The stored event cannot be read by this build.
pub fn translate(event: &StoredEvent) -> Result<Option<Published>, TranslateError> {
    match Event::read(event).map_err(TranslateError::new)? {
        Event::ProductFinished { of: Of { key, kind, job_id }, made } => {
            let entity = entity(&key);
            let (video, poster) = (Some(made.video), Some(made.poster));
            let duration_ms = made.duration_ms;
            match kind {
                Kind::Cut => {
                    let message = pb::CutFinished { key, job_id, video, duration_ms, poster };
                    Published::new(entity, "cut_finished", &message).map(Some)
                }
                Kind::Mix => {
                    let message = pb::MixFinished { key, job_id, video, duration_ms, poster };
                    Published::new(entity, "mix_finished", &message).map(Some)
                }
                // Who asked for it waits for it.
                Kind::Overlay => Ok(None),
            }
        }
        Event::ProductFailed { of: Of { key, kind, job_id }, reason } => {
            let entity = entity(&key);
            match kind {
                Kind::Cut => {
                    let message = pb::CutFailed { key, job_id, reason };
                    Published::new(entity, "cut_failed", &message).map(Some)
                }
                Kind::Mix => {
                    let message = pb::MixFailed { key, job_id, reason };
                    Published::new(entity, "mix_failed", &message).map(Some)
                }
                Kind::Overlay => Ok(None),
            }
        }
        Event::ProductRequested(_) | Event::ProductAttemptFailed { .. } | Event::ProductCanceled { .. } => {
            Ok(None)
        }
    }
}

/// The key as one token of a subject: `job-43/cut-1` is `job-43-cut-1`.
fn entity(key: &str) -> String {
    let token = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    key.chars().map(token).collect()
}
