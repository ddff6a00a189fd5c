//! Scenes of jobs.

use serde_json::{Value, json};

use super::*;

const FIRST: &str = "ff000000-0000-4000-8000-000000000001";
const SECOND: &str = "0b000000-0000-4000-8000-000000000002";
const THIRD: &str = "0a000000-0000-4000-8000-000000000003";

/// A completed job with this storyboard and these scenes of `sub_jobs`.
fn with(storyboard: &Value, scenes: &[String]) -> Made {
    let parameters = json!({"campaign_id": CAMPAIGN, "clip_duration": "6"}).to_string();
    let job = row(
        "jobs",
        &[
            ("id", "43"),
            ("type", "'image_pairs'"),
            ("status", "'completed'"),
            ("parameters", &text(&parameters)),
            ("storyboard", &text(&storyboard.to_string())),
            ("result", VIDEO),
        ],
    );
    let asset = row(
        "assets",
        &[
            ("id", &text(ASSET)),
            ("type", "'image'"),
            ("campaign_id", &text(CAMPAIGN)),
            ("blob_data", "x'00'"),
            ("width", "1600"),
            ("height", "900"),
        ],
    );
    owned(&format!("{job}{asset}{}", scenes.concat()))
}

fn scene(id: &str, status: &str, clip: &str, time: &str) -> String {
    format!(
        "INSERT INTO sub_jobs (id, job_id, status, provider_id, video_blob, inserted_at, updated_at)
         VALUES ('{id}', 43, '{status}', 'pred-{status}', {clip}, '{time}', '2025-03-04T05:08:00');"
    )
}

fn titles(titles: &[&str]) -> Value {
    json!({"scenes": titles.iter().map(|title| json!({"title": title})).collect::<Vec<_>>()})
}

#[test]
fn a_scene_is_joined_from_what_was_drawn_and_what_was_made() {
    let drawn = json!({"scenes": [{"title": "Hook", "description": "Water", "prompt": "Push in", "duration": 1.5,
        "transition": "fade", "scene_type": "exterior", "camera_movement": "dolly_forward", "motion_goal": "depth",
        "group_name": "Pool", "highlights": ["blue"], "asset_ids": [ASSET, GONE]}]});
    let made = with(&drawn, &[scene(FIRST, "completed", "x'00ff'", T)]);
    let job = made.job();
    let [scene] = job.scenes.as_slice() else { panic!("one scene") };
    assert_eq!((scene.id.as_str(), scene.number, scene.status.as_str()), (FIRST, 1, "completed"));
    let words = (scene.title.as_str(), scene.description.as_str(), scene.prompt.as_str());
    assert_eq!(words, ("Hook", "Water", "Push in"));
    assert_eq!((scene.transition.as_deref(), scene.scene_type.as_deref()), (Some("fade"), Some("exterior")));
    assert_eq!(scene.camera_movement.as_deref(), Some("dolly_forward"));
    assert_eq!((scene.motion_goal.as_deref(), scene.group_name.as_deref()), (Some("depth"), Some("Pool")));
    assert_eq!((scene.highlights.as_slice(), scene.duration_ms), (["blue".to_owned()].as_slice(), 1_500));
    assert_eq!((scene.provider_id.as_deref(), scene.actual_micros), (Some("pred-completed"), 0));
    assert_eq!((scene.created_at.as_str(), scene.updated_at.as_str()), (T_HERE, "2025-03-04T05:08:00Z"));
    let frames: Vec<_> =
        scene.frames.iter().map(|frame| (frame.asset_id.as_str(), frame.width, frame.height)).collect();
    assert_eq!(frames, [(ASSET, 1600, 900), (GONE, 0, 0)]);
    assert!(job.warnings.iter().any(|warning| warning.contains(GONE)), "{:?}", job.warnings);
    assert_eq!(made.slots()[1..], [(Slot::Clip(0), vec![0, 0xff])]);
}

#[test]
fn scenes_are_in_the_order_of_their_time_and_those_of_one_second_in_the_order_of_their_rows() {
    let rows = [
        scene(THIRD, "pending", "NULL", "2025-03-04T05:06:09"),
        scene(FIRST, "completed", "x'01'", T),
        scene(SECOND, "completed", "x'02'", T),
    ];
    let made = with(&titles(&["one", "two", "three"]), &rows);
    let scenes: Vec<_> =
        made.job().scenes.into_iter().map(|scene| (scene.number, scene.id, scene.title)).collect();
    let expected = [(1, FIRST, "one"), (2, SECOND, "two"), (3, THIRD, "three")];
    assert_eq!(scenes, expected.map(|(number, id, title)| (number, id.to_owned(), title.to_owned())));
    assert_eq!(made.slots()[1..], [(Slot::Clip(0), vec![1]), (Slot::Clip(1), vec![2])]);
}

#[test]
fn a_scene_that_was_drawn_and_has_no_row_gets_an_id_that_is_the_same_in_every_run() {
    let ids = || {
        let job = with(&titles(&["one", "two"]), &[scene(FIRST, "completed", "x'01'", T)]).job();
        let second = &job.scenes[1];
        assert_eq!((second.status.as_str(), second.title.as_str()), ("pending", "two"));
        assert_eq!((second.created_at.as_str(), second.number), (T_HERE, 2));
        assert!(job.warnings.iter().any(|warning| warning.contains("2 scenes, but 1")), "{:?}", job.warnings);
        job.scenes.into_iter().map(|scene| scene.id).collect::<Vec<_>>()
    };
    let once = ids();
    assert_eq!(once[0], FIRST);
    assert_eq!(uuid::Uuid::parse_str(&once[1]).unwrap().get_version_num(), 5);
    assert_eq!(once, ids());
}

#[test]
fn every_row_is_kept_when_there_are_more_of_them_than_were_drawn() {
    let rows = [scene(FIRST, "completed", "x'01'", T), scene(SECOND, "completed", "x'02'", T)];
    let job = with(&titles(&["one"]), &rows).job();
    assert_eq!(job.scenes.len(), 2);
    assert_eq!((job.scenes[1].id.as_str(), job.scenes[1].title.as_str()), (SECOND, ""));
    // A storyboard that was lost altogether is no reason to doubt the order.
    let job = with(&json!({}), &rows).job();
    assert_eq!((job.scenes.len(), job.warnings), (2, Vec::new()));
}

#[test]
fn a_scene_without_a_length_has_that_of_the_job() {
    let job = with(&titles(&["one"]), &[scene(FIRST, "pending", "NULL", T)]).job();
    assert_eq!(job.scenes[0].duration_ms, 6_000);
}

#[test]
fn no_scene_is_work_any_more() {
    let rows = [
        scene(FIRST, "processing", "NULL", T),
        scene(SECOND, "failed", "NULL", T),
        scene(THIRD, "completed", "NULL", T),
    ];
    let scenes = with(&json!({}), &rows).job().scenes;
    let ended: Vec<_> = scenes.iter().map(|scene| (scene.status.as_str(), scene.error.is_empty())).collect();
    assert_eq!(ended, [("failed", false), ("failed", false), ("failed", false)]);
    assert!(scenes[0].error.contains("(status processing) and is not taken further"), "{}", scenes[0].error);
    assert!(scenes[2].error.contains("bytes of its clip"), "{}", scenes[2].error);
}

#[test]
fn a_scene_of_another_content_changes_the_digest_of_its_job() {
    let digest = |status: &str| {
        let made = with(&json!({}), &[scene(FIRST, status, "NULL", T)]);
        made.found(Stage::Jobs).thing.origin().unwrap().digest.clone()
    };
    assert_eq!(digest("failed"), digest("failed"));
    assert_ne!(digest("failed"), digest("pending"));
}
