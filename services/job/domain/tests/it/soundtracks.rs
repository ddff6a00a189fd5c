//! The music beside the pictures.

use crate::harness::{JOB, completed, create, cut_ready, cutting, failed, mix_failed, mix_ready, music};
use crate::harness::{music_take, no_music, no_music_take, nothing, pending, regenerate, rendered, started};
use job_domain::state::Outcome;
use job_domain::view::{AudioStatus, audio};
use job_domain::{Command, JobStatus, RefusalKind, SoundtrackOutcome};

fn silent_job() -> crate::harness::Story {
    let story = nothing().after(create(|job| job.soundtrack = false));
    story.after(Command::Approve).after(Command::Advance)
}

#[test]
fn a_cut_waits_for_the_soundtrack() {
    let story = started(1).after(rendered(1, 1)).when(cut_ready(1)).then(&["CutReady"]);
    story.when(music()).then(&["SoundtrackReady", "MixRequested"]);
}

#[test]
fn a_soundtrack_waits_for_the_cut() {
    let story = started(1).when(music()).then(&["SoundtrackReady"]);
    story.after(rendered(1, 1)).when(cut_ready(1)).then(&["CutReady", "MixRequested"]);
}

#[test]
fn a_failed_soundtrack_does_not_fail_the_job() {
    let story = started(1).after(no_music()).after(rendered(1, 1));
    let story = story.when(cut_ready(1)).then(&["CutReady", "JobCompleted"]);
    assert_eq!(story.status(), JobStatus::Completed);
    assert_eq!(story.job().outcome, Some(Outcome::Full));
    assert_eq!(story.job().warnings, ["The video is silent: the music model is down"]);
    assert_eq!(audio(story.job()).status, AudioStatus::Failed);
    assert_eq!(audio(story.job()).error.as_deref(), Some("the music model is down"));
}

#[test]
fn a_soundtrack_that_fails_after_the_cut_completes_the_job_silent() {
    let story = started(1).after(rendered(1, 1)).after(cut_ready(1));
    story.when(no_music()).then(&["SoundtrackFailed", "JobCompleted"]);
}

#[test]
fn a_job_without_a_soundtrack_completes_with_the_cut() {
    let story = silent_job();
    assert_eq!(story.outstanding().len(), 2);
    let story = story.after(rendered(1, 1)).after(rendered(2, 1));
    let story = story.when(cut_ready(1)).then(&["CutReady", "JobCompleted"]);
    assert!(story.job().warnings.is_empty(), "nobody asked for sound");
    assert_eq!(audio(story.job()).status, AudioStatus::Skipped);
}

#[test]
fn a_failed_mix_completes_the_first_video_silent() {
    let story = cutting(1).after(cut_ready(1)).when(mix_failed(1)).then(&["MixFailed", "JobCompleted"]);
    let job = story.job();
    assert_eq!(job.warnings, ["The video is silent: the mix failed: the soundtrack cannot be read"]);
    let sound = audio(job);
    assert_eq!((sound.status, sound.merged), (AudioStatus::Completed, false));
    assert!(sound.error.is_some_and(|error| error.contains("the mix failed")));
}

#[test]
fn a_video_says_what_is_missing_of_its_soundtrack() {
    let missing = crate::harness::music_without(1, Some("there is no voice over it: no credits"));
    let story = started(1).after(missing).after(rendered(1, 1)).after(cut_ready(1)).after(mix_ready(1));
    let warning = "The soundtrack is not whole: there is no voice over it: no credits";
    assert_eq!(
        (story.job().outcome, &story.job().warnings),
        (Some(Outcome::Full), &vec![warning.to_owned()])
    );
    let story = story.after(Command::RegenerateSoundtrack).after(Command::Advance).after(music_take(2));
    assert!(story.after(mix_ready(2)).job().warnings.is_empty(), "the new one is whole");
}

#[test]
fn a_mixed_video_says_so() {
    let story = completed(1);
    let sound = audio(story.job());
    assert_eq!((sound.status, sound.merged, sound.error), (AudioStatus::CompletedAndMerged, true, None));
    assert!(sound.generated_at_ms > sound.started_at_ms);
}

#[test]
fn a_soundtrack_told_twice_is_no_event() {
    started(1).after(music()).when(music()).then_nothing();
    started(1).after(music()).when(no_music()).then_nothing();
    started(1).when(music_take(2)).then_nothing();
}

#[test]
fn a_late_charge_for_music_is_recorded() {
    let late = SoundtrackOutcome::Failed { failure: crate::harness::failure("late"), cost_micros: 70_000 };
    let story = started(1).after(music());
    story.when(Command::SoundtrackReported { take: 1, outcome: late }).then(&["SoundtrackCharged"]);
}

#[test]
fn a_person_may_buy_another_soundtrack_for_the_same_picture() {
    let story = completed(2).when(Command::RegenerateSoundtrack).then(&["RegenerationRequested"]);
    let story = story.when(Command::Advance).then(&["SoundtrackRequested"]);
    assert_eq!(story.outstanding(), [format!("job-{JOB}/soundtrack-2")]);
    let story = story.when(music_take(2)).then(&["SoundtrackReady", "MixRequested"]);
    assert_eq!(story.outstanding(), [format!("job-{JOB}/cut-2/mix")], "the picture is not cut again");
    let story = story.when(mix_ready(2)).then(&["MixReady", "CutReplaced"]);
    assert_eq!(story.job().master.as_ref().and_then(|master| master.soundtrack_take), Some(2));
}

#[test]
fn a_failed_new_soundtrack_leaves_the_old_video() {
    let story = completed(2).after(Command::RegenerateSoundtrack).after(Command::Advance);
    let master = story.job().master.clone();
    let story = story.when(no_music_take(2)).then(&["SoundtrackFailed", "CutFailed"]);
    assert_eq!(story.job().master, master);
    let error = story.job().next_cut_error.as_deref();
    assert_eq!(error, Some("The video stays as it was; soundtrack: the music model is down"));
}

#[test]
fn a_soundtrack_is_not_bought_twice_at_once() {
    let refusal = started(2).refusal(Command::RegenerateSoundtrack);
    assert_eq!(refusal.kind(), RefusalKind::Precondition);
    assert_eq!(refusal.reason().as_deref(), Some("Soundtrack is currently processing"));
}

#[test]
fn no_soundtrack_is_bought_for_a_job_without_a_video() {
    for story in [pending(1), started(1).after(no_music()).after(failed(1, 1))] {
        assert_eq!(story.refusal(Command::RegenerateSoundtrack).text(), "Soundtrack cannot be regenerated");
    }
}

#[test]
fn regenerating_a_scene_of_a_silent_video_tries_the_music_again() {
    let story = started(2).after(no_music()).after(rendered(1, 1)).after(rendered(2, 1)).after(cut_ready(1));
    let story = story.after(regenerate(&[1])).when(Command::Advance);
    story.then(&["SceneTakeRequested", "SoundtrackRequested"]);
}

#[test]
fn regenerating_a_scene_keeps_the_music_there_is() {
    completed(2).after(regenerate(&[1])).when(Command::Advance).then(&["SceneTakeRequested"]);
}
