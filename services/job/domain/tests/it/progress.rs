//! How far a job is.

use crate::harness::{
    all_failed, attempt, canceled, completed, cut_ready, cutting, failed, mix_ready, music,
};
use crate::harness::{partial, pending, regenerate, rendered, started};
use job_domain::{Command, progress};

#[test]
fn a_storyboard_is_zero_percent() {
    let story = pending(2);
    assert_eq!((story.percentage(), story.stage()), (0, "storyboard_ready"));
}

#[test]
fn an_approved_job_is_zero_percent() {
    let story = pending(2).after(Command::Approve);
    assert_eq!((story.percentage(), story.stage()), (0, "approved"));
}

#[test]
fn a_started_job_is_5_percent_and_10_once_a_provider_took_it_up() {
    let story = started(2);
    assert_eq!((story.percentage(), story.stage()), (5, "initializing"));
    let story = story.after(attempt(1, 1, 1));
    assert_eq!((story.percentage(), story.stage()), (10, "starting_render"));
}

#[test]
fn scenes_are_spread_from_10_to_75() {
    let story = started(4).after(rendered(1, 1));
    assert_eq!((story.percentage(), story.stage()), (26, "processing"));
    let story = story.after(failed(2, 1));
    assert_eq!((story.percentage(), story.stage()), (42, "processing_with_errors"));
    let story = story.after(rendered(3, 1));
    assert_eq!(story.percentage(), 58);
}

#[test]
fn the_cut_is_80_then_90_and_the_mix_95() {
    let story = started(1).after(rendered(1, 1));
    assert_eq!((story.percentage(), story.stage()), (80, "stitching_videos"));
    let story = story.after(cut_ready(1));
    assert_eq!((story.percentage(), story.stage()), (90, "audio_generation_pending"));
    let story = story.after(music());
    assert_eq!((story.percentage(), story.stage()), (95, "audio_generation"));
    let story = story.after(mix_ready(1));
    assert_eq!((story.percentage(), story.stage()), (100, "completed"));
}

#[test]
fn a_partial_video_says_so_in_its_stage() {
    let story = partial(2, &[1]);
    assert_eq!((story.percentage(), story.stage()), (100, "completed_partial"));
}

#[test]
fn a_failed_job_stays_where_it_came_to() {
    let story = all_failed(2);
    assert_eq!((story.percentage(), story.stage()), (75, "failed"));
}

#[test]
fn a_canceled_job_stays_where_it_came_to() {
    let story = started(2).after(rendered(1, 1)).after(Command::Cancel { reason: None });
    assert_eq!((story.percentage(), story.stage()), (42, "canceled"));
    assert_eq!(canceled(1).percentage(), 5);
}

#[test]
fn regenerating_within_a_cut_does_not_move_it_back() {
    let story = started(2).after(failed(1, 1));
    let before = story.percentage();
    assert_eq!(story.after(regenerate(&[1])).after(Command::Advance).percentage(), before);
}

#[test]
fn a_new_cut_begins_again() {
    let story = cutting(2).after(regenerate(&[1]));
    assert_eq!(story.percentage(), 0);
    let story = story.after(Command::Advance);
    assert_eq!((story.percentage(), story.stage()), (5, "initializing"));
}

#[test]
fn the_next_cut_of_a_completed_job_counts_only_what_it_buys() {
    let story = completed(4).after(regenerate(&[1, 2])).after(Command::Advance).after(rendered(1, 2));
    let next = progress::next_cut(story.job()).and_then(|next| next.progress).expect("it is being made");
    assert_eq!((next.percentage, next.stage), (42, "processing"));
    assert_eq!((story.percentage(), story.stage()), (100, "completed"));
}

#[test]
fn a_scene_has_a_bar_of_its_own() {
    let of = |story: &crate::harness::Story| progress::of_scene(&story.job().scenes[0]);
    let story = pending(1);
    assert_eq!(of(&story), 0);
    let story = story.after(Command::Approve).after(Command::Advance);
    assert_eq!(of(&story), 10);
    let story = story.after(attempt(1, 1, 1));
    assert_eq!(of(&story), 25);
    assert_eq!(of(&story.after(rendered(1, 1))), 100);
}
