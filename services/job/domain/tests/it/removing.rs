//! Taking scenes out of a job that is past its gate.

use crate::harness::{
    all_failed, canceled, completed, cut_ready, id, mix_ready, partial, pending, regenerate,
};
use crate::harness::{remove, rendered, started};
use job_domain::state::Outcome;
use job_domain::{Command, Effect, JobStatus, RefusalKind, plan, progress, view};

#[test]
fn a_scene_cannot_be_deleted_while_the_job_is_processing() {
    for story in [started(2), pending(2).after(Command::Approve)] {
        let refusal = story.refusal(remove(1));
        assert_eq!(
            (refusal.kind(), refusal.text()),
            (RefusalKind::Precondition, "Scene cannot be deleted".into())
        );
        assert_eq!(refusal.reason().as_deref(), Some("Cannot delete scene while job is processing"));
    }
}

#[test]
fn an_unknown_scene_is_not_found() {
    assert_eq!(completed(2).refusal(remove(9)).kind(), RefusalKind::NotFound);
}

#[test]
fn deleting_a_scene_of_a_completed_job_makes_a_new_cut_and_buys_nothing() {
    let story = completed(3).when(remove(2)).then(&["SceneRemoved", "CutRequested"]);
    assert_eq!(story.outstanding(), ["job-43/cut-2"]);
    assert_eq!((story.status(), story.percentage()), (JobStatus::Completed, 100));
    let story = story.after(cut_ready(2)).when(mix_ready(2)).then(&["MixReady", "CutReplaced"]);
    let shown: Vec<_> =
        story.job().master.as_ref().expect("a video").shown.iter().map(|s| &s.scene).collect();
    assert_eq!(shown, [&id(1), &id(3)]);
}

#[test]
fn deleting_a_failed_scene_makes_the_video_full_as_it_is() {
    let story = partial(3, &[2]);
    let video = story.job().master.as_ref().map(|master| master.video.clone());
    let story = story.when(remove(2)).then(&["SceneRemoved", "CutReplaced"]);
    assert_eq!(story.job().outcome, Some(Outcome::Full));
    assert_eq!(story.job().master.as_ref().map(|master| master.video.clone()), video);
    assert!(story.job().warnings.is_empty());
    assert_eq!(progress::next_cut(story.job()), None);
}

#[test]
fn the_only_scene_with_a_clip_cannot_be_deleted_from_a_video() {
    let refusal = partial(2, &[1]).refusal(remove(2));
    assert_eq!(refusal.text(), "Scene cannot be deleted");
    assert!(refusal.reason().is_some_and(|reason| reason.contains("only scene")));
}

#[test]
fn deleting_a_scene_whose_new_take_is_out_cancels_the_take() {
    let story = completed(3).after(regenerate(&[2])).after(Command::Advance);
    let story = story.when(remove(2)).then(&["SceneRemoved", "CutRequested"]);
    let effects = plan(story.job());
    assert!(matches!(&effects[0], Effect::CancelScene { number: 2, take: 2, .. }), "{effects:?}");
    let story = story.when(rendered(2, 2)).then(&["SceneTakeClosed"]);
    assert_eq!(story.outstanding(), ["job-43/cut-2"]);
    assert_eq!(view::costs(story.job()).actual_micros, 4 * 800_000 + 50_000, "what was charged counts");
}

#[test]
fn deleting_a_scene_of_a_failed_or_canceled_job_only_takes_it_out() {
    for story in [all_failed(2), canceled(2)] {
        let status = story.status();
        let story = story.when(remove(1)).then(&["SceneRemoved"]);
        assert_eq!((story.status(), story.job().scenes.len()), (status, 1));
    }
}

#[test]
fn a_removed_scene_is_gone_for_every_command() {
    let story = completed(3).after(remove(2));
    assert_eq!(story.refusal(regenerate(&[2])).kind(), RefusalKind::NotFound);
    assert_eq!(story.refusal(remove(2)).kind(), RefusalKind::NotFound);
}

#[test]
fn a_number_is_never_given_again() {
    let story = pending(3).after(remove(1)).after(Command::Approve).after(Command::Advance);
    assert_eq!(story.outstanding()[..2], ["job-43/scene-2/take-1", "job-43/scene-3/take-1"]);
}
