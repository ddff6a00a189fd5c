//! Changing a pending job's storyboard.

use crate::harness::{completed, draft, frame, id, pending, remove, started};
use job_domain::{Command, Refusal, SceneChanges};

fn edit(scene: u32, changes: SceneChanges) -> Command {
    Command::EditScene { scene: id(scene), changes }
}

fn longer() -> SceneChanges {
    SceneChanges { requested_ms: Some(8_000), ..SceneChanges::default() }
}

fn reorder(scenes: &[u32]) -> Command {
    Command::ReorderScenes { order: scenes.iter().copied().map(id).collect() }
}

#[test]
fn the_estimate_follows_an_edit() {
    let story = pending(2).when(edit(1, longer())).then(&["SceneEdited"]);
    assert_eq!(story.job().estimate_micros, (8 + 4) * 200_000);
    assert_eq!(story.job().scenes[0].spec.draft.billed_seconds, 8);
}

#[test]
fn an_edit_changes_only_what_it_names() {
    let changes = SceneChanges { title: Some("New".to_owned()), ..SceneChanges::default() };
    let story = pending(2).after(edit(2, changes));
    let mut expected = draft(2);
    expected.title = "New".to_owned();
    assert_eq!(story.job().scenes[1].spec.draft, expected);
}

#[test]
fn an_edit_may_bring_in_other_frames() {
    let changes = SceneChanges { last_frame: Some(frame("new")), ..SceneChanges::default() };
    let story = pending(2).after(edit(2, changes));
    assert_eq!(story.job().scenes[1].spec.draft.last_frame, frame("new"));
}

#[test]
fn an_edit_of_a_place_is_an_edit_of_the_scene_that_is_there() {
    let changes = SceneChanges { music_style: Some("jazz".to_owned()), ..SceneChanges::default() };
    let story = pending(3).after(reorder(&[3, 1, 2]));
    let story =
        story.when(Command::EditSceneAt { index: 0, changes: changes.clone() }).then(&["SceneEdited"]);
    assert_eq!(story.job().scene_numbered(3).expect("the scene").spec.draft.music.style, "jazz");
    let refusal = story.refusal(Command::EditSceneAt { index: 3, changes });
    assert_eq!(refusal.text(), "Scene not found");
}

#[test]
fn words_can_be_taken_away_and_are_short() {
    let words = |words: &str| SceneChanges { scene_type: Some(words.to_owned()), ..SceneChanges::default() };
    let story = pending(1).after(edit(1, words("pool")));
    assert_eq!(story.job().scenes[0].spec.draft.scene_type.as_deref(), Some("pool"));
    assert_eq!(story.refusal(edit(1, words(&"p".repeat(501)))).violations()[0].field, "scene_type");
    assert_eq!(story.after(edit(1, words(" "))).job().scenes[0].spec.draft.scene_type, None);
}

#[test]
fn an_edit_that_changes_nothing_is_no_event() {
    pending(2).when(edit(1, SceneChanges::default())).then_nothing();
}

#[test]
fn an_edit_of_an_unknown_scene_is_not_found() {
    let refusal = pending(2).refusal(edit(9, longer()));
    assert_eq!(refusal.text(), "Scene not found");
}

#[test]
fn an_edit_after_approval_is_refused() {
    let refusal = started(2).refusal(edit(1, longer()));
    assert_eq!(refusal.code(), "storyboard_not_editable");
    assert_eq!(
        refusal.reason().as_deref(),
        Some("Job is processing; only a pending job's storyboard can be edited")
    );
}

#[test]
fn a_length_that_the_model_does_not_make_is_refused() {
    for requested_ms in [0, -1, 8_001] {
        let changes = SceneChanges { requested_ms: Some(requested_ms), ..SceneChanges::default() };
        let refusal = pending(2).refusal(edit(1, changes));
        assert_eq!(refusal.violations()[0].field, "duration", "{requested_ms}");
    }
}

#[test]
fn a_blank_prompt_is_refused() {
    let changes = SceneChanges { prompt: Some("  ".to_owned()), ..SceneChanges::default() };
    assert_eq!(pending(2).refusal(edit(1, changes)).violations()[0].field, "prompt");
}

#[test]
fn a_frame_of_one_pixel_is_refused() {
    let mut tiny = frame("tiny");
    (tiny.width, tiny.height) = (1, 1);
    let changes = SceneChanges { first_frame: Some(tiny), ..SceneChanges::default() };
    assert_eq!(pending(2).refusal(edit(1, changes)).violations()[0].field, "first_frame");
}

#[test]
fn an_edit_that_makes_the_video_too_long_is_refused() {
    let refusal = pending(15).refusal(edit(1, longer()));
    assert_eq!(refusal.violations()[0].field, "duration");
}

#[test]
fn scenes_can_be_put_into_another_order() {
    let story = pending(3).when(reorder(&[3, 1, 2])).then(&["SceneReordered"]);
    let places: Vec<_> =
        story.job().scenes.iter().map(|scene| (scene.spec.number, scene.spec.index)).collect();
    assert_eq!(places, [(3, 0), (1, 1), (2, 2)], "the number stays, the place changes");
}

#[test]
fn the_order_they_have_is_no_event() {
    pending(3).when(reorder(&[1, 2, 3])).then_nothing();
}

#[test]
fn an_order_that_does_not_name_every_scene_once_is_refused() {
    for order in [&[1, 2][..], &[1, 2, 2], &[1, 2, 3, 3], &[1, 2, 9]] {
        let refusal = pending(3).refusal(reorder(order));
        assert_eq!(refusal.violations()[0].field, "order", "{order:?}");
    }
}

#[test]
fn an_order_after_approval_is_refused() {
    assert!(matches!(completed(2).refusal(reorder(&[2, 1])), Refusal::NotEditable { .. }));
}

#[test]
fn removing_a_scene_of_a_pending_job_lowers_the_estimate() {
    let story = pending(3).when(remove(2)).then(&["SceneRemoved"]);
    assert_eq!(story.job().estimate_micros, 2 * 800_000);
    let places: Vec<_> =
        story.job().scenes.iter().map(|scene| (scene.spec.number, scene.spec.index)).collect();
    assert_eq!(places, [(1, 0), (3, 1)], "the places close up");
}

#[test]
fn the_estimate_is_frozen_at_approval() {
    let story = completed(3);
    let approved = story.job().estimate_micros;
    let story = story.after(remove(2));
    assert_eq!(story.job().estimate_micros, approved);
}
