//! From what a service refused to the answer of the contract.

use kit::{Code, ServiceError};
use tonic::Status;

use super::{Family, Kind, Problem};

/// How the refusals about one kind of thing are spelled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    family: Family,
    missing: Kind,
    missing_text: &'static str,
}

/// Clients.
pub(crate) const CLIENTS: Resource =
    Resource { family: Family::Object, missing: Kind::ClientNotFound, missing_text: "Client not found" };
/// Campaigns.
pub(crate) const CAMPAIGNS: Resource =
    Resource { family: Family::Object, missing: Kind::CampaignNotFound, missing_text: "Campaign not found" };
/// Assets.
pub(crate) const ASSETS: Resource =
    Resource { family: Family::Flat, missing: Kind::AssetNotFound, missing_text: "Asset not found" };
/// Jobs.
pub(crate) const JOBS: Resource =
    Resource { family: Family::Flat, missing: Kind::JobNotFound, missing_text: "Job not found" };
/// Keys of the API.
pub(crate) const KEYS: Resource =
    Resource { family: Family::Flat, missing: Kind::KeyNotFound, missing_text: "Key not found" };

impl Resource {
    /// The error shape of its routes.
    pub(crate) fn family(self) -> Family {
        self.family
    }

    /// The answer for a call that failed.
    pub(crate) fn problem(self, status: Status) -> Problem {
        self.refused(ServiceError::from(status))
    }

    /// The answer for a refusal.
    pub(crate) fn refused(self, error: ServiceError) -> Problem {
        let detail = error.to_string();
        if let Some(source) = &error.source {
            tracing::warn!(code = ?error.code, reason = error.reason, source = format!("{source:#}"), "a call failed");
        }
        let kind = match error.code {
            Code::Validation => return Problem::validation(self.family, error.violations),
            Code::NotFound => {
                return Problem::new(self.family, self.missing, self.missing_text).detail(detail);
            }
            Code::Internal => return Problem::internal(),
            Code::Invalid => Kind::BadRequest,
            Code::Precondition => Kind::NotAllowed,
            Code::Conflict if error.reason == "idempotency_key_reused" => Kind::IdempotencyKeyReused,
            Code::Conflict => Kind::Conflict,
            Code::Exhausted => Kind::TooManyRequests,
            Code::Unavailable if error.reason == "no_room" => Kind::NoRoom,
            Code::Unavailable => Kind::Unavailable,
            Code::Deadline => Kind::Deadline,
        };
        Problem::new(self.family, kind, error.message).detail(detail)
    }
}
