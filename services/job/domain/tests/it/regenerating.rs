//! Buying again: only what a person asks for, while what there is stays.

use crate::harness::{all_failed, completed, cut_failed, cut_ready, cutting, failed, mix_failed, mix_ready};
use crate::harness::{music, partial, pending, regenerate, rendered, started};
use job_domain::state::Outcome;
use job_domain::{Command, JobEvent, JobStatus, RefusalKind, SceneStatus, progress, view};

#[test]
fn regenerating_is_recorded_alone_and_the_scene_waits() {
    let story = completed(2).when(regenerate(&[1])).then(&["RegenerationRequested"]);
    assert_eq!(story.scene_status(1), SceneStatus::Pending);
    assert_eq!(story.scene_status(2), SceneStatus::Completed);
}

#[test]
fn the_next_advance_buys_one_new_take_of_that_scene_only() {
    let story = completed(3).after(regenerate(&[2])).when(Command::Advance).then(&["SceneTakeRequested"]);
    assert_eq!(story.outstanding(), ["job-43/scene-2/take-2"]);
}

#[test]
fn a_completed_job_stays_completed_at_100_while_a_new_cut_is_made() {
    let story = partial(2, &[2]).after(regenerate(&[2])).after(Command::Advance);
    assert_eq!((story.status(), story.percentage()), (JobStatus::Completed, 100));
    assert!(story.job().master.is_some(), "the old video can be played");
    let next = progress::next_cut(story.job()).expect("a new cut is made");
    assert_eq!((next.cut, next.progress.map(|progress| progress.percentage)), (2, Some(5)));
}

#[test]
fn regenerating_the_failed_scenes_of_a_partial_job_makes_it_full() {
    let story = partial(6, &[2, 5]).after(regenerate(&[2, 5])).after(Command::Advance);
    assert_eq!(story.outstanding(), ["job-43/scene-2/take-2", "job-43/scene-5/take-2"], "only those two");
    let story = story.after(rendered(2, 2)).when(rendered(5, 2)).then(&["SceneRendered", "CutRequested"]);
    let story = story.after(cut_ready(2)).when(mix_ready(2)).then(&["MixReady", "CutReplaced"]);
    assert_eq!(story.job().outcome, Some(Outcome::Full));
    assert!(view::missing_scenes(story.job()).is_empty());
    assert!(story.job().warnings.is_empty());
    assert_eq!(progress::next_cut(story.job()), None);
}

#[test]
fn when_nothing_new_comes_the_old_video_stays_and_the_reason_is_told() {
    let story = partial(2, &[2]).after(regenerate(&[2])).after(Command::Advance);
    let master = story.job().master.clone();
    let story = story.when(failed(2, 2)).then(&["SceneFailed", "CutFailed"]);
    assert_eq!((story.status(), story.job().outcome), (JobStatus::Completed, Some(Outcome::Partial)));
    assert_eq!(story.job().master, master);
    let next = progress::next_cut(story.job()).expect("it is told");
    let error = "The video stays as it was; scene 2: the provider refused the photo";
    assert_eq!((next.progress, next.error.as_deref()), (None, Some(error)));
}

#[test]
fn a_better_video_is_made_even_when_only_some_of_it_comes() {
    let story = partial(3, &[2, 3]).after(regenerate(&[2, 3])).after(Command::Advance);
    let story = story.after(failed(3, 2)).when(rendered(2, 2)).then(&["SceneRendered", "CutRequested"]);
    let story = story.after(cut_ready(2)).after(mix_ready(2));
    assert_eq!(story.job().outcome, Some(Outcome::Partial));
    assert_eq!(view::missing_scenes(story.job()), [3]);
}

#[test]
fn a_scene_whose_new_take_fails_keeps_its_old_clip() {
    let story = completed(2).after(regenerate(&[1])).after(Command::Advance).after(failed(1, 2));
    assert_eq!(story.scene_status(1), SceneStatus::Completed);
    let job = story.job();
    assert!(view::scene_failure(job, &job.scenes[0]).is_some(), "and tells what happened");
    assert_eq!(job.outcome, Some(Outcome::Full));
}

#[test]
fn a_failed_new_cut_leaves_the_old_video() {
    let story = completed(2).after(regenerate(&[1])).after(Command::Advance).after(rendered(1, 2));
    let master = story.job().master.clone();
    let story = story.when(cut_failed(2)).then(&["CutFailed"]);
    assert_eq!((story.status(), story.job().master.clone()), (JobStatus::Completed, master));
    assert_eq!(story.job().next_cut_error.as_deref(), Some("ffmpeg ran out of disk space"));
    assert!(story.outstanding().is_empty());
}

#[test]
fn a_failed_new_mix_leaves_the_old_video() {
    let story = completed(2).after(regenerate(&[1])).after(Command::Advance).after(rendered(1, 2));
    let master = story.job().master.clone();
    let story = story.after(cut_ready(2)).when(mix_failed(2)).then(&["MixFailed"]);
    assert_eq!((story.status(), story.job().master.clone()), (JobStatus::Completed, master));
    assert_eq!(story.job().next_cut_error.as_deref(), Some("the soundtrack cannot be read"));
}

#[test]
fn after_a_failed_new_cut_it_can_be_tried_again_without_buying() {
    let story = completed(2).after(regenerate(&[1])).after(Command::Advance).after(rendered(1, 2));
    let story = story.after(cut_failed(2)).after(regenerate(&[]));
    let story = story.when(Command::Advance).then(&["CutRequested"]);
    assert_eq!(story.outstanding(), ["job-43/cut-3"]);
}

#[test]
fn after_a_failed_new_mix_only_the_mix_is_made_again() {
    let story = completed(2).after(regenerate(&[1])).after(Command::Advance).after(rendered(1, 2));
    let story = story.after(cut_ready(2)).after(mix_failed(2)).after(regenerate(&[]));
    story.when(Command::Advance).then(&["MixRequested"]);
}

#[test]
fn a_failed_job_becomes_processing_by_a_persons_regenerate() {
    let story = all_failed(2).after(regenerate(&[1, 2]));
    assert_eq!((story.status(), story.job().error.clone()), (JobStatus::Processing, None));
    let story = story.after(Command::Advance).after(rendered(1, 2)).after(rendered(2, 2));
    let story = story.after(cut_ready(2)).when(mix_ready(2)).then(&["MixReady", "JobCompleted"]);
    assert_eq!(story.job().outcome, Some(Outcome::Full));
}

#[test]
fn a_failed_job_can_fail_again() {
    let story = all_failed(1).after(regenerate(&[1])).after(Command::Advance);
    let story = story.when(failed(1, 2)).then(&["SceneFailed", "JobFailed"]);
    assert_eq!(story.status(), JobStatus::Failed);
}

#[test]
fn a_job_that_failed_in_the_cut_can_be_cut_again_without_buying() {
    let story = cutting(2).after(cut_failed(1)).after(regenerate(&[]));
    assert_eq!(story.status(), JobStatus::Processing);
    story.when(Command::Advance).then(&["CutRequested"]);
}

#[test]
fn naming_no_scene_is_refused_where_there_is_nothing_to_cut_again() {
    for story in [pending(1), started(1), completed(1), all_failed(1)] {
        let refusal = story.refusal(regenerate(&[]));
        assert_eq!(refusal.reason().as_deref(), Some("Name the scenes to regenerate"));
    }
}

#[test]
fn a_scene_of_a_pending_job_cannot_be_regenerated() {
    for story in [pending(2), pending(2).after(Command::Approve)] {
        let refusal = story.refusal(regenerate(&[1]));
        assert_eq!((refusal.kind(), refusal.code()), (RefusalKind::Precondition, "scene_not_regenerable"));
        assert_eq!(refusal.text(), "Scene cannot be regenerated");
        assert_eq!(refusal.reason().as_deref(), Some("Scene is currently pending"));
    }
}

#[test]
fn a_scene_that_is_being_made_cannot_be_regenerated() {
    let refusal = started(2).refusal(regenerate(&[1]));
    assert_eq!(refusal.reason().as_deref(), Some("Scene is currently processing"));
}

#[test]
fn a_scene_is_not_regenerated_twice_at_once() {
    let story = completed(2).after(regenerate(&[1]));
    assert_eq!(story.refusal(regenerate(&[1])).reason().as_deref(), Some("Scene is currently pending"));
    let story = story.after(Command::Advance);
    assert_eq!(story.refusal(regenerate(&[1])).reason().as_deref(), Some("Scene is currently processing"));
}

#[test]
fn one_scene_that_cannot_be_regenerated_refuses_them_all() {
    let story = started(2).after(failed(1, 1));
    story.refusal(regenerate(&[1, 2]));
}

#[test]
fn a_scene_named_twice_is_bought_once() {
    let story = completed(2).after(regenerate(&[1, 1])).when(Command::Advance).then(&["SceneTakeRequested"]);
    assert_eq!(story.outstanding().len(), 1);
}

#[test]
fn an_unknown_scene_is_not_found() {
    assert_eq!(completed(2).refusal(regenerate(&[1, 9])).kind(), RefusalKind::NotFound);
}

#[test]
fn regenerating_a_failed_scene_while_others_render_joins_the_same_cut() {
    let story = started(2).after(music()).after(failed(1, 1)).after(regenerate(&[1])).after(Command::Advance);
    let story = story.when(rendered(2, 1)).then(&["SceneRendered"]);
    let story = story.when(rendered(1, 2)).then(&["SceneRendered", "CutRequested"]);
    assert_eq!(story.outstanding(), ["job-43/cut-1"]);
}

#[test]
fn regenerating_while_the_cut_is_made_gives_a_new_cut_and_forgets_the_old_one() {
    let story = cutting(2).after(regenerate(&[1])).after(Command::Advance);
    assert_eq!(story.outstanding(), ["job-43/scene-1/take-2"]);
    let story = story.when(cut_ready(1)).then_nothing();
    let story = story.when(rendered(1, 2)).then(&["SceneRendered", "CutRequested"]);
    assert_eq!(story.outstanding(), ["job-43/cut-2"]);
    story.after(cut_ready(2)).when(mix_ready(2)).then(&["MixReady", "JobCompleted"]);
}

#[test]
fn a_cut_that_is_there_is_used_again_when_the_new_take_fails() {
    let story = started(2).after(rendered(1, 1)).after(rendered(2, 1)).after(cut_ready(1));
    let story = story.after(regenerate(&[1])).after(Command::Advance).after(music());
    let story = story.when(failed(1, 2)).then(&["SceneFailed", "MixRequested"]);
    story.when(mix_ready(2)).then(&["MixReady", "JobCompleted"]);
}

#[test]
fn regenerating_another_scene_joins_the_cut_that_is_being_remade() {
    let story = completed(3).after(regenerate(&[1])).after(Command::Advance).after(regenerate(&[2]));
    let story = story.after(Command::Advance).when(rendered(1, 2)).then(&["SceneRendered"]);
    let then = story.when(rendered(2, 2));
    let JobEvent::CutRequested { cut, clips, .. } = &then.events[1] else { panic!("a cut") };
    assert_eq!((*cut, clips.iter().map(|clip| clip.take).collect::<Vec<_>>()), (2, vec![2, 2, 1]));
}

#[test]
fn a_late_report_of_an_older_take_does_not_come_back_into_the_video() {
    let story = partial(2, &[2]).after(regenerate(&[2])).after(Command::Advance);
    let story = story.when(rendered(2, 1)).then(&["SceneTakeCharged"]);
    assert_eq!(story.scene_status(2), SceneStatus::Processing);
}

#[test]
fn a_new_take_is_paid_on_top() {
    let story = completed(2).after(regenerate(&[1])).after(Command::Advance).after(rendered(1, 2));
    let costs = view::costs(story.job());
    assert_eq!(costs.actual_micros, 3 * 800_000 + 50_000);
    assert_eq!(costs.estimated_micros, 2 * 800_000, "the estimate is frozen");
}
