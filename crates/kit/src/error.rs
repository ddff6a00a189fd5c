//! Refusals and failures that cross gRPC whole.
//!
//! A service decides on a [`ServiceError`]; on the wire it is a `Status` whose details carry a
//! `filmstrip.common.v1.Refusal`, and on the other side it is a [`ServiceError`] again, so that the
//! gateway can say what was wrong, where, and what to do.

use std::{collections::BTreeMap, fmt};

use prost::Message as _;
use protos::common::v1 as pb;
use tonic::Status;

use crate::served;

/// What kind of refusal or failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request cannot be understood (400).
    Invalid,
    /// The request is understood and its fields are wrong (422).
    Validation,
    /// What the request names does not exist (404).
    NotFound,
    /// The state does not allow it (409, or what the contract says).
    Precondition,
    /// The same key was used for something else (409).
    Conflict,
    /// Too much or too many (413, 429).
    Exhausted,
    /// Try again later: a dependency is away (503).
    Unavailable,
    /// It took too long (504).
    Deadline,
    /// Our fault (500).
    Internal,
}

/// A refusal or a failure with everything a person and a program need.
#[derive(Debug)]
pub struct ServiceError {
    /// What kind it is.
    pub code: Code,
    /// Machine word, such as `job_not_pending`.
    pub reason: String,
    /// What was wrong, where, and what to do.
    pub message: String,
    /// Rejected fields: name and message.
    pub violations: Vec<(String, String)>,
    /// Facts of the refusal, such as `current_status`.
    pub facts: BTreeMap<String, String>,
    /// What caused it, for the log only; never sent.
    pub source: Option<anyhow::Error>,
}

impl ServiceError {
    /// A refusal of the given kind.
    pub fn new(code: Code, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            message: message.into(),
            violations: Vec::new(),
            facts: BTreeMap::new(),
            source: None,
        }
    }

    /// Something that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, "not_found", message)
    }

    /// Rejected fields, in the contract's words.
    pub fn validation<F: Into<String>, M: Into<String>>(
        violations: impl IntoIterator<Item = (F, M)>,
    ) -> Self {
        let mut error = Self::new(Code::Validation, "validation_failed", "Validation failed");
        error.violations = violations.into_iter().map(|(f, m)| (f.into(), m.into())).collect();
        error
    }

    /// Our own failure; the cause goes to the log, not to the caller. When the cause is that the database is away
    /// it is [`ServiceError::unavailable`] instead.
    pub fn internal(source: impl Into<anyhow::Error>) -> Self {
        let source = source.into();
        if eventlog::is_away(source.as_ref()) {
            return Self::database_away().because(source);
        }
        let mut error = Self::new(
            Code::Internal,
            "internal",
            "Something went wrong on our side; the request can be repeated with the same Idempotency-Key.",
        );
        error.source = Some(source);
        error
    }

    fn database_away() -> Self {
        let whose =
            served::service().map_or_else(|| "a service".to_owned(), |name| format!("the {name} service"));
        Self::unavailable(format!(
            "The database of {whose} is away; try again in a moment, a write with the same Idempotency-Key."
        ))
    }

    /// A dependency that is away.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, "unavailable", message)
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.facts.insert(name.into(), value.to_string());
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether repeating the same request may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::Deadline | Code::Exhausted)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (field, message) in &self.violations {
            write!(f, "; {field} {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ServiceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        if error.code == Code::Internal {
            let cause = error.source.as_ref().map(|source| format!("{source:#}")).unwrap_or_default();
            tracing::error!(reason = error.reason, cause, "a request failed on our side");
        }
        let refusal = pb::Refusal {
            code: error.reason,
            message: error.message.clone(),
            violations: error
                .violations
                .into_iter()
                .map(|(field, message)| pb::Violation { field, message })
                .collect(),
            facts: error.facts.into_iter().collect(),
        };
        Status::with_details(to_grpc(error.code), error.message, refusal.encode_to_vec().into())
    }
}

impl From<Status> for ServiceError {
    fn from(status: Status) -> Self {
        let refusal = pb::Refusal::decode(status.details()).unwrap_or_default();
        let code = from_grpc(status.code(), !refusal.violations.is_empty());
        if refusal.code.is_empty() {
            // Not one of ours: the transport's own words are for the log.
            let mut error = match code {
                Code::Unavailable => Self::unavailable("A service is not reachable; try again in a moment."),
                Code::Deadline => {
                    Self::new(code, "deadline", "A service took too long; try again in a moment.")
                }
                _ => Self::internal(anyhow::anyhow!("{status}")),
            };
            error.source = Some(anyhow::anyhow!("{status}"));
            return error;
        }
        // What the transport said is for the log.
        let transport =
            (status.message() != refusal.message).then(|| anyhow::anyhow!("{}", status.message()));
        Self {
            code,
            reason: refusal.code,
            message: refusal.message,
            violations: refusal.violations.into_iter().map(|v| (v.field, v.message)).collect(),
            facts: refusal.facts.into_iter().collect(),
            source: transport,
        }
    }
}

fn to_grpc(code: Code) -> tonic::Code {
    match code {
        Code::Invalid | Code::Validation => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::Precondition => tonic::Code::FailedPrecondition,
        Code::Conflict => tonic::Code::AlreadyExists,
        Code::Exhausted => tonic::Code::ResourceExhausted,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::Deadline => tonic::Code::DeadlineExceeded,
        Code::Internal => tonic::Code::Internal,
    }
}

fn from_grpc(code: tonic::Code, has_violations: bool) -> Code {
    match code {
        tonic::Code::InvalidArgument if has_violations => Code::Validation,
        tonic::Code::InvalidArgument | tonic::Code::OutOfRange => Code::Invalid,
        tonic::Code::NotFound => Code::NotFound,
        tonic::Code::FailedPrecondition => Code::Precondition,
        tonic::Code::AlreadyExists => Code::Conflict,
        tonic::Code::ResourceExhausted => Code::Exhausted,
        tonic::Code::Unavailable | tonic::Code::Aborted => Code::Unavailable,
        tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => Code::Deadline,
        _ => Code::Internal,
    }
}
