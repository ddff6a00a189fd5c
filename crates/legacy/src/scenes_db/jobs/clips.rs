//! Scenes that were rendered, each between a pair of images: `video_sub_jobs`.

use protos::job::v1::LegacyScene;
use serde_json::Value;

use super::{
    at_provider, micros, milliseconds,
    scenes::{Scenes, member, number},
};
use crate::{
    model::{Broken, Bytes, Slot},
    scenes_db::{
        facts::Facts,
        owners::{TIMES, times},
    },
    source::{
        notes,
        reader::Reader,
        rows::{Fault, Record},
    },
    unfinished::unfinished,
};

/// Columns that have a place of their own here, or are read as JSON.
const PLACED: &[&str] = &[
    "id",
    "job_id",
    "sub_job_number",
    "image1_asset_id",
    "image2_asset_id",
    "replicate_prediction_id",
    "input_parameters",
    "status",
    "actual_cost",
    "error_message",
    "created_at",
    "updated_at",
];

/// Reads them.
pub(super) fn read(reader: &Reader, job: &Record, scenes: &mut Scenes) -> Result<(), Fault> {
    for row in reader.all("video_sub_jobs", "job_id", &job.integer("id")?, "sub_job_number")? {
        let mut scene = scene(&row)?;
        for column in ["image1_asset_id", "image2_asset_id"] {
            scene.frames.extend(scenes.frame(reader, scene.number, row.filled(column)?)?);
        }
        clip(reader, &row, &scene, scenes)?;
        scenes.warnings.extend(notes::of_scene(scene.number, &row, &["input_parameters"], &TIMES));
        scenes.facts.push(facts(&row, scene.number)?);
        scenes.scenes.push(scene);
        scenes.rows.push(row);
    }
    Ok(())
}

fn scene(row: &Record) -> Result<LegacyScene, Broken> {
    let number = number(row, "sub_job_number")?;
    let input = Value::Object(row.object("input_parameters")?.unwrap_or_default());
    let said = |name| member(&input, name);
    let (status, error) = end(row)?;
    let seconds = row.real("duration_seconds")?.filter(|seconds| *seconds > 0.0);
    let seconds = seconds.or_else(|| input.get("duration").and_then(Value::as_f64)).unwrap_or_default();
    let (created_at, updated_at) = times(row)?;
    Ok(LegacyScene {
        id: row.id("id")?,
        number,
        title: said("scene_name").unwrap_or_else(|| format!("Scene {number}")),
        // The prompt is all that the older service had to say of what a clip shows.
        description: said("description").or_else(|| said("prompt")).unwrap_or_default(),
        prompt: said("prompt").unwrap_or_default(),
        scene_type: said("scene_type"),
        transition: said("transition"),
        camera_movement: said("camera_movement"),
        motion_goal: said("motion_goal"),
        duration_ms: milliseconds(seconds),
        status: status.to_owned(),
        error,
        provider_id: row.filled("replicate_prediction_id")?.map(str::to_owned),
        actual_micros: micros(row, "actual_cost")?,
        created_at,
        updated_at,
        ..LegacyScene::default()
    })
}

/// How a scene ended: what was being rendered has failed, what was not begun is as it was.
fn end(row: &Record) -> Result<(&'static str, String), Broken> {
    let status = row.filled("status")?.map_or("unknown", str::trim);
    let error = row.filled("error_message")?.map(|error| error.trim().to_owned());
    Ok(match status {
        "completed" => ("completed", error.unwrap_or_default()),
        "pending" => ("pending", error.unwrap_or_default()),
        "failed" => (
            "failed",
            error.unwrap_or_else(|| "failed in the older service, which did not say why".to_owned()),
        ),
        status => ("failed", unfinished(status)),
    })
}

/// The clip: the older service had a column for it that was hardly ever filled, and otherwise the provider's URL, which
/// expired within hours.
fn clip(reader: &Reader, row: &Record, scene: &LegacyScene, scenes: &mut Scenes) -> Result<(), Fault> {
    let blob = match row.filled("video_blob_id")? {
        Some(id) => reader.find_only("asset_blobs", "id", &id, &["id", "data"])?,
        None => None,
    };
    if let Some(place) = blob.as_ref().and_then(|blob| blob.bytes("data")) {
        scenes.clips.push(Bytes { slot: Slot::Clip(scenes.scenes.len()), place });
    } else if scene.status == "completed" {
        let there =
            at_provider(row.filled("video_url")?).map(|url| format!(", it was at the provider: {url}"));
        let there = there.unwrap_or_default();
        scenes.warnings.push(format!("scene {}: its clip is not in the source{there}", scene.number));
    }
    scenes.rows.extend(blob);
    Ok(())
}

fn facts(row: &Record, number: u32) -> Result<Value, Broken> {
    let mut facts = Facts::of(row.others(PLACED)?);
    facts.put("number", Some(number));
    facts.put("input_parameters", row.json("input_parameters")?);
    Ok(facts.into_value())
}
