//! What people see of a job.

use crate::harness::{cutting, failed, failed_with, id, partial, pending, remove, rendered, started};
use job_domain::estimate::usd;
use job_domain::view::{SceneCounts, audio, costs, counts, is_due, storyboard, video_name};
use job_domain::{Command, view};
use serde_json::json;

#[test]
fn a_video_is_named_after_its_campaign_and_number() {
    assert_eq!(video_name("Spring", 2), "Spring 2");
    assert_eq!(video_name("", 1), "Video 1");
    assert_eq!(video_name(" odd ", 3), " odd  3", "a name is not trimmed");
}

#[test]
fn scenes_are_counted_by_status() {
    let story = started(4).after(rendered(1, 1)).after(failed(2, 1));
    let expected = SceneCounts { total: 4, pending: 0, processing: 2, completed: 1, failed: 1 };
    assert_eq!(counts(story.job()), expected);
    assert_eq!(counts(pending(2).job()).pending, 2);
}

#[test]
fn dollars_are_rounded_half_up_to_cents() {
    let cases =
        [(0, 0.0), (4_999, 0.0), (5_000, 0.01), (1_600_000, 1.6), (5_400_000, 5.4), (1_234_567, 1.23)];
    for (micros, dollars) in cases {
        assert_eq!(usd(micros), dollars, "{micros}");
    }
}

#[test]
fn what_failed_takes_were_charged_counts() {
    let story = started(2).after(failed_with(1, 1, "canceled at the provider", 200_000));
    assert_eq!(costs(story.job()).actual, 0.2);
    assert_eq!(costs(story.job()).currency, "USD");
}

#[test]
fn the_storyboard_has_every_scene_with_its_frames_and_what_is_billed() {
    let story = pending(2);
    let shown = storyboard(story.job());
    assert_eq!(shown["total_duration"], json!(10.0));
    assert_eq!(shown["total_billed_seconds"], json!(8));
    let scene = &shown["scenes"][1];
    assert_eq!(scene["id"], json!(id(2)));
    assert_eq!(scene["index"], json!(1));
    assert_eq!(scene["duration"], json!(5.0));
    assert_eq!(scene["billed_seconds"], json!(4));
    assert_eq!(scene["asset_ids"], json!(["asset-2a", "asset-2b"]));
    assert!(scene.get("camera_movement").is_none(), "what is not known is left out");
}

#[test]
fn the_storyboard_follows_a_removal() {
    let story = pending(3).after(remove(1));
    assert_eq!(storyboard(story.job())["scenes"][0]["index"], json!(0));
    assert_eq!(storyboard(story.job())["total_duration"], json!(10.0));
}

#[test]
fn the_estimate_in_the_parameters_follows_the_storyboard() {
    let story = pending(3);
    assert_eq!(view::parameters(story.job())["estimated_cost"], json!(2.4));
    assert_eq!(view::parameters(story.after(remove(1)).job())["estimated_cost"], json!(1.6));
}

#[test]
fn a_job_is_due_while_something_is_outstanding_or_follows() {
    assert!(!is_due(pending(1).job()));
    assert!(is_due(pending(1).after(Command::Approve).job()), "approved jobs are taken up after a crash");
    assert!(is_due(cutting(1).job()));
    assert!(!is_due(partial(2, &[1]).job()));
}

#[test]
fn sound_is_told_apart_from_pictures() {
    let word = |story: &crate::harness::Story| audio(story.job()).status.as_str();
    assert_eq!(word(&pending(1)), "not_started");
    assert_eq!(word(&pending(1).after(Command::Approve)), "pending");
    assert_eq!(word(&started(1)), "generating");
    assert_eq!(word(&cutting(1)), "completed");
    assert_eq!(word(&partial(2, &[1])), "completed_and_merged");
}

#[test]
fn a_job_and_its_scenes_know_when_something_last_happened() {
    let story = started(2).after(rendered(1, 1));
    let job = story.job();
    assert_eq!(job.created_at_ms, 1_000);
    assert_eq!(job.updated_at_ms, story.events.last().expect("an event").1);
    assert!(job.scenes[0].updated_at_ms > job.scenes[1].updated_at_ms);
}
