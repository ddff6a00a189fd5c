//! Soundtracks by a person's own wish: each waits until no other music of the job is being made.

use super::next::requests;
use crate::imported::STAYS;
use crate::state::{Job, JobStatus};
use crate::{JobEvent, Refusal, SoundtrackWish};

/// Most wishes that wait at one time: each of them is bought.
const MOST_WAITING: usize = 5;

pub(super) fn soundtrack(job: &Job, wish: SoundtrackWish) -> Result<Vec<JobEvent>, Refusal> {
    let refuse = |reason: &str| Err(Refusal::NoSoundtrack { reason: reason.to_owned() });
    let wrong = wish.check();
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong));
    }
    if job.imported.is_some() {
        return refuse(STAYS);
    }
    if job.scenes.is_empty() {
        return refuse("Job has no storyboard - cannot generate audio");
    }
    if job.status == JobStatus::Canceled {
        return refuse("Job is canceled");
    }
    if job.soundtrack.wishes.len() >= MOST_WAITING {
        return refuse("Other soundtracks of this job wait already; ask again when they are made");
    }
    Ok(vec![JobEvent::SoundtrackWished { wish }])
}

/// The request for the oldest wish, when it is its turn; or the cut that takes up a soundtrack that is there.
pub(super) fn next(job: &Job) -> Option<JobEvent> {
    let (soundtrack, is_idle) = (&job.soundtrack, job.making.is_none());
    if let Some(wish) = soundtrack.wishes.first()
        && !soundtrack.is_busy()
        && (is_idle || !wish.merge)
    {
        return Some(requests::wished(job, wish));
    }
    let merge = is_idle && soundtrack.merge_due && job.status == JobStatus::Completed;
    merge.then(|| JobEvent::RegenerationRequested {
        cut: job.cuts + 1,
        scenes: Vec::new(),
        soundtrack: false,
    })
}
