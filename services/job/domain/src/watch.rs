//! Who has to move next, and until when: an unfinished job always has somebody, and a deadline.
//!
//! A job *moves* when something happens that it waited for: a person decides, a request is made, a worker begins or
//! ends something. One that did not move for as long as the patience with its owner lasts is overdue. That is told
//! ([`JobEvent::JobStalled`](crate::JobEvent)), and told again ever more seldom, until it moves. A stall is a note
//! about the job: it changes nothing that is planned, buys nothing, fails nothing.

mod cause;
mod owed;
mod patience;

pub use cause::{Heard, cause};
pub use owed::{Begun, Owed, Request, owed};
pub use patience::Patience;

use crate::state::Job;
use serde::{Deserialize, Serialize};

/// Who has to move next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Whoever approves or cancels the storyboard.
    Person,
    /// The render worker.
    Render,
    /// The stitch worker.
    Stitch,
    /// The audio worker.
    Audio,
    /// The job service itself: something is to be asked for.
    Job,
}

impl Owner {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Person, Self::Render, Self::Stitch, Self::Audio, Self::Job];

    /// The one that the word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The word used outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Render => "render",
            Self::Stitch => "stitch",
            Self::Audio => "audio",
            Self::Job => "job",
        }
    }
}

/// What is waited for of an unfinished job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Who has to move next.
    pub owner: Owner,
    /// What that one owes, such as `take 1 of scene 2`.
    pub what: String,
    /// When the job last moved, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it is overdue, or told to be so once more.
    pub deadline_ms: i64,
}

/// Whether anything more comes of the job: it is not over, or something is outstanding or follows.
#[must_use]
pub fn is_unfinished(job: &Job) -> bool {
    !job.status.is_terminal() || crate::view::is_due(job)
}

/// Who has to move next and until when; none exactly when the job is finished.
///
/// While it is stalled that is whoever was told to keep it waiting, and the deadline is when that is told again.
#[must_use]
pub fn watch(job: &Job, patience: &Patience) -> Option<Watch> {
    let Owed { owner, what, .. } = owed(job).into_iter().next()?;
    let since_ms = job.last_moved_ms();
    Some(match &job.stall {
        None => Watch { owner, what, since_ms, deadline_ms: later(since_ms, patience.with(owner)) },
        Some(stall) => Watch {
            owner: stall.owner,
            what: stall.what.clone(),
            since_ms,
            deadline_ms: later(stall.told_at_ms, patience.until_told_again(stall.owner, stall.times)),
        },
    })
}

fn later(at_ms: i64, by: std::time::Duration) -> i64 {
    at_ms.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}
