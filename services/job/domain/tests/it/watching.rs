//! Who has to move a job next, until when, and what is told when nobody does.

use crate::golden::wish;
use crate::harness::{
    Story, all_failed, attempt, canceled, completed, cut_ready, cutting, failed, mix_ready, music, overdue,
    partial, pending, regenerate, remove, rendered, show_as, started,
};
use job_domain::command::Overdue;
use job_domain::watch::{Heard, Owner, Patience, cause, is_unfinished, owed, watch};
use job_domain::{Command, Job, JobEvent, SceneStatus, SoundtrackWish, timeline};

fn watched(job: &Job) -> (Owner, String) {
    let watch = watch(job, &Patience::default()).expect("it is unfinished");
    (watch.owner, watch.what)
}

/// The same job, told to be overdue.
fn stalled(story: Story) -> Story {
    let command = overdue(story.job()).expect("it is unfinished");
    story.when(command).then(&["JobStalled"])
}

#[test]
fn each_unfinished_job_waits_for_somebody() {
    let owners = [
        (pending(2), Owner::Person, "the approval of the storyboard"),
        (pending(2).after(Command::Approve), Owner::Job, "the next request"),
        (started(2), Owner::Render, "take 1 of scene 1"),
        (started(2).after(rendered(1, 1)), Owner::Render, "take 1 of scene 2"),
        (started(1).after(rendered(1, 1)), Owner::Audio, "soundtrack 1"),
        (cutting(2), Owner::Stitch, "cut 1"),
        (cutting(2).after(cut_ready(1)), Owner::Stitch, "the mix of cut 1"),
        (canceled(2), Owner::Render, "take 1 of scene 1"),
        (completed(2).after(regenerate(&[1])), Owner::Job, "the next request"),
        (completed(2).after(regenerate(&[2])).after(Command::Advance), Owner::Render, "take 2 of scene 2"),
    ];
    for (story, owner, what) in owners {
        assert_eq!(watched(story.job()), (owner, what.to_owned()));
        assert!(is_unfinished(story.job()));
    }
}

#[test]
fn a_finished_job_waits_for_nobody() {
    for story in
        [completed(2), partial(2, &[1]), all_failed(2), pending(1).after(Command::Cancel { reason: None })]
    {
        assert_eq!(watch(story.job(), &Patience::default()), None);
        assert!(owed(story.job()).is_empty() && !is_unfinished(story.job()));
        assert_eq!(overdue(story.job()), None);
    }
}

#[test]
fn a_deadline_is_the_last_move_and_the_patience_with_its_owner() {
    let patience = Patience::default();
    let story = started(2);
    let asked =
        story.events.iter().find(|(event, _)| event.kind() == "SceneTakeRequested").expect("a take").1;
    let first = watch(story.job(), &patience).expect("it waits");
    assert_eq!((first.since_ms, first.deadline_ms), (asked, asked + 20 * 60_000));
    let story = story.after(attempt(1, 1, 1));
    let began = story.events.last().expect("it began").1;
    let then = watch(story.job(), &patience).expect("it waits");
    assert_eq!((then.since_ms, then.deadline_ms), (began, began + 20 * 60_000));
    // What people only look at, or add, moves nothing while render has to.
    let story = story.after(show_as(1, SceneStatus::Failed));
    let story = story.after(Command::WishSoundtrack { wish: wish() });
    assert_eq!(watch(story.job(), &patience), Some(then));
}

#[test]
fn a_stall_is_told_once_for_each_deadline_ever_more_seldom() {
    let patience = Patience::default();
    let story = stalled(started(2));
    let told = story.events.last().expect("it was told").1;
    let minutes = |minutes: i64| minutes * 60_000;
    assert_eq!(watch(story.job(), &patience).expect("it waits").deadline_ms, told + minutes(40));
    let story = stalled(story);
    let again = story.events.last().expect("it was told").1;
    assert_eq!(watch(story.job(), &patience).expect("it waits").deadline_ms, again + minutes(80));
    let stall = story.job().stall.clone().expect("it is stalled");
    assert_eq!((stall.since_ms, stall.told_at_ms, stall.times), (told, again, 2));
    let waits: Vec<u64> =
        (1..20).map(|times| patience.until_told_again(Owner::Render, times).as_secs() / 60).collect();
    assert!(waits.is_sorted() && waits[..3] == [40, 80, 160] && waits[18] == 24 * 60, "{waits:?}");
    let week = patience.until_told_again(Owner::Person, 3).as_secs();
    assert_eq!(week, 7 * 24 * 3600, "never sooner than the patience itself");
}

#[test]
fn a_stall_that_is_told_late_or_twice_says_nothing() {
    let seen = overdue(started(2).job()).expect("it waits");
    let story = started(2).after(attempt(1, 1, 1)).when(seen.clone()).then_nothing();
    let story = stalled(story);
    let Some(Command::Overdue(first)) = overdue(started(2).job()) else { panic!("it waits") };
    story.when(Command::Overdue(first)).then_nothing();
    completed(2).when(seen).then_nothing();
    let seen = Overdue { times: 3, ..seen_of(&started(2)) };
    started(2).when(Command::Overdue(Box::new(seen))).then_nothing();
}

fn seen_of(story: &Story) -> Overdue {
    match overdue(story.job()) {
        Some(Command::Overdue(seen)) => *seen,
        other => panic!("it waits, but: {other:?}"),
    }
}

#[test]
fn what_moves_a_stalled_job_tells_that_it_moves_again() {
    let story = stalled(started(2));
    let before = story.job().clone();
    let story = story.when(attempt(1, 1, 1)).then(&["SceneAttemptStarted", "JobResumed"]);
    let stall = before.stall.expect("it was stalled");
    let (owner, what) = (stall.owner, stall.what);
    let resumed = JobEvent::JobResumed { owner, what, since_ms: stall.since_ms };
    assert_eq!(story.events.last().map(|(event, _)| event), Some(&resumed));
    assert_eq!(story.job().stall, None);
    let approved = stalled(pending(2)).when(Command::Approve).then(&["JobApproved", "JobResumed"]);
    // The last scene leads to the cut, the mix to the end.
    stalled(approved).when(Command::Advance).then(&[
        "SceneTakeRequested",
        "SceneTakeRequested",
        "SoundtrackRequested",
        "JobResumed",
    ]);
    let last = stalled(started(1).after(music())).when(rendered(1, 1));
    last.then(&["SceneRendered", "JobResumed", "CutRequested"]);
    let mixed = stalled(cutting(1).after(cut_ready(1))).when(mix_ready(1));
    mixed.then(&["MixReady", "JobResumed", "JobCompleted"]);
    let given_up = stalled(started(1)).when(Command::Cancel { reason: None });
    given_up.then(&["JobCanceled", "JobResumed"]);
}

#[test]
fn a_stall_changes_nothing_that_people_see_or_that_is_planned() {
    let before = started(2);
    let (outstanding, updated) = (before.outstanding(), before.job().updated_at_ms);
    let story = stalled(before);
    assert_eq!((story.outstanding(), story.job().updated_at_ms), (outstanding, updated));
    let story = stalled(story).after(failed(1, 1)).after(failed(2, 1)).after(music());
    assert_eq!(story.status(), job_domain::JobStatus::Failed, "it goes its way as ever");
}

#[test]
fn a_snapshot_of_before_is_read_and_watched() {
    let story = started(2);
    let mut snapshot = serde_json::to_value(story.job()).expect("it is written");
    for name in ["moved_at_ms", "unfinished_since_ms", "stall"] {
        snapshot.as_object_mut().expect("an object").remove(name);
    }
    snapshot["making"].as_object_mut().expect("an object").remove("requested_at_ms");
    let job: Job = serde_json::from_value(snapshot).expect("it is read");
    let watch = watch(&job, &Patience::default()).expect("it waits");
    assert_eq!((watch.owner, watch.since_ms), (Owner::Render, job.created_at_ms));
    let seen = overdue(&job).expect("it waits");
    assert_eq!(job_domain::decide(Some(&job), seen).expect("never refused").len(), 1);
}

#[test]
fn the_strip_says_why_and_until_when() {
    let story = stalled(stalled(started(1))).after(attempt(1, 1, 1));
    let lines = timeline::lines(story.events.iter().map(|(event, _)| event));
    let lines: Vec<_> = lines.iter().filter(|line| line.contains("stalled")).collect();
    assert_eq!(
        lines,
        [
            "stalled: it takes too long",
            "still stalled, told 2 times: it takes too long",
            "stalled no more; it had waited for render and take 1 of scene 1"
        ]
    );
}

#[test]
fn a_cause_tells_how_far_the_request_came() {
    let tells = |story: &Story| {
        let owed = owed(story.job());
        cause(&owed[0], owed.len() - 1, &Heard::Nothing, 1_200_000)
    };
    assert!(tells(&pending(2)).contains("nobody has approved the storyboard for 20 minutes"));
    assert!(tells(&pending(2).after(Command::Approve)).contains("the job service does not get to it"));
    let told = tells(&started(2));
    assert!(told.contains("has not begun it") && told.contains("2 more requests are outstanding"), "{told}");
    assert!(tells(&started(2).after(attempt(1, 1, 1))).contains("attempt 1, prediction prediction-1-1-1"));
    assert!(tells(&cutting(1)).contains("stitch has worked on cut 1 for 20 minutes"));
    assert!(tells(&canceled(1)).contains("not wanted any more"));
}

#[test]
fn what_was_asked_for_first_is_waited_for_first() {
    // A scene is taken out whose new take is still at the worker.
    let story = completed(3).after(regenerate(&[2])).after(Command::Advance).after(remove(2));
    let owed = owed(story.job());
    let keys: Vec<_> = owed.iter().filter_map(|owed| Some(owed.request.as_ref()?.key.as_str())).collect();
    assert_eq!(keys, ["job-43/scene-2/take-2", "job-43/cut-2"]);
    let take = owed[0].request.as_ref().expect("a request");
    assert!(!take.wanted && owed[1].request.as_ref().is_some_and(|cut| cut.wanted));
    // A soundtrack is wished while the cut is made.
    let story = cutting(1).after(Command::WishSoundtrack { wish: SoundtrackWish { merge: false, ..wish() } });
    assert_eq!(watched(story.after(Command::Advance).job()).0, Owner::Stitch);
}
