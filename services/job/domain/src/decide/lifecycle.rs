//! The gate and the way out.

use crate::state::{Job, JobStatus};
use crate::{JobEvent, Refusal};

pub(super) fn approve(job: &Job) -> Result<Vec<JobEvent>, Refusal> {
    if job.status != JobStatus::Pending {
        return Err(Refusal::NotApprovable { status: job.status });
    }
    if job.scenes.is_empty() {
        return Err(Refusal::NothingToApprove);
    }
    let (estimate_micros, planned_seconds) = (job.estimate_micros, job.planned_seconds());
    Ok(vec![JobEvent::JobApproved { estimate_micros, planned_seconds }])
}

pub(super) fn cancel(job: &Job, reason: Option<String>) -> Result<Vec<JobEvent>, Refusal> {
    if job.status.is_terminal() {
        return Err(Refusal::NotCancelable { status: job.status });
    }
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    Ok(vec![JobEvent::JobCanceled { reason }])
}
