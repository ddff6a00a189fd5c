//! Scenes of a storyboard inside the job's row: `storyboard_data`, which the second version of the older service wrote.

use std::collections::BTreeSet;

use protos::job::v1::LegacyScene;
use serde_json::Value;

use super::{
    end, milliseconds,
    scenes::{Scenes, member},
};
use crate::{
    model::Broken,
    scenes_db::owners::times,
    source::{
        reader::Reader,
        rows::{Record, derived_id},
    },
};

/// Reads them. They have no ids there: they get some that are the same in every run.
pub(super) fn read(reader: &Reader, job: &Record, scenes: &mut Scenes) -> Result<(), Broken> {
    let Some(storyboard) = job.json("storyboard_data")? else { return Ok(()) };
    let list = storyboard.as_array().or_else(|| storyboard.get("scenes")?.as_array());
    let Some(list) = list else {
        return Err(job.broken("storyboard_data", "is JSON, but no array of scenes"));
    };
    let completed = end::says_completed(job)?;
    let (created_at, updated_at) = times(job)?;
    let mut numbers = BTreeSet::new();
    for (place, item) in list.iter().enumerate() {
        let scene = item.get("scene").unwrap_or(item);
        let number = match scene.get("scene_number").filter(|number| !number.is_null()) {
            Some(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            None => u32::try_from(place + 1).ok(),
        };
        let number = number.filter(|number| *number > 0 && numbers.insert(*number)).ok_or_else(|| {
            job.broken(
                "storyboard_data",
                format!("scene {} of it has no number of its own from 1", place + 1),
            )
        })?;
        let (status, error) = outcome(item, completed);
        scenes.scenes.push(LegacyScene {
            id: derived_id(
                reader.source(),
                "generated_videos.storyboard_data",
                &format!("{} {number}", job.row()),
            ),
            number,
            title: member(scene, "title").unwrap_or_else(|| format!("Scene {number}")),
            description: member(scene, "description").unwrap_or_default(),
            prompt: member(scene, "image_prompt").unwrap_or_default(),
            duration_ms: milliseconds(scene.get("duration").and_then(Value::as_f64).unwrap_or_default()),
            status: status.to_owned(),
            error,
            created_at: created_at.clone(),
            updated_at: updated_at.clone(),
            ..LegacyScene::default()
        });
    }
    scenes.scenes.sort_by_key(|scene| scene.number);
    Ok(())
}

fn outcome(item: &Value, completed: bool) -> (&'static str, String) {
    let error = member(item, "error");
    if completed {
        return ("completed", String::new());
    }
    match (member(item, "generation_status").as_deref(), error) {
        (Some("failed"), error) => (
            "failed",
            error.unwrap_or_else(|| "failed in the older service, which did not say why".to_owned()),
        ),
        (_, error) => ("pending", error.unwrap_or_default()),
    }
}
