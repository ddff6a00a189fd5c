//! Why a command was refused: what was wrong, where, and what to do.

use crate::JobStatus;

/// One thing wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, such as `video_model` or `scenes[2].prompt`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Violation {
    /// A violation of one field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// What family of answer a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// No such thing: 404.
    NotFound,
    /// Not in this state: 422 by the contract.
    Precondition,
    /// Bad input: 422 with the fields.
    Invalid,
    /// It is there already: 409.
    Exists,
}

/// A refused command. [`Refusal::text`] is the contract's error text, [`Refusal::reason`] says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such job.
    #[error("Job not found")]
    JobNotFound,
    /// The id is taken.
    #[error("Job already exists")]
    JobExists,
    /// The job has no such scene.
    #[error("Scene not found")]
    SceneNotFound {
        /// The id asked for.
        scene: String,
    },
    /// Only a pending job may be approved.
    #[error("Job cannot be approved")]
    NotApprovable {
        /// Where the job is.
        status: JobStatus,
    },
    /// There is nothing to render.
    #[error("Job cannot be approved")]
    NothingToApprove,
    /// The job is over.
    #[error("Job cannot be canceled")]
    NotCancelable {
        /// Where the job is.
        status: JobStatus,
    },
    /// Only a pending job's storyboard may be edited.
    #[error("Storyboard cannot be edited")]
    NotEditable {
        /// Where the job is.
        status: JobStatus,
    },
    /// The scene has no settled take, or the job can buy nothing more.
    #[error("Scene cannot be regenerated")]
    NotRegenerable {
        /// The scene, if it is about one.
        scene: Option<String>,
        /// Why.
        reason: String,
    },
    /// The scene cannot be taken out now.
    #[error("Scene cannot be deleted")]
    NotRemovable {
        /// The scene.
        scene: String,
        /// Why.
        reason: String,
    },
    /// No new soundtrack can be made now.
    #[error("Soundtrack cannot be regenerated")]
    NoSoundtrack {
        /// Why.
        reason: String,
    },
    /// The input is wrong; each field is named.
    #[error("Validation failed")]
    Invalid(Vec<Violation>),
}

impl Refusal {
    /// Bad input in one field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, message)])
    }

    /// What family of answer it is.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::JobNotFound | Self::SceneNotFound { .. } => RefusalKind::NotFound,
            Self::JobExists => RefusalKind::Exists,
            Self::Invalid(_) => RefusalKind::Invalid,
            _ => RefusalKind::Precondition,
        }
    }

    /// Machine-readable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::JobNotFound => "job_not_found",
            Self::JobExists => "job_exists",
            Self::SceneNotFound { .. } => "scene_not_found",
            Self::NotApprovable { .. } | Self::NothingToApprove => "job_not_approvable",
            Self::NotCancelable { .. } => "job_not_cancelable",
            Self::NotEditable { .. } => "storyboard_not_editable",
            Self::NotRegenerable { .. } => "scene_not_regenerable",
            Self::NotRemovable { .. } => "scene_not_removable",
            Self::NoSoundtrack { .. } => "soundtrack_not_regenerable",
            Self::Invalid(_) => "validation_failed",
        }
    }

    /// The contract's error text.
    #[must_use]
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// Why, in one sentence; none where the text says it all.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::NotApprovable { .. } => Some("Job must be in pending state to be approved".to_owned()),
            Self::NothingToApprove => Some("Job has no scenes".to_owned()),
            Self::NotCancelable { status } => Some(format!("Job is already {}", status.as_str())),
            Self::NotEditable { status } => {
                Some(format!("Job is {}; only a pending job's storyboard can be edited", status.as_str()))
            }
            Self::NotRegenerable { reason, .. }
            | Self::NotRemovable { reason, .. }
            | Self::NoSoundtrack { reason } => Some(reason.clone()),
            _ => None,
        }
    }

    /// The fields that are wrong; empty unless the input is bad.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        match self {
            Self::Invalid(violations) => violations,
            _ => &[],
        }
    }

    /// Where the job was, if that is why.
    #[must_use]
    pub fn current_status(&self) -> Option<JobStatus> {
        match self {
            Self::NotApprovable { status }
            | Self::NotCancelable { status }
            | Self::NotEditable { status } => Some(*status),
            Self::NothingToApprove => Some(JobStatus::Pending),
            _ => None,
        }
    }
}
