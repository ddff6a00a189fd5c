//! Plans a storyboard from the words of a chat request, as a language model would answer it.

pub(crate) mod request;
mod rooms;
mod scenes;
mod schema;
mod spoken;

use serde_json::Value;

use crate::faults::{Fault, Script};

/// The content of the answer to a chat request, as text.
pub(crate) fn answer(request: &Value, script: &Script) -> String {
    if let Some(spoken) = spoken::answer(request) {
        return spoken;
    }
    let Some(wish) = request::read(request) else {
        return "I cannot plan a video: the request names no assets.".to_owned();
    };
    let mut scenes = scenes::plan(&wish);
    if script.has(|fault| *fault == Fault::InventedAssets) {
        for scene in &mut scenes {
            scene["last_asset_id"] = "00000000-0000-4000-8000-000000000bad".into();
        }
    }
    if script.has(|fault| *fault == Fault::InventedSceneType) {
        for scene in &mut scenes {
            scene["scene_type"] = "helipad".into();
        }
    }
    // A lie must get past the schema, or nobody would see it.
    let honest = !script.has(|f| matches!(f, Fault::InventedAssets | Fault::InventedSceneType));
    let content = schema::fit(scenes, schema::of(request), honest).to_string();
    if script.has(|fault| *fault == Fault::MalformedPlan) {
        let half = content.char_indices().nth(content.chars().count() / 2).map_or(0, |(at, _)| at);
        return content[..half].to_owned();
    }
    content
}
