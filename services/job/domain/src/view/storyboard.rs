//! The storyboard and the parameters in the shape that clients know.

use crate::estimate::usd;
use crate::scene::SceneSpec;
use crate::state::Job;
use serde_json::{Map, Value, json};

/// The parameters as shown: what is stored, with the current estimate.
#[must_use]
pub fn parameters(job: &Job) -> Map<String, Value> {
    let mut parameters = job.parameters.clone();
    parameters.insert("estimated_cost".to_owned(), json!(usd(job.estimate_micros)));
    parameters
}

/// `{"scenes":[…],"total_duration":seconds}`; the sum is of the lengths asked for.
#[must_use]
pub fn storyboard(job: &Job) -> Value {
    let scenes: Vec<Value> = job.scenes.iter().map(|scene| scene_object(&scene.spec)).collect();
    let total_ms: i64 = job.scenes.iter().map(|scene| scene.spec.draft.requested_ms).sum();
    json!({
        "scenes": scenes,
        "total_duration": seconds(total_ms),
        "total_billed_seconds": job.planned_seconds(),
        "planner": job.planner,
    })
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// One scene of the storyboard.
#[must_use]
pub fn scene_object(spec: &SceneSpec) -> Value {
    let draft = &spec.draft;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    };
    put("id", json!(spec.id));
    put("index", json!(spec.index));
    put("title", json!(draft.title));
    put("description", json!(draft.description));
    put("prompt", json!(draft.prompt));
    put("duration", json!(seconds(draft.requested_ms)));
    put("billed_seconds", json!(draft.billed_seconds));
    put("time_start", json!(draft.time_start_ms.map(seconds)));
    put("time_end", json!(draft.time_end_ms.map(seconds)));
    put("transition", json!(draft.transition));
    put("scene_type", json!(draft.scene_type));
    put("camera_movement", json!(draft.camera_movement));
    put("motion_goal", json!(draft.motion_goal));
    put("group_name", json!(draft.group_name));
    let frames = [&draft.first_frame.asset_id, &draft.last_frame.asset_id];
    // Of a job that was brought over, nobody may know them.
    put("asset_ids", json!(frames.into_iter().filter(|id| !id.is_empty()).collect::<Vec<_>>()));
    for (name, text) in [
        ("music_description", &draft.music.description),
        ("music_style", &draft.music.style),
        ("music_energy", &draft.music.energy),
    ] {
        if !text.is_empty() {
            put(name, json!(text));
        }
    }
    if !draft.highlights.is_empty() {
        put("highlights", json!(draft.highlights));
    }
    Value::Object(object)
}
