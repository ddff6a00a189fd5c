//! What a storyboard says of each scene. Its scenes are open objects: what has no place here stays behind and is kept as
//! it is.

use serde_json::Value;

use super::json::{Members, id, milliseconds, take_text, take_texts};

/// A storyboard, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Storyboard {
    /// Its scenes in their order.
    pub(super) scenes: Vec<Drawn>,
    /// What has no place in them: the storyboard without what they have. Its list of scenes is as long as before.
    pub(super) rest: Members,
}

/// A scene as it was drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawn {
    pub(super) title: String,
    pub(super) description: String,
    /// What the scene was rendered from: without a prompt, its description; without that, its title.
    pub(super) prompt: String,
    pub(super) scene_type: Option<String>,
    pub(super) transition: Option<String>,
    pub(super) camera_movement: Option<String>,
    pub(super) motion_goal: Option<String>,
    pub(super) group_name: Option<String>,
    pub(super) highlights: Vec<String>,
    /// None when it says none.
    pub(super) duration_ms: Option<u64>,
    /// The model and the shape of this scene alone; they stay in what is kept as it is.
    pub(super) model: Option<String>,
    pub(super) aspect_ratio: Option<String>,
    /// The assets where the camera starts and ends, as UUIDs: none, one or two.
    pub(super) frames: Vec<String>,
}

/// Takes a storyboard apart.
pub(super) fn read(storyboard: Option<Members>) -> Storyboard {
    let mut rest = storyboard.unwrap_or_default();
    let Some(Value::Array(scenes)) = rest.get_mut("scenes") else {
        return Storyboard { scenes: Vec::new(), rest };
    };
    let drawn: Vec<Drawn> = scenes.iter_mut().map(draw).collect();
    let nothing_left = scenes.iter().all(|scene| scene.as_object().is_some_and(Members::is_empty));
    if nothing_left {
        rest.shift_remove("scenes");
    }
    Storyboard { scenes: drawn, rest }
}

/// Takes a scene out of what is written of it.
fn draw(scene: &mut Value) -> Drawn {
    let Value::Object(members) = scene else { return Drawn::default() };
    let title = take_text(members, "title").unwrap_or_default();
    let description = take_text(members, "description").unwrap_or_default();
    let prompt = take_text(members, "prompt");
    let described = if description.is_empty() { &title } else { &description };
    Drawn {
        prompt: prompt.unwrap_or_else(|| described.clone()),
        scene_type: take_text(members, "scene_type"),
        transition: take_text(members, "transition"),
        camera_movement: take_text(members, "camera_movement"),
        motion_goal: take_text(members, "motion_goal"),
        group_name: take_text(members, "group_name"),
        highlights: take_texts(members, "highlights"),
        duration_ms: take_duration(members),
        model: members.get("model").and_then(Value::as_str).map(str::to_owned),
        aspect_ratio: members.get("aspect_ratio").and_then(Value::as_str).map(str::to_owned),
        frames: take_frames(members),
        title,
        description,
    }
}

fn take_duration(members: &mut Members) -> Option<u64> {
    let length = milliseconds(members.get("duration")?)?;
    members.shift_remove("duration");
    Some(length)
}

/// The first and the last of `asset_ids`, else `asset_id`. A list of which more is worth keeping stays where it is.
fn take_frames(members: &mut Members) -> Vec<String> {
    if let Some(Value::Array(all)) = members.get("asset_ids") {
        let (named, ids) = (all.len(), all.iter().filter_map(id).collect::<Vec<_>>());
        if named == ids.len() && named <= 2 {
            members.shift_remove("asset_ids");
        }
        match ids.as_slice() {
            [] => {}
            [only] => return vec![only.clone()],
            [first, .., last] => return vec![first.clone(), last.clone()],
        }
    }
    let Some(only) = members.get("asset_id").and_then(id) else { return Vec::new() };
    members.shift_remove("asset_id");
    vec![only]
}

#[cfg(test)]
mod tests {
    //! Storyboards of every origin.

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const A: &str = "11de0b1c-0f55-4a0e-9a55-7b1f5e0f1d33";
    const B: &str = "22ab0b1c-0f55-4a0e-9a55-7b1f5e0f1d33";
    const C: &str = "33cd0b1c-0f55-4a0e-9a55-7b1f5e0f1d33";

    fn of(storyboard: &Value) -> Storyboard {
        read(storyboard.as_object().cloned())
    }

    #[test]
    fn a_scene_of_a_template_is_taken_whole_and_its_music_and_times_are_kept() {
        let read = of(&json!({"scenes": [{
            "title": "The Hook", "description": "Water", "prompt": "Low push-in", "duration": 1.5, "time_start": 0.0,
            "time_end": 3.0, "transition": "fade", "scene_type": "exterior", "camera_movement": "dolly_forward",
            "motion_goal": "depth", "asset_ids": [A.to_uppercase(), B], "music_style": "calm"}],
            "total_duration": 5.0}));
        let expected = Drawn {
            title: "The Hook".to_owned(),
            description: "Water".to_owned(),
            prompt: "Low push-in".to_owned(),
            scene_type: Some("exterior".to_owned()),
            transition: Some("fade".to_owned()),
            camera_movement: Some("dolly_forward".to_owned()),
            motion_goal: Some("depth".to_owned()),
            duration_ms: Some(1_500),
            frames: vec![A.to_owned(), B.to_owned()],
            ..Drawn::default()
        };
        assert_eq!(read.scenes, [expected]);
        let rest = json!({"scenes": [{"time_start": 0.0, "time_end": 3.0, "music_style": "calm"}],
            "total_duration": 5.0});
        assert_eq!(Value::Object(read.rest), rest);
    }

    #[test]
    fn a_scene_of_a_language_model_has_a_group_and_is_rendered_from_its_description() {
        let read =
            of(&json!({"scenes": [{"title": "Pool Showcase", "description": "The pool", "duration": "5 s",
            "group_name": "Pool", "highlights": ["blue", "large"], "asset_id": A}]}));
        let [scene] = read.scenes.as_slice() else { panic!("one scene") };
        assert_eq!((scene.prompt.as_str(), scene.duration_ms), ("The pool", Some(5_000)));
        assert_eq!(
            (scene.group_name.as_deref(), &scene.highlights[..]),
            (Some("Pool"), &["blue".to_owned(), "large".to_owned()][..])
        );
        assert_eq!(scene.frames, [A]);
        assert!(read.rest.is_empty(), "nothing is kept twice: {:?}", read.rest);
    }

    #[test]
    fn a_scene_starts_at_the_first_and_ends_at_the_last_of_many_assets_and_the_others_are_kept() {
        let read = of(
            &json!({"scenes": [{"asset_ids": [A, B, C]}, {"asset_ids": ["no id", B]}, {"asset_ids": []}]}),
        );
        let frames: Vec<_> = read.scenes.iter().map(|scene| scene.frames.clone()).collect();
        assert_eq!(frames, [vec![A.to_owned(), C.to_owned()], vec![B.to_owned()], vec![]]);
        let rest = json!({"scenes": [{"asset_ids": [A, B, C]}, {"asset_ids": ["no id", B]}, {}]});
        assert_eq!(Value::Object(read.rest), rest);
    }

    #[test]
    fn what_is_no_scene_keeps_its_place_and_what_it_says() {
        let read = of(&json!({"scenes": ["Entrance", null, {"title": 5}]}));
        assert_eq!(read.scenes, [Drawn::default(), Drawn::default(), Drawn::default()]);
        assert_eq!(Value::Object(read.rest), json!({"scenes": ["Entrance", null, {"title": 5}]}));
    }

    proptest! {
        #[test]
        fn nothing_that_a_scene_says_is_lost(title in "[a-z ]{0,5}", duration in prop_oneof![Just(json!(4)), Just(json!("x")), Just(json!([]))],
            frames in prop::collection::vec(prop_oneof![Just(json!(A)), Just(json!(7)), Just(json!("x"))], 0..4)) {
            let given = json!({"title": title, "duration": duration, "asset_ids": frames});
            let read = of(&json!({"scenes": [given.clone()]}));
            let kept = read.rest.get("scenes").and_then(|scenes| scenes.get(0)).cloned().unwrap_or_else(|| json!({}));
            let scene = &read.scenes[0];
            prop_assert!(kept["title"] == given["title"] || scene.title == title);
            prop_assert!(kept["duration"] == given["duration"] || scene.duration_ms == Some(4_000));
            prop_assert!(kept["asset_ids"] == given["asset_ids"] || json!(scene.frames) == given["asset_ids"]);
        }
    }
}
