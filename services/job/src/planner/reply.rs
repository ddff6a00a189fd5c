//! What the planner answered, as a proposal.

use job_domain::storyboard::{Proposal, ProposedScene};
use serde::Deserialize;
use serde_json::Value;

/// A scene in the answer's own words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Scene {
    title: String,
    description: String,
    prompt: String,
    scene_type: String,
    duration: Value,
    transition: String,
    first_asset_id: String,
    last_asset_id: String,
    music_description: String,
    music_style: String,
    music_energy: String,
    highlights: Vec<String>,
}

/// The proposal in an answer; none when the answer is no storyboard. Text around the JSON is forgiven, since models
/// like to wrap it in a fence.
#[must_use]
pub fn read(answer: &str) -> Option<Proposal> {
    let (from, to) = (answer.find(['{', '['])?, answer.rfind(['}', ']'])?);
    let answer: Value = serde_json::from_str(answer.get(from..=to)?).ok()?;
    let scenes = match answer {
        Value::Object(mut object) => object.remove("scenes")?,
        scenes => scenes,
    };
    let scenes: Vec<Scene> = serde_json::from_value(scenes).ok()?;
    Some(Proposal { scenes: scenes.into_iter().map(proposed).collect() })
}

fn proposed(scene: Scene) -> ProposedScene {
    let asset_ids =
        [scene.first_asset_id, scene.last_asset_id].into_iter().filter(|id| !id.trim().is_empty()).collect();
    ProposedScene {
        title: scene.title,
        description: scene.description,
        prompt: scene.prompt,
        duration: seconds(&scene.duration),
        scene_type: filled(scene.scene_type),
        transition: filled(scene.transition),
        highlights: scene.highlights,
        asset_ids,
        music_description: filled(scene.music_description),
        music_style: filled(scene.music_style),
        music_energy: filled(scene.music_energy),
        ..ProposedScene::default()
    }
}

/// 0 when it is no number; the check knows what to do with that.
fn seconds(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.trim().parse().unwrap_or_default(),
        value => value.as_f64().unwrap_or_default(),
    }
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: &str =
        r#"{"title":"Pool","prompt":"glide","duration":"4","first_asset_id":"a","last_asset_id":"b"}"#;

    #[test]
    fn a_storyboard_may_be_an_object_a_list_or_fenced() {
        for answer in [
            format!("{{\"scenes\":[{SCENE}]}}"),
            format!("[{SCENE}]"),
            format!("```json\n{{\"scenes\":[{SCENE}]}}\n```"),
        ] {
            let proposal = read(&answer).unwrap();
            assert_eq!(proposal.scenes[0].asset_ids, ["a", "b"]);
            assert_eq!(proposal.scenes[0].duration, 4.0);
        }
    }

    #[test]
    fn anything_else_is_no_storyboard() {
        for answer in ["", "no", "{}", "{\"scenes\":3}", "[1]", "}{", "{\"scenes\":[{\"title\":3}]}"] {
            assert_eq!(read(answer), None, "{answer}");
        }
    }
    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

        #[test]
        fn whatever_the_planner_says_is_read_or_refused(noise in ".*", tail in ".*") {
            let _ = read(&noise);
            let inside = format!("{{\"scenes\":[{SCENE}]}}");
            let quiet = |text: &str| text.replace(['{', '}', '[', ']'], "");
            let wrapped = format!("{}{inside}{}", quiet(&noise), quiet(&tail));
            proptest::prop_assert_eq!(read(&wrapped), read(&inside));
        }
    }
}
