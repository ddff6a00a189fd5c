//! The laws of the watch: an unfinished job has an owner and a deadline, what moves it gives a new one, and a stall is
//! only a note.

use job_domain::watch::{Patience, is_unfinished, owed, watch};
use job_domain::{Job, JobEvent, decide, evolve, has_outstanding, next, plan, view};
use std::collections::BTreeSet;

/// Checks one event, recorded at that time, against the job before and after it.
pub(super) fn happened(before: &Job, (event, at_ms): (&JobEvent, i64), after: &Job) {
    if matches!(event, JobEvent::JobStalled { .. } | JobEvent::JobResumed { .. }) {
        is_a_note(before, after);
        return;
    }
    assert!(after.moved_at_ms == before.moved_at_ms || after.moved_at_ms == at_ms, "{}", event.kind());
    let moved = after.moved_at_ms == at_ms;
    let ended: BTreeSet<String> = keys(before).difference(&keys(after)).cloned().collect();
    assert!(moved || ended.is_empty(), "{} ended {ended:?} and the job did not move", event.kind());
    assert_eq!(after.stall.as_ref(), before.stall.as_ref().filter(|_| !moved), "{}", event.kind());
    match (watch(before, &Patience::default()), watch(after, &Patience::default())) {
        (_, Some(watch)) if moved => {
            let patience = Patience::default().with(watch.owner).as_millis() as i64;
            assert_eq!((watch.since_ms, watch.deadline_ms), (at_ms, at_ms + patience), "{}", event.kind());
        }
        (_, None) if moved => {}
        (before, watch) => assert_eq!(before, watch, "{} moved nothing", event.kind()),
    }
    let taken_up = !is_unfinished(before) && is_unfinished(after);
    assert_eq!(after.unfinished_since_ms, if taken_up { at_ms } else { before.unfinished_since_ms });
}

/// Checks the job as it stands after a command.
pub(super) fn stands(job: &Job) {
    let is_finished = view::is_over(job) && plan(job).is_empty() && next(job).is_empty();
    assert_eq!(watch(job, &Patience::default()).is_none(), is_finished, "{job:#?}");
    assert_eq!(is_unfinished(job), !is_finished);
    assert!(job.stall.is_none() || !is_finished, "a finished job is not stalled");
    let owed = owed(job);
    let asked: BTreeSet<String> =
        owed.iter().filter_map(|owed| Some(owed.request.as_ref()?.key.clone())).collect();
    assert_eq!(asked, keys(job), "workers owe what is outstanding");
    assert!(has_outstanding(job) || owed.len() <= 1);
}

/// A command that moves a stalled job tells that it moves again, once, and no other command does.
pub(super) fn resumes(before: &Job, events: &[JobEvent]) {
    let (mut after, at_ms) = (before.clone(), before.moved_at_ms + 1);
    for event in events {
        after = evolve(Some(after), event, at_ms).expect("the job stays");
    }
    let moved = after.moved_at_ms == at_ms;
    let told = events.iter().filter(|event| matches!(event, JobEvent::JobResumed { .. })).count();
    assert_eq!(told, usize::from(before.stall.is_some() && moved), "{events:?}");
}

fn keys(job: &Job) -> BTreeSet<String> {
    plan(job).iter().map(|effect| effect.key().to_owned()).collect()
}

/// A stall changes nothing that is planned, shown or paid, nor what may be asked of the job.
fn is_a_note(before: &Job, after: &Job) {
    let without = |job: &Job| Job { stall: None, ..job.clone() };
    assert_eq!(without(before), without(after));
    let advance = |job: &Job| decide(Some(job), job_domain::Command::Advance).expect("never refused");
    assert_eq!(advance(&without(before)), advance(&without(after)));
}
