//! The gate and the way out.

use crate::harness::{
    all_failed, canceled, completed, cut_failed, cut_ready, cutting, failed, failed_with, id, mix_ready,
    music, pending, regenerate, remove, rendered, started,
};
use job_domain::state::Product;
use job_domain::{Command, Effect, JobStatus, SceneStatus, plan, view};

fn cancel() -> Command {
    Command::Cancel { reason: None }
}

#[test]
fn approval_is_recorded_alone() {
    let story = pending(2).when(Command::Approve).then(&["JobApproved"]);
    assert_eq!(story.status(), JobStatus::Approved);
    assert!(story.outstanding().is_empty());
}

#[test]
fn only_a_pending_job_may_be_approved() {
    for story in [pending(2).after(Command::Approve), started(2), completed(2), all_failed(2), canceled(2)] {
        let refusal = story.refusal(Command::Approve);
        assert_eq!(refusal.text(), "Job cannot be approved");
        assert_eq!(refusal.reason().as_deref(), Some("Job must be in pending state to be approved"));
        assert_eq!(refusal.current_status(), Some(story.status()));
    }
}

#[test]
fn a_job_without_scenes_cannot_be_approved() {
    let refusal = pending(1).after(remove(1)).refusal(Command::Approve);
    assert_eq!(refusal.text(), "Job cannot be approved");
    assert_eq!(refusal.reason().as_deref(), Some("Job has no scenes"));
}

#[test]
fn a_pending_an_approved_and_a_processing_job_can_be_canceled() {
    for story in [pending(2), pending(2).after(Command::Approve), started(2)] {
        let story = story.when(cancel()).then(&["JobCanceled"]);
        assert_eq!(story.status(), JobStatus::Canceled);
    }
}

#[test]
fn a_job_that_is_over_cannot_be_canceled() {
    for story in [completed(2), all_failed(2), canceled(2)] {
        let refusal = story.refusal(cancel());
        assert_eq!(refusal.text(), "Job cannot be canceled");
        assert_eq!(refusal.reason(), Some(format!("Job is already {}", story.status().as_str())));
    }
}

#[test]
fn a_cancel_asks_the_workers_to_stop() {
    let story = started(2).after(rendered(1, 1)).after(cancel());
    let effects = plan(story.job());
    assert!(matches!(&effects[0], Effect::CancelScene { scene, take: 1, .. } if *scene == id(2)));
    assert!(matches!(&effects[1], Effect::CancelSoundtrack { take: 1, .. }));
    assert_eq!(effects.len(), 2, "what was delivered is not canceled");
}

#[test]
fn a_cancel_stops_the_cut_that_is_being_made() {
    let story = cutting(2).after(cancel());
    let key = "job-43/cut-1".to_owned();
    assert_eq!(plan(story.job()), [Effect::CancelProduct { job: 43, product: Product::Cut, cut: 1, key }]);
    let story = story.when(cut_failed(1)).then(&["ProductClosed"]);
    assert!(story.outstanding().is_empty());
    story.when(cut_failed(1)).then_nothing();
}

#[test]
fn a_cancel_stops_the_mix_that_is_being_made() {
    let story = cutting(2).after(cut_ready(1)).after(cancel());
    let key = "job-43/cut-1/mix".to_owned();
    assert_eq!(plan(story.job()), [Effect::CancelProduct { job: 43, product: Product::Mix, cut: 1, key }]);
    // The cut before it was delivered long ago: only an answer for the mix closes it.
    let story = story.when(cut_ready(1)).then_nothing();
    assert!(story.when(mix_ready(1)).then(&["ProductClosed"]).outstanding().is_empty());
}

#[test]
fn a_video_that_arrives_after_the_cancel_is_not_played() {
    let story = cutting(2).after(cancel()).when(cut_ready(1)).then(&["ProductClosed"]);
    assert_eq!(story.status(), JobStatus::Canceled);
    assert!(story.job().master.is_none() && story.outstanding().is_empty());
}

#[test]
fn unfinished_scenes_of_a_canceled_job_are_failed_with_reason_canceled() {
    let story = started(2).after(rendered(1, 1)).after(cancel());
    assert_eq!(story.scene_status(1), SceneStatus::Completed);
    assert_eq!(story.scene_status(2), SceneStatus::Failed);
    let job = story.job();
    let failure = view::scene_failure(job, &job.scenes[1]).expect("there is a reason");
    assert_eq!((failure.code.as_str(), failure.reason.as_str()), ("canceled", "canceled"));
}

#[test]
fn a_scene_that_failed_before_the_cancel_keeps_its_reason() {
    let story = started(2).after(failed(1, 1)).after(cancel());
    let job = story.job();
    assert_eq!(view::scene_failure(job, &job.scenes[0]).expect("a reason").code, "provider_failed");
}

#[test]
fn a_canceled_take_is_closed_by_the_workers_answer() {
    let story = canceled(1).when(failed_with(1, 1, "canceled", 0)).then(&["SceneTakeClosed"]);
    let story = story.after(music());
    assert!(story.outstanding().is_empty());
}

#[test]
fn what_a_canceled_take_cost_is_recorded() {
    let story = canceled(2).after(failed_with(1, 1, "canceled", 300_000));
    assert_eq!(view::costs(story.job()).actual_micros, 300_000);
}

#[test]
fn a_clip_that_arrives_after_the_cancel_is_not_shown_but_paid() {
    let story = canceled(1).when(rendered(1, 1)).then(&["SceneTakeClosed"]);
    assert_eq!(story.scene_status(1), SceneStatus::Failed);
    assert_eq!(view::costs(story.job()).actual_micros, 800_000);
}

#[test]
fn nothing_is_asked_for_after_a_cancel() {
    let story = pending(2).after(Command::Approve).after(cancel());
    story.clone().when(Command::Advance).then_nothing();
    assert!(story.outstanding().is_empty());
}

#[test]
fn a_canceled_job_cannot_be_regenerated() {
    let refusal = canceled(2).refusal(regenerate(&[1]));
    assert_eq!(refusal.text(), "Scene cannot be regenerated");
    assert_eq!(refusal.reason().as_deref(), Some("Job is canceled"));
}

#[test]
fn a_reason_given_with_the_cancel_is_kept() {
    let story = started(1).after(Command::Cancel { reason: Some(" wrong photos ".to_owned()) });
    assert_eq!(story.job().error.as_deref(), Some("canceled: wrong photos"));
}
