//! Soundtracks by a person's own wish.

use crate::harness::{JOB, Story, canceled, completed, mix_ready, music, music_take, no_music_take, pending};
use crate::harness::{create, cut_ready, nothing, partial, regenerate, rendered, started};
use job_domain::input::{MixInput, MixShape, SoundtrackInput};
use job_domain::soundtrack_wish::{ErrorStrategy, SyncMode};
use job_domain::view::{AudioStatus, audio, costs, is_over};
use job_domain::{Command, JobEvent, JobStatus, RefusalKind, SoundtrackWish};

fn wish(merge: bool) -> SoundtrackWish {
    SoundtrackWish {
        prompt: Some("a slow waltz".to_owned()),
        fade_ms: 1_500,
        sync: SyncMode::Stretch,
        merge,
        on_error: ErrorStrategy::Halt,
    }
}

fn wished(merge: bool) -> Command {
    Command::WishSoundtrack { wish: wish(merge) }
}

fn requested(story: &Story) -> SoundtrackInput {
    let found = story.events.iter().rev().find_map(|(event, _)| match event {
        JobEvent::SoundtrackRequested { input, .. } => Some(input.clone()),
        _ => None,
    });
    found.expect("a soundtrack was requested")
}

fn mixed(story: &Story) -> MixInput {
    let found = story.events.iter().rev().find_map(|(event, _)| match event {
        JobEvent::MixRequested { input, .. } => Some(input.clone()),
        _ => None,
    });
    found.expect("a mix was requested")
}

#[test]
fn a_wish_to_merge_makes_a_soundtrack_and_a_new_mix_of_the_same_picture() {
    let story = completed(2).when(wished(true)).then(&["SoundtrackWished"]);
    let story = story.when(Command::Advance).then(&["SoundtrackRequested"]);
    assert_eq!(story.outstanding(), [format!("job-{JOB}/soundtrack-2")]);
    let story = story.when(music_take(2)).then(&["SoundtrackReady", "RegenerationRequested", "MixRequested"]);
    assert_eq!(mixed(&story).shape, Some(MixShape { sync: SyncMode::Stretch, fade_ms: 1_500 }));
    assert!(!is_over(story.job()), "more comes");
    let story = story.when(mix_ready(2)).then(&["MixReady", "CutReplaced"]);
    assert!(is_over(story.job()));
    assert_eq!(story.job().master.as_ref().and_then(|master| master.soundtrack_take), Some(2));
    assert_eq!(audio(story.job()).status, AudioStatus::CompletedAndMerged);
    story.when(Command::Advance).then_nothing();
}

#[test]
fn a_wish_without_a_merge_is_there_to_be_downloaded_and_leaves_the_video() {
    let before = completed(2);
    let story = before.clone().after(wished(false)).after(Command::Advance);
    let story = story.when(music_take(2)).then(&["SoundtrackReady"]);
    assert_eq!(story.job().master, before.job().master);
    let sound = audio(story.job());
    assert_eq!(sound.status, AudioStatus::Completed);
    assert_eq!(sound.audio.map(|audio| audio.sha256), Some(crate::harness::blob("music-2", "").sha256));
    let story = story.after(regenerate(&[1])).after(Command::Advance).after(rendered(1, 2));
    let story = story.after(cut_ready(2));
    assert_eq!(
        mixed(&story).soundtrack,
        crate::harness::blob("music-1", "audio/mpeg"),
        "never in a later video"
    );
}

#[test]
fn the_wish_is_what_is_asked_of_the_worker() {
    let download = requested(&completed(2).after(wished(false)).after(Command::Advance));
    assert_eq!(download.prompt.as_deref(), Some("a slow waltz"));
    assert_eq!((download.on_error, download.fade_ms), (Some(ErrorStrategy::Halt), Some(1_500)));
    let merged = requested(&completed(2).after(wished(true)).after(Command::Advance));
    assert_eq!(merged.fade_ms, None, "the mix fades it");
}

#[test]
fn every_scene_is_scored_at_its_own_length() {
    let input = requested(&completed(2).after(wished(true)).after(Command::Advance));
    assert_eq!(input.parts.iter().map(|part| part.duration_ms).collect::<Vec<_>>(), [4_000, 4_000]);
    assert_eq!(input.duration_ms, 8_000);
}

#[test]
fn a_job_that_is_being_made_lets_a_wish_wait() {
    let story = started(1).when(wished(true)).then(&["SoundtrackWished"]);
    let story = story.when(Command::Advance).then_nothing();
    let story = story.after(music()).after(rendered(1, 1)).after(cut_ready(1));
    story.when(mix_ready(1)).then(&["MixReady", "JobCompleted", "SoundtrackRequested"]);
}

#[test]
fn wishes_are_served_one_after_the_other() {
    let story = completed(1).after(wished(false)).after(wished(false));
    let story = story.when(Command::Advance).then(&["SoundtrackRequested"]);
    story.when(music_take(2)).then(&["SoundtrackReady", "SoundtrackRequested"]);
}

#[test]
fn a_wish_that_comes_to_nothing_leaves_the_video_and_says_why() {
    let before = completed(1);
    let story = before.clone().after(wished(true)).after(Command::Advance);
    let story = story.when(no_music_take(2)).then(&["SoundtrackFailed"]);
    assert_eq!(story.job().master, before.job().master);
    assert_eq!(audio(story.job()).error.as_deref(), Some("the music model is down"));
}

#[test]
fn a_failed_wish_is_told_whatever_it_was_for_and_whatever_is_there() {
    for merge in [true, false] {
        for before in [completed(1), pending(1)] {
            let take = if before.job().soundtrack.takes.is_empty() { 1 } else { 2 };
            let story = before.after(wished(merge)).after(Command::Advance).after(no_music_take(take));
            assert_eq!(audio(story.job()).error.as_deref(), Some("the music model is down"), "{merge}");
        }
    }
}

#[test]
fn a_wish_that_waits_is_pending_whatever_is_there() {
    let silent = nothing().after(create(|job| job.soundtrack = false));
    for story in [completed(1), pending(1), silent] {
        let story = story.after(wished(true));
        assert_eq!(audio(story.job()).status, AudioStatus::Pending);
        let story = story.after(Command::Advance);
        assert_eq!(audio(story.job()).status, AudioStatus::Generating);
    }
}

#[test]
fn only_scenes_of_the_video_are_scored_once_there_is_one() {
    let input = requested(&partial(3, &[2]).after(wished(true)).after(Command::Advance));
    let scored: Vec<&str> = input.parts.iter().map(|part| part.title.as_str()).collect();
    assert_eq!((scored, input.duration_ms), (vec!["Scene 1", "Scene 3"], 8_000));
    let input = requested(&pending(3).after(wished(true)).after(Command::Advance));
    assert_eq!(input.parts.len(), 3, "all of them may come");
}

#[test]
fn what_was_bought_before_approval_is_the_videos() {
    let story = pending(1).after(wished(true)).when(Command::Advance).then(&["SoundtrackRequested"]);
    assert_eq!(story.status(), JobStatus::Pending);
    let story = story.after(music()).after(Command::Approve);
    story.when(Command::Advance).then(&["SceneTakeRequested"]);
}

#[test]
fn every_wish_counts_in_what_the_job_cost() {
    let before = costs(completed(1).job()).actual_micros;
    let story = completed(1).after(wished(false)).after(Command::Advance).after(music_take(2));
    assert_eq!(costs(story.job()).actual_micros, before + 50_000);
}

#[test]
fn a_canceled_job_and_too_many_wishes_are_refused() {
    let refusal = canceled(1).refusal(wished(true));
    assert_eq!(refusal.kind(), RefusalKind::Precondition);
    let story = (0..5).fold(completed(1), |story, _| story.after(wished(false)));
    assert!(story.refusal(wished(false)).reason().expect("a reason").contains("wait already"));
    let wrong = SoundtrackWish { fade_ms: 60_000, prompt: Some("x".repeat(2_001)), ..wish(true) };
    let refusal = completed(1).refusal(Command::WishSoundtrack { wish: wrong });
    let fields: Vec<&str> = refusal.violations().iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!(fields, ["audio_params.prompt", "audio_params.fade_duration"]);
}

#[test]
fn a_cancel_takes_the_wishes_back() {
    let story = started(1).after(wished(true)).after(Command::Cancel { reason: None });
    assert!(story.job().soundtrack.wishes.is_empty());
}
