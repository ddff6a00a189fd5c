//! What the domain refuses, as callers of the service see it.

use eventlog::LogError;
use job_domain::{Refusal, RefusalKind};
use kit::{Code, ServiceError};

/// A refusal of the domain with its code, its contract text, its fields and its facts (`reason`,
/// `current_status`, `scene_id`).
#[must_use]
pub fn refused(refusal: &Refusal) -> ServiceError {
    let code = match refusal.kind() {
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::Precondition => Code::Precondition,
        RefusalKind::Invalid => Code::Validation,
        RefusalKind::Exists => Code::Conflict,
    };
    let mut error = ServiceError::new(code, refusal.code(), refusal.text());
    error.violations =
        refusal.violations().iter().map(|wrong| (wrong.field.clone(), wrong.message.clone())).collect();
    if let Some(reason) = refusal.reason() {
        error = error.fact("reason", reason);
    }
    if let Some(status) = refusal.current_status() {
        error = error.fact("current_status", status.as_str());
    }
    match refusal {
        Refusal::SceneNotFound { scene }
        | Refusal::NotRegenerable { scene: Some(scene), .. }
        | Refusal::NotRemovable { scene, .. } => error.fact("scene_id", scene),
        _ => error,
    }
}

/// The database failed: our fault.
#[must_use]
pub fn database(error: LogError) -> ServiceError {
    ServiceError::internal(error)
}
