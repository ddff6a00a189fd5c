//! The scenes of a job: what the storyboard drew, and what was made of it.
//!
//! Nothing joins the two but their order: the first row of `sub_jobs` is of the first scene drawn. Rows of one job were
//! written within a second mostly, so that those of the same time are in the order in which they were written.

use protos::job::v1::{LegacyFrame, LegacyScene};

use super::{owners::times, storyboard::Drawn};
use crate::{
    model::{Broken, Bytes, Place, Slot},
    source::{
        SourceError,
        reader::Reader,
        rows::{Record, derived_id, quoted},
    },
    unfinished::unfinished,
};

/// A row of `sub_jobs`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    id: String,
    status: &'static str,
    error: String,
    provider_id: Option<String>,
    clip: Option<Place>,
    created_at: String,
    updated_at: String,
}

/// The job that scenes are of.
pub(super) struct Of<'a> {
    /// The source's name.
    pub(super) source: &'a str,
    /// The job's number as text.
    pub(super) job: &'a str,
    /// RFC 3339 with Z.
    pub(super) created_at: &'a str,
    /// RFC 3339 with Z.
    pub(super) updated_at: &'a str,
    /// The length of scenes that say none, in milliseconds; 0: not known.
    pub(super) duration_ms: u64,
}

/// Reads a row of `sub_jobs`.
pub(super) fn made(record: &Record) -> Result<Made, Broken> {
    let clip = record.bytes("video_blob");
    let (status, error) = status(record, clip.is_some())?;
    let (created_at, updated_at) = times(record)?;
    let provider_id = record.filled("provider_id")?.map(str::to_owned);
    Ok(Made { id: record.id("id")?, status, error, provider_id, clip, created_at, updated_at })
}

/// The status of a scene, and why it failed.
fn status(record: &Record, clip: bool) -> Result<(&'static str, String), Broken> {
    let text = record.text("status")?;
    Ok(match text {
        "completed" if clip => ("completed", String::new()),
        "completed" => {
            let error = "the older service completed it, but the bytes of its clip are not in the source";
            ("failed", error.to_owned())
        }
        "failed" => ("failed", "it failed in the older service, which kept no reason".to_owned()),
        "processing" => ("failed", unfinished(text)),
        // It was not begun.
        "pending" => ("pending", String::new()),
        _ => {
            let reason =
                format!("holds {} where pending, processing, completed or failed should be", quoted(text));
            return Err(record.broken("status", reason));
        }
    })
}

/// Joins what was drawn and what was made by their order, and tells where the clips are. Both are kept when there are
/// more of the one than of the other.
pub(super) fn join(of: &Of<'_>, drawn: Vec<Drawn>, made: Vec<Made>) -> (Vec<LegacyScene>, Vec<Bytes>) {
    let count = drawn.len().max(made.len());
    let (mut drawn, mut made) = (drawn.into_iter(), made.into_iter());
    let (mut scenes, mut clips) = (Vec::with_capacity(count), Vec::new());
    for (place, number) in (0..count).zip(1_u32..) {
        let mut made = made.next().unwrap_or_else(|| never_made(of, number));
        clips.extend(made.clip.take().map(|clip| Bytes { slot: Slot::Clip(place), place: clip }));
        scenes.push(scene(of, number, drawn.next().unwrap_or_default(), made));
    }
    (scenes, clips)
}

/// A scene that was drawn and has no row.
fn never_made(of: &Of<'_>, number: u32) -> Made {
    Made {
        id: derived_id(of.source, "jobs", &format!("{} scene {number}", of.job)),
        status: "pending",
        error: String::new(),
        provider_id: None,
        clip: None,
        created_at: of.created_at.to_owned(),
        updated_at: of.updated_at.to_owned(),
    }
}

fn scene(of: &Of<'_>, number: u32, drawn: Drawn, made: Made) -> LegacyScene {
    let frame = |asset_id| LegacyFrame { asset_id, ..LegacyFrame::default() };
    LegacyScene {
        id: made.id,
        number,
        title: drawn.title,
        description: drawn.description,
        prompt: drawn.prompt,
        scene_type: drawn.scene_type,
        transition: drawn.transition,
        camera_movement: drawn.camera_movement,
        motion_goal: drawn.motion_goal,
        group_name: drawn.group_name,
        highlights: drawn.highlights,
        duration_ms: drawn.duration_ms.unwrap_or(of.duration_ms),
        frames: drawn.frames.into_iter().map(frame).collect(),
        status: made.status.to_owned(),
        error: made.error,
        provider_id: made.provider_id,
        clip: None,
        actual_micros: 0,
        created_at: made.created_at,
        updated_at: made.updated_at,
    }
}

/// Looks the assets of scenes up, for their size. Gives a warning for each that is gone: its frame keeps the id alone.
pub(super) fn look_up(reader: &Reader, scenes: &mut [LegacyScene]) -> Result<Vec<String>, SourceError> {
    let mut warnings = Vec::new();
    for scene in scenes {
        for frame in &mut scene.frames {
            let Some(asset) = reader.find("assets", "id", &frame.asset_id)? else {
                warnings.push(format!(
                    "scene {}: its frame {} is not in the source",
                    scene.number, frame.asset_id
                ));
                continue;
            };
            // A size that cannot be read is told when the asset is.
            let pixels =
                |column| asset.integer(column).ok().flatten().and_then(|pixels| u32::try_from(pixels).ok());
            frame.width = pixels("width").unwrap_or_default();
            frame.height = pixels("height").unwrap_or_default();
        }
    }
    Ok(warnings)
}
