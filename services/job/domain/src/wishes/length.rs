//! How a film of a wanted length is shared out over scenes.

use crate::estimate::MAX_TOTAL_SECONDS;
use crate::models::Model;
use crate::refusal::Violation;

/// Scenes of a film that lasts at most so many seconds, when nobody asks for a number.
const SCENES: [(i64, i64); 4] = [(15, 3), (30, 4), (45, 5), (60, 6)];

/// Number and length of the scenes of a film of `total_ms`. What was asked for holds; the wanted length says the rest.
/// Errors: no film can be so long.
pub(super) fn share_out(
    model: &Model,
    total_ms: i64,
    count: Option<i64>,
    clip_ms: Option<i64>,
) -> Result<(i64, i64), Violation> {
    if let (Some(count), Some(clip_ms)) = (count, clip_ms) {
        return Ok((count, clip_ms));
    }
    if total_ms <= 0 || total_ms > i64::from(MAX_TOTAL_SECONDS) * 1_000 {
        let text = format!("must be more than 0 and at most {MAX_TOTAL_SECONDS} seconds");
        return Err(Violation::new("duration_seconds", text));
    }
    Ok(match (count, clip_ms) {
        (Some(count), _) => (count, scene_ms(model, total_ms, count)),
        (None, Some(clip_ms)) => (scenes_of(model, total_ms, clip_ms), clip_ms),
        (None, None) => {
            let usual = SCENES.iter().find(|(seconds, _)| total_ms <= seconds * 1_000).map_or(6, |(_, n)| *n);
            let longest_ms = i64::from(model.longest()) * 1_000;
            let needed = (total_ms + longest_ms - 1) / longest_ms;
            let wanted = usual.max(needed);
            let clip_ms = scene_ms(model, total_ms, wanted);
            (wanted.min(most(model, clip_ms)), clip_ms)
        }
    })
}

fn scene_ms(model: &Model, total_ms: i64, count: i64) -> i64 {
    (total_ms / count.max(1)).clamp(1, i64::from(model.longest()) * 1_000)
}

/// As many scenes as come nearest to the length, at what is billed for one.
fn scenes_of(model: &Model, total_ms: i64, clip_ms: i64) -> i64 {
    let billed_ms = i64::from(model.billed(clip_ms)) * 1_000;
    ((total_ms + billed_ms / 2) / billed_ms).clamp(1, most(model, clip_ms))
}

fn most(model: &Model, clip_ms: i64) -> i64 {
    i64::from(MAX_TOTAL_SECONDS / model.billed(clip_ms).max(1))
}
