//! The fold of what happens to the soundtrack.

use crate::event::JobEvent;
use crate::state::{Job, JobStatus, SoundtrackState, SoundtrackTake};

pub(super) fn apply(job: &mut Job, event: &JobEvent, at_ms: i64) {
    match event {
        JobEvent::SoundtrackWished { wish } => job.soundtrack.wishes.push(wish.clone()),
        JobEvent::SoundtrackRequested { take, key, digest, input, wish } => {
            if job.status == JobStatus::Approved {
                job.status = JobStatus::Processing;
            }
            match wish {
                None => job.soundtrack.wanted = false,
                Some(_) if job.soundtrack.wishes.is_empty() => {}
                Some(_) => drop(job.soundtrack.wishes.remove(0)),
            }
            job.soundtrack.takes.push(SoundtrackTake {
                number: *take,
                key: key.clone(),
                digest: digest.clone(),
                input: input.clone(),
                wish: wish.clone(),
                state: SoundtrackState::Requested,
                cost_micros: 0,
                requested_at_ms: at_ms,
                settled_at_ms: None,
            });
            if wish.is_none()
                && let Some(making) = &mut job.making
            {
                making.soundtrack_take = Some(*take);
            }
        }
        JobEvent::SoundtrackReady { take, audio, duration_ms, cost_micros, shortfall } => {
            let (audio, shortfall) = (audio.clone(), shortfall.clone());
            let state = SoundtrackState::Ready { audio, duration_ms: *duration_ms, shortfall };
            settle(job, *take, state, *cost_micros, at_ms);
            let wish = job.soundtrack.take(*take).and_then(|take| take.wish.as_ref());
            job.soundtrack.merge_due |= wish.is_some_and(|wish| wish.merge);
        }
        JobEvent::SoundtrackFailed { take, code, reason, retryable, cost_micros } => {
            let (code, reason) = (code.clone(), reason.clone());
            let state = SoundtrackState::Failed { code, reason, retryable: *retryable };
            settle(job, *take, state, *cost_micros, at_ms);
        }
        JobEvent::SoundtrackCharged { take, cost_micros } => {
            if let Some(take) = find(job, *take) {
                take.cost_micros = *cost_micros;
            }
        }
        _ => {}
    }
}

fn find(job: &mut Job, number: u32) -> Option<&mut SoundtrackTake> {
    job.soundtrack.takes.iter_mut().find(|take| take.number == number)
}

fn settle(job: &mut Job, number: u32, state: SoundtrackState, cost_micros: i64, at_ms: i64) {
    if let Some(take) = find(job, number) {
        take.state = state;
        take.cost_micros = cost_micros;
        take.settled_at_ms = Some(at_ms);
    }
}
