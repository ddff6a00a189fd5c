//! Scenes of a storyboard inside the job's row: `storyboard_data`, which the second version of the older service wrote.

use std::collections::HashSet;

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

/// Reads them. They have no ids there: they get some that are the same in every run. Nor do they need numbers of their
/// own: their order says as much.
pub(super) fn read(reader: &Reader, job: &Record, scenes: &mut Scenes) -> Result<(), Broken> {
    let Some(storyboard) = job.json("storyboard_data")? else { return Ok(()) };
    let list = storyboard.as_array().or_else(|| storyboard.get("scenes")?.as_array());
    let Some(list) = list else {
        return Err(job.broken("storyboard_data", "is JSON, but no array of scenes"));
    };
    let completed = end::says_completed(job)?;
    let (created_at, updated_at) = times(job)?;
    let own = numbers(list);
    if own.is_none() {
        scenes.warnings.push(
            "the numbers of the scenes in its storyboard are not each a whole one from 1 that no other has: they are \
             numbered by their order"
                .to_owned(),
        );
    }
    for (place, item) in list.iter().enumerate() {
        let scene = told(item);
        let by_place = u32::try_from(place + 1).unwrap_or(u32::MAX);
        let number = own.as_ref().map_or(by_place, |numbers| numbers[place]);
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

/// What is told of a scene: in later storyboards it stands beside what became of its image.
fn told(item: &Value) -> &Value {
    item.get("scene").unwrap_or(item)
}

/// The numbers of the scenes in their order, by place where a scene has none; none at all when one of them is no number
/// from 1 or two scenes have the same.
fn numbers(list: &[Value]) -> Option<Vec<u32>> {
    let number = |(item, place): (&Value, u32)| match told(item).get("scene_number") {
        None | Some(Value::Null) => Some(place),
        Some(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    let numbers: Vec<u32> = list.iter().zip(1..).map(number).collect::<Option<_>>()?;
    let mut seen = HashSet::new();
    numbers.iter().all(|number| *number > 0 && seen.insert(*number)).then_some(numbers)
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
