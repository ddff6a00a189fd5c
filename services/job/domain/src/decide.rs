//! What a command does to a job: the events that it causes, or why it is refused.

mod create;
mod edit;
mod lifecycle;
mod next;
mod regenerate;
mod reports;

pub use next::next;

use crate::evolve::evolve;
use crate::{Command, Job, JobEvent, Refusal};

/// Decides a command on a job; `None` is a job that does not exist yet.
///
/// An empty list is a fine answer: a repeated or late report, or nothing to ask for. A worker's report brings the
/// facts that follow from it along, such as the request for the cut after the last scene. `Approve` and
/// `Regenerate` do not: they are recorded alone, and `Advance` records what is asked for next.
pub fn decide(job: Option<&Job>, command: Command) -> Result<Vec<JobEvent>, Refusal> {
    let job = match (job, command) {
        (None, Command::Create(create)) => return create::create(*create),
        (Some(_), Command::Create(_)) => return Err(Refusal::JobExists),
        (None, _) => return Err(Refusal::JobNotFound),
        (Some(job), command) => (job, command),
    };
    let (job, command) = job;
    match command {
        Command::Create(_) => Err(Refusal::JobExists),
        Command::EditScene { scene, changes } => edit::edit(job, &scene, changes),
        Command::RemoveScene { scene } => Ok(followed(job, edit::remove(job, &scene)?)),
        Command::ReorderScenes { order } => edit::reorder(job, order),
        Command::Approve => lifecycle::approve(job),
        Command::Cancel { reason } => lifecycle::cancel(job, reason),
        Command::Regenerate { scenes } => regenerate::scenes(job, scenes),
        Command::RegenerateSoundtrack => regenerate::soundtrack(job),
        Command::Advance => Ok(followed(job, Vec::new())),
        Command::SceneReported { scene, take, outcome } => {
            Ok(reported(job, reports::scene(job, &scene, take, outcome)))
        }
        Command::SoundtrackReported { take, outcome } => {
            Ok(reported(job, reports::soundtrack(job, take, outcome)))
        }
        Command::CutReported { cut, outcome } => Ok(reported(job, reports::cut(job, cut, outcome))),
        Command::MixReported { cut, outcome } => Ok(reported(job, reports::mix(job, cut, outcome))),
    }
}

/// A report that says nothing new causes nothing.
fn reported(job: &Job, event: Option<JobEvent>) -> Vec<JobEvent> {
    event.map_or_else(Vec::new, |event| followed(job, vec![event]))
}

/// The events, then every fact that follows from them by the rules of [`next`].
fn followed(job: &Job, mut events: Vec<JobEvent>) -> Vec<JobEvent> {
    let fold = |job: Option<Job>, event: &JobEvent| {
        let at_ms = job.as_ref().map_or(0, |job| job.updated_at_ms);
        evolve(job, event, at_ms)
    };
    let mut state = events.iter().fold(Some(job.clone()), &fold);
    while let Some(job) = &state {
        let following = next(job);
        if following.is_empty() {
            break;
        }
        state = following.iter().fold(state, &fold);
        events.extend(following);
    }
    events
}
