//! From approval to the last clip.

use crate::harness::{
    all_failed, attempt, cutting, failed, failed_with, id, music, pending, rendered, started,
};
use job_domain::{Command, Effect, JobEvent, JobStatus, SceneStatus, digest::digest, plan, view};

#[test]
fn the_first_advance_asks_for_every_scene_and_the_soundtrack() {
    let story = pending(2).after(Command::Approve).when(Command::Advance);
    let story = story.then(&["SceneTakeRequested", "SceneTakeRequested", "SoundtrackRequested"]);
    assert_eq!(story.status(), JobStatus::Processing);
    let keys = ["job-43/scene-1/take-1", "job-43/scene-2/take-1", "job-43/soundtrack-1"];
    assert_eq!(story.outstanding(), keys);
}

#[test]
fn a_second_advance_asks_for_nothing() {
    started(2).when(Command::Advance).then_nothing();
}

#[test]
fn a_request_carries_the_digest_of_its_input() {
    let story = started(1);
    let Effect::RenderScene { digest: sent, input, .. } = &plan(story.job())[0] else { panic!("a render") };
    assert_eq!(*sent, digest(&**input));
}

#[test]
fn a_render_is_asked_for_on_one_line_with_its_own_frames() {
    let story = started(2);
    let Effect::RenderScene { input, campaign_id, .. } = &plan(story.job())[1] else { panic!("a render") };
    assert_eq!(input.prompt, "A slow move through room 2");
    assert_eq!(
        (input.first_frame.asset_id.as_str(), input.last_frame.asset_id.as_str()),
        ("asset-2a", "asset-2b")
    );
    assert_eq!((input.model.as_str(), input.seconds, input.resolution.as_str()), ("veo3", 4, "1080p"));
    assert_eq!(input.aspect_ratio.as_deref(), Some("16:9"));
    assert_eq!(campaign_id, "campaign-1");
}

#[test]
fn the_soundtrack_is_asked_for_at_the_planned_length() {
    let story = started(3);
    let Some(Effect::MakeSoundtrack { input, .. }) = plan(story.job()).pop() else { panic!("a soundtrack") };
    assert_eq!((input.duration_ms, input.parts.len()), (12_000, 3));
    assert_eq!(input.parts[0].music.style, "calm");
}

#[test]
fn a_clip_completes_its_scene_only() {
    let story = started(2).when(rendered(1, 1)).then(&["SceneRendered"]);
    assert_eq!(story.scene_status(1), SceneStatus::Completed);
    assert_eq!(story.scene_status(2), SceneStatus::Processing);
}

#[test]
fn the_last_clip_brings_the_request_for_the_cut() {
    started(2).after(rendered(2, 1)).when(rendered(1, 1)).then(&["SceneRendered", "CutRequested"]);
}

#[test]
fn the_cut_shows_the_scenes_in_order_whatever_order_they_came_in() {
    let then = started(3).after(rendered(3, 1)).after(rendered(1, 1)).when(rendered(2, 1));
    let JobEvent::CutRequested { clips, .. } = &then.events[1] else { panic!("a cut") };
    assert_eq!(clips.iter().map(|clip| clip.number).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_failed_scene_does_not_stop_the_others() {
    let story = started(3).after(failed(2, 1)).after(rendered(1, 1));
    assert_eq!(story.status(), JobStatus::Processing);
    let then = story.when(rendered(3, 1));
    let JobEvent::CutRequested { clips, .. } = &then.events[1] else { panic!("a cut") };
    assert_eq!(clips.iter().map(|clip| clip.number).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_job_whose_scenes_all_fail_is_failed_with_the_reason() {
    let story =
        started(2).after(music()).after(failed(1, 1)).when(failed(2, 1)).then(&["SceneFailed", "JobFailed"]);
    assert_eq!(story.status(), JobStatus::Failed);
    assert_eq!(story.job().error.as_deref(), Some("Every scene failed: the provider refused the photo"));
}

#[test]
fn different_reasons_are_all_told() {
    let story = started(2).after(failed_with(1, 1, "too dark", 0)).after(failed_with(2, 1, "too bright", 0));
    let error = story.job().error.as_deref();
    assert_eq!(error, Some("Every scene failed: scene 1: too dark; scene 2: too bright"));
}

#[test]
fn a_failed_job_waits_for_nothing_but_the_soundtrack_under_way() {
    assert!(all_failed(2).outstanding().is_empty());
    let story = started(1).after(failed(1, 1));
    assert_eq!(story.outstanding(), ["job-43/soundtrack-1"], "it is paid for and may serve a regeneration");
}

#[test]
fn an_attempt_is_recorded_once() {
    let story = started(1).when(attempt(1, 1, 1)).then(&["SceneAttemptStarted"]);
    assert_eq!(view::provider_id(&story.job().scenes[0]), Some("prediction-1-1-1"));
    let story = story.when(attempt(1, 1, 1)).then_nothing();
    let story = story.when(attempt(1, 1, 2)).then(&["SceneAttemptStarted"]);
    story.when(attempt(1, 1, 1)).then_nothing();
}

#[test]
fn a_report_that_comes_twice_is_no_event() {
    started(2).after(rendered(1, 1)).when(rendered(1, 1)).then_nothing();
    started(2).after(failed(1, 1)).when(failed(1, 1)).then_nothing();
}

#[test]
fn the_first_report_of_a_take_holds() {
    let story = started(2).after(rendered(1, 1)).when(failed(1, 1)).then_nothing();
    assert_eq!(story.scene_status(1), SceneStatus::Completed);
    let story = started(2).after(failed(1, 1)).after(rendered(1, 1));
    assert_eq!(story.scene_status(1), SceneStatus::Failed);
}

#[test]
fn a_late_charge_is_recorded_and_nothing_else() {
    let story = started(2).after(failed(1, 1)).when(rendered(1, 1)).then(&["SceneTakeCharged"]);
    assert_eq!(view::costs(story.job()).actual_micros, 800_000);
    story.when(rendered(1, 1)).then_nothing();
}

#[test]
fn a_late_charge_that_is_lower_is_no_event() {
    started(2).after(rendered(1, 1)).when(failed_with(1, 1, "late", 100)).then_nothing();
}

#[test]
fn an_attempt_told_after_the_clip_is_no_event() {
    started(2).after(rendered(1, 1)).when(attempt(1, 1, 3)).then_nothing();
}

#[test]
fn a_report_of_a_take_never_asked_for_is_no_event() {
    started(2).when(rendered(1, 2)).then_nothing();
    pending(2).when(rendered(1, 1)).then_nothing();
}

#[test]
fn a_report_of_an_unknown_scene_is_no_event() {
    started(2).when(rendered(9, 1)).then_nothing();
}

#[test]
fn a_take_keeps_the_input_it_was_asked_for_with() {
    let story = cutting(1);
    let scene = story.job().scene(&id(1)).expect("the scene");
    let take = scene.last_take().expect("a take");
    assert_eq!(take.digest, digest(&take.input));
}
