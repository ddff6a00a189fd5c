//! Calls that nobody answered, in words for whoever asked: which service it is, and what to do.

use prost::Message as _;
use protos::common::v1::Refusal;
use tonic::{Code, Status};

use crate::served;

/// The status with the service's name in its details; the transport's own words stay its message, for the log. A
/// status that the service gave itself stays as it is.
pub(super) fn told(status: Status, path: &str) -> Status {
    let (reason, what) = match status.code() {
        Code::Unavailable => ("unavailable", "is not reachable"),
        Code::DeadlineExceeded => ("deadline", "took too long"),
        _ => return status,
    };
    let Some(service) = served::service_of(path).filter(|_| status.details().is_empty()) else {
        return status;
    };
    let refusal = Refusal {
        code: reason.to_owned(),
        message: format!("The {service} service {what}; try again in a moment."),
        ..Refusal::default()
    };
    let message = status.message().to_owned();
    Status::with_details_and_metadata(
        status.code(),
        message,
        refusal.encode_to_vec().into(),
        status.metadata().clone(),
    )
}
