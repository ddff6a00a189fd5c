//! The strip of events as text.

use crate::harness::{completed, failed_with, partial, pending, regenerate, remove, started};
use job_domain::state::Override;
use job_domain::{Command, JobEvent, SceneStatus, timeline};

fn lines(story: &crate::harness::Story) -> Vec<String> {
    timeline::lines(story.events.iter().map(|(event, _)| event))
}

#[test]
fn a_whole_life_reads_line_by_line() {
    insta::assert_snapshot!(lines(&completed(2)).join("\n"), @r#"
    job 43 "Spring 2" created from image pairs with veo3 at $0.20 a second
    storyboard drafted by template: 2 scenes, 8 s, estimated $1.60
    approved: 8 s for $1.60
    scene 1 take 1 requested: 4 s from veo3
    scene 2 take 1 requested: 4 s from veo3
    soundtrack 1 requested: 8.0 s
    soundtrack 1 ready: 12.0 s, $0.05
    scene 1 take 1 rendered: 4.0 s, $0.80
    scene 2 take 1 rendered: 4.0 s, $0.80
    cut 1 requested from 2 clips
    cut 1 ready: 12.0 s
    mix of cut 1 requested
    mix of cut 1 ready: 12.0 s
    job completed, full: 12.0 s
    "#);
}

#[test]
fn a_partial_video_and_what_follows_are_told() {
    let story = partial(2, &[2])
        .after(regenerate(&[2]))
        .after(Command::Advance)
        .after(failed_with(2, 2, "no", 9_000));
    let lines = lines(&story);
    let tail = &lines[lines.len() - 5..];
    assert_eq!(
        tail,
        [
            "job completed, partial: 12.0 s; scene 2 is missing from the video: the provider refused the photo",
            "regeneration wanted for cut 2: scene 2",
            "scene 2 take 2 requested: 4 s from veo3",
            "scene 2 take 2 failed: no, charged $0.01",
            "cut 2 failed: The video stays as it was; scene 2: no",
        ]
    );
}

#[test]
fn a_removed_scene_is_told_by_its_number() {
    let story = pending(3).after(remove(2));
    assert_eq!(lines(&story).last().map(String::as_str), Some("scene 2 removed"));
}

#[test]
fn every_event_is_one_line() {
    let story = started(2).after(failed_with(1, 1, "two\nlines", 0));
    assert!(lines(&story).iter().all(|line| !line.contains('\n')));
}

#[test]
fn a_line_can_be_made_without_the_job() {
    let event = JobEvent::SceneRemoved { scene: "some-id".to_owned(), estimate_micros: 0, cut: None };
    assert_eq!(timeline::line(None, &event), "scene some-id removed");
}

#[test]
fn an_override_is_told() {
    let shown = |status, provider_id: Option<&str>| {
        let shown = Override { status, provider_id: provider_id.map(str::to_owned) };
        timeline::line(None, &JobEvent::SceneOverridden { scene: "s".to_owned(), shown })
    };
    assert_eq!(shown(Some(SceneStatus::Failed), None), "scene s is shown as failed");
    assert_eq!(shown(None, Some("")), "scene s is shown without a prediction");
    let both = shown(Some(SceneStatus::Pending), Some("p-1"));
    assert_eq!(both, "scene s is shown as pending, with prediction p-1");
}
