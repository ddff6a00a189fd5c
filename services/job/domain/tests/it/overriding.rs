//! Showing a scene with something else than its takes say.

use crate::harness::{
    Story, attempt, canceled, completed, failed, id, music, partial, pending, regenerate, remove, rendered,
    show_as, show_prediction, started,
};
use job_domain::state::Override;
use job_domain::view::{costs, counts, provider_id};
use job_domain::{Command, RefusalKind, SceneStatus};

fn prediction(story: &Story, number: u32) -> Option<&str> {
    provider_id(story.job().scene_numbered(number).expect("the scene exists"))
}

#[test]
fn any_status_is_shown_in_any_state_of_the_job() {
    for story in [pending(2), started(2), partial(2, &[1]), canceled(2)] {
        for status in [SceneStatus::Pending, SceneStatus::Processing, SceneStatus::Failed] {
            let job_status = story.status();
            let story = story.clone().after(show_as(1, status));
            assert_eq!((story.scene_status(1), story.status()), (status, job_status));
        }
    }
    assert_eq!(completed(2).after(show_as(2, SceneStatus::Failed)).scene_status(2), SceneStatus::Failed);
}

#[test]
fn a_scene_without_a_clip_is_never_shown_as_completed() {
    for story in [pending(2), started(2), partial(2, &[1])] {
        let refusal = story.refusal(show_as(1, SceneStatus::Completed));
        assert_eq!(
            (refusal.kind(), refusal.violations()[0].field.as_str()),
            (RefusalKind::Invalid, "status")
        );
    }
    let story = completed(2).after(show_as(1, SceneStatus::Failed)).after(show_as(1, SceneStatus::Completed));
    assert_eq!(story.scene_status(1), SceneStatus::Completed);
}

#[test]
fn an_override_settles_nothing_frees_nothing_and_buys_nothing() {
    let before = started(2).after(attempt(1, 1, 1));
    let story = before.clone().when(show_as(1, SceneStatus::Failed)).then(&["SceneOverridden"]);
    assert_eq!(story.outstanding(), before.outstanding());
    assert_eq!(story.percentage(), before.percentage());
    assert_eq!(costs(story.job()), costs(before.job()));
    assert_eq!(counts(story.job()).failed, 1);
    let refusal = story.refusal(regenerate(&[1]));
    assert_eq!(refusal.reason().as_deref(), Some("Scene is currently processing"));
}

#[test]
fn what_really_happens_to_the_scene_ends_the_override() {
    let shown = || started(2).after(show_as(1, SceneStatus::Failed));
    assert_eq!(shown().after(attempt(1, 1, 1)).scene_status(1), SceneStatus::Processing);
    assert_eq!(shown().after(rendered(1, 1)).scene_status(1), SceneStatus::Completed);
    let story = pending(2).after(show_as(1, SceneStatus::Failed));
    assert_eq!(story.after(Command::Approve).scene_status(1), SceneStatus::Pending);
    let story = completed(2).after(show_as(1, SceneStatus::Failed));
    assert_eq!(story.clone().after(regenerate(&[1])).scene_status(1), SceneStatus::Pending);
    assert_eq!(story.after(regenerate(&[2])).scene_status(1), SceneStatus::Failed, "of another scene");
    let story = started(2).after(show_as(1, SceneStatus::Pending)).after(Command::Cancel { reason: None });
    assert_eq!(story.scene_status(1), SceneStatus::Failed);
}

#[test]
fn what_happens_elsewhere_leaves_the_override() {
    let story = started(2).after(show_as(1, SceneStatus::Failed)).after(music()).after(rendered(2, 1));
    assert_eq!(story.scene_status(1), SceneStatus::Failed);
    let story = canceled(2).after(show_as(1, SceneStatus::Pending)).after(failed(1, 1));
    assert_eq!(story.scene_status(1), SceneStatus::Pending, "a take that nobody waits for is closed");
}

#[test]
fn the_prediction_can_be_shown_as_another_or_as_none() {
    let story = started(2).after(attempt(1, 1, 1));
    let story = story.when(show_prediction(1, "mine")).then(&["SceneOverridden"]);
    assert_eq!(prediction(&story, 1), Some("mine"));
    let story = story.after(show_as(1, SceneStatus::Pending));
    assert_eq!(prediction(&story, 1), Some("mine"), "an override adds to the one before it");
    assert_eq!(prediction(&story.clone().after(show_prediction(1, "")), 1), None);
    assert_eq!(prediction(&story.after(attempt(1, 1, 2)), 1), Some("prediction-1-1-2"));
    let long = "p".repeat(201);
    assert_eq!(started(1).refusal(show_prediction(1, &long)).violations()[0].field, "provider_id");
}

#[test]
fn what_is_shown_already_is_no_event() {
    let story = started(2).after(attempt(1, 1, 1));
    story.clone().when(show_as(1, SceneStatus::Processing)).then_nothing();
    story.clone().when(show_prediction(1, "prediction-1-1-1")).then_nothing();
    story.when(Command::OverrideScene { scene: id(1), shown: Override::default() }).then_nothing();
}

#[test]
fn a_scene_that_is_not_there_is_not_shown() {
    let refusal = completed(2).after(remove(1)).refusal(show_as(1, SceneStatus::Failed));
    assert_eq!(refusal.kind(), RefusalKind::NotFound);
}
