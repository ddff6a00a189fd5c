//! A job that did not move in time: that is told, once for each deadline.

use crate::state::{Job, Stall};
use crate::watch::is_unfinished;
use crate::{JobEvent, command::Overdue};

/// The stall, if the job still stands where it was seen to stand.
pub(super) fn overdue(job: &Job, seen: Overdue) -> Vec<JobEvent> {
    let told = job.stall.as_ref().map_or(0, |stall| stall.times);
    if !is_unfinished(job) || job.last_moved_ms() != seen.since_ms || told + 1 != seen.times {
        return Vec::new();
    }
    let Overdue { owner, what, cause, since_ms, deadline_ms, times } = seen;
    vec![JobEvent::JobStalled { owner, what, cause, since_ms, deadline_ms, times }]
}

/// That a job moves again, or is over, which was stalled as `before` says.
pub(super) fn resumed(before: Option<&Stall>, job: &Job) -> Option<JobEvent> {
    let stall = before.filter(|_| job.stall.is_none())?;
    let Stall { owner, what, since_ms, .. } = stall.clone();
    Some(JobEvent::JobResumed { owner, what, since_ms })
}
