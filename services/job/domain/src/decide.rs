//! What a command does to a job: the events that it causes, or why it is refused.

mod create;
mod edit;
mod import;
mod lifecycle;
mod next;
mod overdue;
mod overrides;
mod regenerate;
mod reports;
mod wish;

pub use next::{has_next, next};

use crate::evolve::fold;
use crate::state::Stall;
use crate::{Command, Job, JobEvent, Refusal};

/// Decides a command on a job; `None` is a job that does not exist yet.
///
/// An empty list is a fine answer: a repeated or late report, or nothing to ask for. A worker's report brings the
/// facts that follow from it along, such as the request for the cut after the last scene. `Approve` and
/// `Regenerate` do not: they are recorded alone, and `Advance` records what is asked for next.
pub fn decide(job: Option<&Job>, command: Command) -> Result<Vec<JobEvent>, Refusal> {
    let job = match (job, command) {
        (None, Command::Create(create)) => return create::create(*create),
        (None, Command::Import(came)) => return import::first(*came),
        (Some(_), Command::Create(_)) => return Err(Refusal::JobExists),
        (None, _) => return Err(Refusal::JobNotFound),
        (Some(job), command) => (job, command),
    };
    let (job, command) = job;
    let caused = caused(job, command)?;
    let follows = caused.leads_on && (!caused.events.is_empty() || has_next(job));
    let may_resume = job.stall.is_some() && !caused.events.is_empty();
    if follows || may_resume {
        let mut after = job.clone();
        return Ok(take_up(&mut after, caused, job.updated_at_ms));
    }
    Ok(caused.events)
}

/// Decides a command on a job and folds what it causes into it, recorded at `at_ms`: the same events as
/// [`decide`] gives. For many commands in a row, each on what the one before it led to.
pub fn carry_out(job: &mut Job, command: Command, at_ms: i64) -> Result<Vec<JobEvent>, Refusal> {
    let caused = caused(job, command)?;
    Ok(take_up(job, caused, at_ms))
}

/// Folds what a command causes into the job; that, with what follows from it.
fn take_up(job: &mut Job, Caused { mut events, leads_on }: Caused, at_ms: i64) -> Vec<JobEvent> {
    let stall = job.stall.clone();
    events.iter().for_each(|event| fold(job, event, at_ms));
    resume(stall.as_ref(), job, &mut events, at_ms);
    if leads_on {
        follow(job, &mut events, at_ms);
    }
    events
}

/// Adds that a stalled job moves again, when what was just folded moved it.
fn resume(before: Option<&Stall>, job: &mut Job, events: &mut Vec<JobEvent>, at_ms: i64) {
    if let Some(event) = overdue::resumed(before, job) {
        fold(job, &event, at_ms);
        events.push(event);
    }
}

/// What a command causes by itself.
struct Caused {
    events: Vec<JobEvent>,
    /// Whether the facts that follow by the rules of [`next`] are recorded with it.
    leads_on: bool,
}

fn caused(job: &Job, command: Command) -> Result<Caused, Refusal> {
    let reported = |event: Option<JobEvent>| {
        // A report that says nothing new causes nothing.
        let leads_on = event.is_some();
        Ok(Caused { events: event.into_iter().collect(), leads_on })
    };
    let alone = |events: Vec<JobEvent>| Caused { events, leads_on: false };
    match command {
        Command::Create(_) => Err(Refusal::JobExists),
        Command::Import(came) => import::again(job, *came).map(alone),
        Command::EditScene { scene, changes } => edit::edit(job, &scene, changes).map(alone),
        Command::EditSceneAt { index, changes } => edit::edit_at(job, index, changes).map(alone),
        Command::OverrideScene { scene, shown } => overrides::scene(job, &scene, shown).map(alone),
        Command::RemoveScene { scene } => Ok(Caused { events: edit::remove(job, &scene)?, leads_on: true }),
        Command::ReorderScenes { order } => edit::reorder(job, order).map(alone),
        Command::Approve => lifecycle::approve(job).map(alone),
        Command::Cancel { reason } => lifecycle::cancel(job, reason).map(alone),
        Command::Regenerate { scenes } => regenerate::scenes(job, scenes).map(alone),
        Command::RegenerateSoundtrack => regenerate::soundtrack(job).map(alone),
        Command::WishSoundtrack { wish } => wish::soundtrack(job, wish).map(alone),
        Command::Advance => Ok(Caused { events: Vec::new(), leads_on: true }),
        Command::Overdue(seen) => Ok(alone(overdue::overdue(job, *seen))),
        Command::SceneReported { scene, take, outcome } => {
            reported(reports::scene(job, &scene, take, outcome))
        }
        Command::SoundtrackReported { take, outcome } => reported(reports::soundtrack(job, take, outcome)),
        Command::CutReported { cut, outcome } => reported(reports::cut(job, cut, outcome)),
        Command::MixReported { cut, outcome } => reported(reports::mix(job, cut, outcome)),
    }
}

/// Adds every fact that follows by the rules of [`next`].
fn follow(job: &mut Job, events: &mut Vec<JobEvent>, at_ms: i64) {
    loop {
        let following = next(job);
        if following.is_empty() {
            return;
        }
        let stall = job.stall.clone();
        following.iter().for_each(|event| fold(job, event, at_ms));
        events.extend(following);
        resume(stall.as_ref(), job, events, at_ms);
    }
}
