//! The keys under which work is asked for: made from what is wanted, so that asking twice is asking once.

use crate::JobId;
use std::fmt;
use std::str::FromStr;

/// The key of one request to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// `job-43/scene-2/take-1`
    Take {
        /// The job.
        job: JobId,
        /// The scene's number.
        scene: u32,
        /// The take's number.
        take: u32,
    },
    /// `job-43/soundtrack-1`
    Soundtrack {
        /// The job.
        job: JobId,
        /// The soundtrack take's number.
        take: u32,
    },
    /// `job-43/cut-1`
    Cut {
        /// The job.
        job: JobId,
        /// The cut's number.
        cut: u32,
    },
    /// `job-43/cut-1/mix`
    Mix {
        /// The job.
        job: JobId,
        /// The cut's number.
        cut: u32,
    },
}

impl Key {
    /// The job that the key belongs to.
    #[must_use]
    pub fn job(self) -> JobId {
        match self {
            Self::Take { job, .. }
            | Self::Soundtrack { job, .. }
            | Self::Cut { job, .. }
            | Self::Mix { job, .. } => job,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Take { job, scene, take } => write!(f, "job-{job}/scene-{scene}/take-{take}"),
            Self::Soundtrack { job, take } => write!(f, "job-{job}/soundtrack-{take}"),
            Self::Cut { job, cut } => write!(f, "job-{job}/cut-{cut}"),
            Self::Mix { job, cut } => write!(f, "job-{job}/cut-{cut}/mix"),
        }
    }
}

/// The text is not a key of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the key of a request")]
pub struct NotAKey(pub String);

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).filter(|key| key.to_string() == text).ok_or_else(|| NotAKey(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Key> {
    let mut parts = text.split('/');
    let job: JobId = parts.next()?.strip_prefix("job-")?.parse().ok()?;
    let second = parts.next()?;
    let third = parts.next();
    if parts.next().is_some() {
        return None;
    }
    let number = |part: &str, prefix: &str| part.strip_prefix(prefix)?.parse::<u32>().ok();
    match third {
        None => number(second, "soundtrack-")
            .map(|take| Key::Soundtrack { job, take })
            .or_else(|| number(second, "cut-").map(|cut| Key::Cut { job, cut })),
        Some("mix") => Some(Key::Mix { job, cut: number(second, "cut-")? }),
        Some(third) => {
            Some(Key::Take { job, scene: number(second, "scene-")?, take: number(third, "take-")? })
        }
    }
}

/// The name of a job's stream in the log: `job-43`.
#[must_use]
pub fn stream(job: JobId) -> String {
    format!("job-{job}")
}
