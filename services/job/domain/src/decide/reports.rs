//! What the workers tell. A report that is late, early or repeated causes nothing; what it cost is still recorded.

use crate::state::{Job, JobStatus, Product, SoundtrackState, Stage, Take};
use crate::{CutOutcome, JobEvent, SceneOutcome, SceneSpec, SoundtrackOutcome};

pub(super) fn scene(job: &Job, id: &str, number: u32, outcome: SceneOutcome) -> Option<JobEvent> {
    let scene = job.any_scene(id)?;
    let take = scene.take(number)?;
    let wanted = job.status != JobStatus::Canceled && job.scene(id).is_some();
    let reason = if job.status == JobStatus::Canceled { "canceled" } else { "scene removed" };
    let of = Of { scene: &scene.spec, take };
    match outcome {
        SceneOutcome::Started { attempt, provider_id } => {
            let news = wanted && take.is_outstanding() && attempt > take.attempt;
            news.then(|| of.started(attempt, provider_id))
        }
        SceneOutcome::Rendered { cost_micros, .. } | SceneOutcome::Failed { cost_micros, .. }
            if !(wanted && take.is_outstanding()) =>
        {
            of.too_late(reason, cost_micros)
        }
        outcome => of.delivered(outcome),
    }
}

/// The take that a report is about.
struct Of<'a> {
    scene: &'a SceneSpec,
    take: &'a Take,
}

impl Of<'_> {
    fn started(&self, attempt: u32, provider_id: String) -> JobEvent {
        let (scene, number) = (self.scene.id.clone(), self.scene.number);
        JobEvent::SceneAttemptStarted { scene, number, take: self.take.number, attempt, provider_id }
    }

    /// The take is over, or nobody waits for it: only its cost matters.
    fn too_late(&self, reason: &str, cost_micros: i64) -> Option<JobEvent> {
        let (scene, number, take) = (self.scene.id.clone(), self.scene.number, self.take.number);
        if self.take.is_outstanding() {
            let reason = reason.to_owned();
            return Some(JobEvent::SceneTakeClosed { scene, number, take, reason, cost_micros });
        }
        (cost_micros > self.take.cost_micros).then_some(JobEvent::SceneTakeCharged {
            scene,
            number,
            take,
            cost_micros,
        })
    }

    fn delivered(&self, outcome: SceneOutcome) -> Option<JobEvent> {
        let (scene, number, index) = (self.scene.id.clone(), self.scene.number, self.scene.index);
        let take = self.take.number;
        match outcome {
            SceneOutcome::Rendered { clip, poster, duration_ms, cost_micros, provider_id } => {
                Some(JobEvent::SceneRendered {
                    scene,
                    number,
                    index,
                    take,
                    clip,
                    poster,
                    duration_ms,
                    cost_micros,
                    provider_id,
                })
            }
            SceneOutcome::Failed { failure, cost_micros, provider_id } => Some(JobEvent::SceneFailed {
                scene,
                number,
                index,
                take,
                code: failure.code,
                reason: failure.reason,
                retryable: failure.retryable,
                cost_micros,
                provider_id,
            }),
            SceneOutcome::Started { .. } => None,
        }
    }
}

pub(super) fn soundtrack(job: &Job, number: u32, outcome: SoundtrackOutcome) -> Option<JobEvent> {
    let take = job.soundtrack.takes.iter().find(|take| take.number == number)?;
    let take_number = take.number;
    let cost = match &outcome {
        SoundtrackOutcome::Ready { cost_micros, .. } | SoundtrackOutcome::Failed { cost_micros, .. } => {
            *cost_micros
        }
    };
    if take.state != SoundtrackState::Requested {
        return (cost > take.cost_micros)
            .then_some(JobEvent::SoundtrackCharged { take: take_number, cost_micros: cost });
    }
    Some(match outcome {
        SoundtrackOutcome::Ready { audio, duration_ms, cost_micros, shortfall } => {
            JobEvent::SoundtrackReady { take: take_number, audio, duration_ms, cost_micros, shortfall }
        }
        SoundtrackOutcome::Failed { failure, cost_micros } => JobEvent::SoundtrackFailed {
            take: take_number,
            code: failure.code,
            reason: failure.reason,
            retryable: failure.retryable,
            cost_micros,
        },
    })
}

/// A video that nobody waits for is over at the worker, however it ended.
fn closed(job: &Job, product: Product, number: u32) -> Option<JobEvent> {
    let unwanted = job.unwanted.iter().find(|known| known.product == product && known.cut == number)?;
    let (cut, key) = (unwanted.cut, unwanted.key.clone());
    Some(JobEvent::ProductClosed { cut, key, reason: "canceled".to_owned() })
}

pub(super) fn cut(job: &Job, number: u32, outcome: CutOutcome) -> Option<JobEvent> {
    if let Some(closed) = closed(job, Product::Cut, number) {
        return Some(closed);
    }
    let making = job.making.as_ref().filter(|making| making.cut == number)?;
    if !matches!(making.stage, Stage::Cutting { .. }) {
        return None;
    }
    Some(match outcome {
        CutOutcome::Ready { video, poster, duration_ms } => {
            JobEvent::CutReady { cut: number, video, poster, duration_ms }
        }
        CutOutcome::Failed(failure) => JobEvent::CutFailed {
            cut: number,
            code: failure.code,
            reason: failure.reason,
            retryable: failure.retryable,
        },
    })
}

pub(super) fn mix(job: &Job, number: u32, outcome: CutOutcome) -> Option<JobEvent> {
    if let Some(closed) = closed(job, Product::Mix, number) {
        return Some(closed);
    }
    let making = job.making.as_ref().filter(|making| making.cut == number)?;
    if !matches!(making.stage, Stage::Mixing { .. }) {
        return None;
    }
    Some(match outcome {
        CutOutcome::Ready { video, poster, duration_ms } => {
            JobEvent::MixReady { cut: number, video, poster, duration_ms }
        }
        CutOutcome::Failed(failure) => JobEvent::MixFailed {
            cut: number,
            code: failure.code,
            reason: failure.reason,
            retryable: failure.retryable,
        },
    })
}
