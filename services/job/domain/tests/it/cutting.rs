//! From the last clip to the video.

use crate::harness::{
    blob, completed, cut_failed, cut_ready, cutting, mix_failed, mix_ready, partial, started,
};
use crate::harness::{music, rendered};
use job_domain::state::Outcome;
use job_domain::{Effect, JobEvent, JobStatus, digest::digest, plan, view};

#[test]
fn the_mix_follows_the_cut() {
    cutting(2).when(cut_ready(1)).then(&["CutReady", "MixRequested"]);
}

#[test]
fn a_job_completes_once_after_the_mix() {
    let story = cutting(2).after(cut_ready(1));
    assert_eq!(story.status(), JobStatus::Processing, "the silent cut is not the end");
    let story = story.when(mix_ready(1)).then(&["MixReady", "JobCompleted"]);
    assert_eq!(story.status(), JobStatus::Completed);
    story.when(mix_ready(1)).then_nothing();
}

#[test]
fn the_master_is_the_mix_and_keeps_the_silent_cut() {
    let story = completed(2);
    let master = story.job().master.as_ref().expect("a video");
    assert_eq!(master.video, blob("mix-1", "video/mp4"));
    assert_eq!(master.silent, blob("cut-1", "video/mp4"));
    assert_eq!(master.poster, Some(blob("poster", "image/jpeg")));
    assert_eq!(master.shown.len(), 2);
}

#[test]
fn a_video_with_every_scene_is_full() {
    let story = completed(3);
    assert_eq!(story.job().outcome, Some(Outcome::Full));
    assert!(story.job().warnings.is_empty());
}

#[test]
fn a_video_without_scenes_2_and_5_is_partial_and_says_so() {
    let story = partial(6, &[2, 5]);
    let job = story.job();
    assert_eq!((story.status(), job.outcome), (JobStatus::Completed, Some(Outcome::Partial)));
    assert_eq!(view::missing_scenes(job), [2, 5]);
    assert_eq!(job.warnings[0], "Scene 2 is missing from the video: the provider refused the photo");
    let shown: Vec<_> = job.master.as_ref().expect("a video").shown.iter().map(|s| s.scene.clone()).collect();
    assert_eq!(shown, [1, 3, 4, 6].map(crate::harness::id));
}

#[test]
fn a_failed_first_cut_fails_the_job_with_the_reason() {
    let story = cutting(2).when(cut_failed(1)).then(&["CutFailed", "JobFailed"]);
    assert_eq!(story.job().error.as_deref(), Some("ffmpeg ran out of disk space"));
}

#[test]
fn a_cut_is_asked_for_under_one_key_with_the_digest_of_its_clips() {
    let story = cutting(2);
    let effects = plan(story.job());
    let [Effect::Cut { key, digest: sent, clips, .. }] = effects.as_slice() else { panic!("one cut") };
    assert_eq!((key.as_str(), sent.clone()), ("job-43/cut-1", digest(clips)));
}

#[test]
fn a_mix_is_asked_for_with_the_cut_and_its_real_length() {
    let story = cutting(2).after(cut_ready(1));
    let effects = plan(story.job());
    let [Effect::Mix { key, digest: sent, input, .. }] = effects.as_slice() else { panic!("one mix") };
    assert_eq!((key.as_str(), sent.clone()), ("job-43/cut-1/mix", digest(input)));
    assert_eq!((input.duration_ms, &input.video), (12_000, &blob("cut-1", "video/mp4")));
}

#[test]
fn cut_and_mix_told_twice_are_no_events() {
    cutting(2).after(cut_ready(1)).when(cut_ready(1)).then_nothing();
    cutting(2).after(cut_ready(1)).when(cut_failed(1)).then_nothing();
    cutting(2).after(cut_ready(1)).after(mix_ready(1)).when(mix_failed(1)).then_nothing();
}

#[test]
fn a_cut_or_mix_told_too_early_is_no_event() {
    started(2).when(cut_ready(1)).then_nothing();
    cutting(2).when(mix_ready(1)).then_nothing();
    cutting(2).when(cut_ready(2)).then_nothing();
}

#[test]
fn a_completed_job_has_nothing_outstanding() {
    assert!(completed(2).outstanding().is_empty());
    assert!(partial(3, &[1]).outstanding().is_empty());
}

#[test]
fn the_end_records_what_the_job_cost() {
    let then = cutting(2).after(cut_ready(1)).when(mix_ready(1));
    let JobEvent::JobCompleted { actual_cost_micros, .. } = &then.events[1] else { panic!("the end") };
    assert_eq!(*actual_cost_micros, 2 * 800_000 + 50_000);
}

#[test]
fn one_clip_is_enough_for_a_video() {
    let story = started(1).after(music()).after(rendered(1, 1)).after(cut_ready(1)).after(mix_ready(1));
    assert_eq!(story.status(), JobStatus::Completed);
}
