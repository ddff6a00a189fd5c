//! What the older backend got wrong in a job, one test for each.

use crate::harness::{
    attempt, completed, creation, cut_failed, cut_ready, cutting, failed_with, id, mix_ready, music, partial,
    pending, regenerate, remove, rendered, show_as, started,
};
use crate::templates::photos;
use crate::wishes::wishes;
use job_domain::models::find;
use job_domain::progress::progress;
use job_domain::state::{JobKind, Outcome};
use job_domain::storyboard::draw;
use job_domain::wishes::RawWishes;
use job_domain::{Command, JobStatus, SceneStatus, plan, view};
use std::collections::BTreeSet;

#[test]
fn q04_each_scene_of_property_photos_has_frames_of_its_own() {
    let scenes = draw(JobKind::PropertyPhotos, &photos(10), &wishes(RawWishes::default())).expect("it fits");
    let frames: BTreeSet<_> =
        scenes.iter().flat_map(|scene| [&scene.first_frame.asset_id, &scene.last_frame.asset_id]).collect();
    assert_eq!(frames.len(), 2 * scenes.len(), "no photo is used twice while others are unused");
}

#[test]
fn q05_a_cut_that_fails_fails_the_job_and_is_no_video() {
    let story = started(2).after(music()).after(rendered(1, 1)).after(failed_with(2, 1, "refused", 0));
    let story = story.when(cut_failed(1)).then(&["CutFailed", "JobFailed"]);
    assert_eq!((story.status(), story.job().outcome), (JobStatus::Failed, None));
    assert_eq!((&story.job().master, &story.job().last_cut), (&None, &None));
    assert!(story.job().error.as_ref().is_some_and(|error| error.contains("disk space")));
}

#[test]
fn q06_scenes_keep_their_own_storyboard_when_one_is_deleted() {
    let story = pending(3).after(remove(1)).after(Command::Approve).after(Command::Advance);
    let scenes: Vec<_> = story.job().scenes.iter().map(|scene| (scene.spec.index, scene.id())).collect();
    assert_eq!(scenes, [(0, id(2).as_str()), (1, id(3).as_str())]);
    let story = story.after(rendered(3, 1));
    assert_eq!(story.scene_status(3), SceneStatus::Completed);
    let scene = story.job().scene_numbered(3).expect("the scene");
    assert_eq!(scene.takes[0].input.first_frame.asset_id, "asset-3a", "it was rendered from its own frames");
}

#[test]
fn q07_regenerating_renders_the_scene_again_and_cuts_the_video_anew() {
    let story = completed(2).after(regenerate(&[2])).after(Command::Advance);
    assert_eq!(story.outstanding(), ["job-43/scene-2/take-2"]);
    let story = story.after(rendered(2, 2));
    assert_eq!(story.outstanding(), ["job-43/cut-2"]);
    let story = story.after(cut_ready(2)).when(mix_ready(2)).then(&["MixReady", "CutReplaced"]);
    let shown = &story.job().master.as_ref().expect("a video").shown;
    assert_eq!(shown.iter().map(|shown| shown.take).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn q08_edits_of_scenes_leave_progress_costs_error_and_sound_as_they_are() {
    let before = partial(3, &[2]);
    let story = before.clone().after(show_as(1, SceneStatus::Processing));
    assert_eq!(progress(story.job()), progress(before.job()));
    assert_eq!(view::costs(story.job()), view::costs(before.job()));
    assert_eq!(view::audio(story.job()), view::audio(before.job()));
    let story = story.after(remove(2));
    assert_eq!((progress(story.job()).percentage, story.job().outcome), (100, Some(Outcome::Full)));
    assert_eq!(view::costs(story.job()), view::costs(before.job()), "a deleted scene was still paid for");
    assert_eq!(view::audio(story.job()), view::audio(before.job()));
    let story = started(2).after(attempt(1, 1, 1)).after(rendered(1, 1));
    let at = story.percentage();
    assert_eq!(story.after(show_as(2, SceneStatus::Pending)).percentage(), at);
}

#[test]
fn q44_the_price_is_of_the_seconds_that_are_billed_in_every_name_of_the_model() {
    for (name, requested_ms, billed) in
        [("veo3", 1_000, 4), ("veo3.1", 3_500, 4), ("google/veo-3.1", 6_000, 6), ("hailuo2", 3_500, 6)]
    {
        let mut create = creation(2);
        create.model = name.to_owned();
        create.scenes.iter_mut().for_each(|(_, scene)| scene.requested_ms = requested_ms);
        let story = crate::harness::nothing().after(Command::Create(Box::new(create)));
        let model = find(name).expect("a model that is priced is rendered");
        assert_eq!(story.job().estimate_micros, 2 * model.price_micros(billed), "{name}");
        let story = story.after(Command::Approve).after(Command::Advance);
        assert_eq!(story.job().scenes[0].takes[0].input.seconds, billed, "{name}");
    }
}

#[test]
fn q46_a_scene_that_is_told_of_twice_finishes_once() {
    let story = cutting(2);
    let asked = story.outstanding();
    story.clone().when(rendered(2, 1)).then_nothing();
    story.clone().when(failed_with(2, 1, "late", 0)).then_nothing();
    assert_eq!(story.clone().after(rendered(2, 1)).outstanding(), asked, "one cut, asked for once");
    let story = story.after(cut_ready(1)).after(mix_ready(1));
    story.clone().when(mix_ready(1)).then_nothing();
    let ends = story.events.iter().filter(|(event, _)| event.kind() == "JobCompleted").count();
    assert_eq!(ends, 1);
}

#[test]
fn q47_after_a_restart_what_was_bought_is_asked_for_again_and_not_bought_again() {
    let story = started(2).after(attempt(1, 1, 1)).after(failed_with(2, 1, "no credit", 0));
    let restarted = story.replayed().expect("the job");
    assert_eq!(plan(&restarted), plan(story.job()), "the same keys, the same input");
    assert_eq!(restarted.scenes[0].takes.len(), 1);
    let story = partial(2, &[2]).when(regenerate(&[2])).then(&["RegenerationRequested"]);
    assert_eq!(story.after(Command::Advance).outstanding(), ["job-43/scene-2/take-2"], "a failed one can be");
}

#[test]
fn q51_reasons_are_sentences_for_people() {
    let story = started(1).after(music()).after(failed_with(1, 1, "the provider refused the photo", 0));
    assert_eq!(story.job().error.as_deref(), Some("Every scene failed: the provider refused the photo"));
}
