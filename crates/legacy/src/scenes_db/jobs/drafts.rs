//! Scenes that were drafted by a language model and never rendered: `job_scenes`. A number is missing where one was
//! deleted.

use protos::job::v1::LegacyScene;
use serde_json::Value;

use super::{
    end, milliseconds,
    scenes::{Scenes, member, number},
};
use crate::{
    model::Broken,
    scenes_db::{
        facts::Facts,
        owners::{TIMES, times},
    },
    source::{
        notes,
        reader::Reader,
        rows::{Fault, Record},
    },
};

/// Columns that have a place of their own here, or are read as JSON.
const PLACED: &[&str] = &[
    "id",
    "job_id",
    "scene_number",
    "duration_seconds",
    "description",
    "transition",
    "assets",
    "metadata",
    "created_at",
    "updated_at",
];

/// Reads them.
pub(super) fn read(reader: &Reader, job: &Record, scenes: &mut Scenes) -> Result<(), Fault> {
    let completed = end::says_completed(job)?;
    for row in reader.all("job_scenes", "job_id", &job.integer("id")?, "scene_number")? {
        let metadata = row.json("metadata")?;
        let assets = row.array("assets")?.unwrap_or_default();
        let mut scene = scene(&row, metadata.as_ref(), completed)?;
        for asset in assets.iter().filter_map(Value::as_str) {
            // A scene shows two assets at most; all of them stay among the facts.
            if scene.frames.len() < 2 {
                scene.frames.extend(scenes.frame(reader, scene.number, Some(asset))?);
            }
        }
        let mut facts = Facts::of(row.others(PLACED)?);
        facts.put("number", Some(scene.number));
        facts.put("metadata", metadata);
        facts.put("assets", Some(assets).filter(|assets| !assets.is_empty()));
        scenes.warnings.extend(notes::of_scene(scene.number, &row, &["assets", "metadata"], &TIMES));
        scenes.facts.push(facts.into_value());
        scenes.scenes.push(scene);
        scenes.rows.push(row);
    }
    Ok(())
}

fn scene(row: &Record, metadata: Option<&Value>, completed: bool) -> Result<LegacyScene, Broken> {
    let number = number(row, "scene_number")?;
    let (created_at, updated_at) = times(row)?;
    let said = |name| metadata.and_then(|metadata| member(metadata, name));
    Ok(LegacyScene {
        id: row.id("id")?,
        number,
        title: said("title").unwrap_or_else(|| format!("Scene {number}")),
        description: row.filled("description")?.unwrap_or_default().to_owned(),
        prompt: said("prompt").unwrap_or_default(),
        scene_type: said("scene_type"),
        transition: row.filled("transition")?.map(str::to_owned),
        camera_movement: said("camera_movement"),
        duration_ms: milliseconds(row.real("duration_seconds")?.unwrap_or_default()),
        // What was drafted is in the video, if there is one.
        status: if completed { "completed" } else { "pending" }.to_owned(),
        created_at,
        updated_at,
        ..LegacyScene::default()
    })
}
