//! Refusals cross gRPC whole.

use kit::{Code, ServiceError};
use tonic::Status;

fn across(error: ServiceError) -> ServiceError {
    ServiceError::from(Status::from(error))
}

#[test]
fn a_refusal_keeps_code_text_fields_and_facts() {
    let sent = ServiceError::validation([("name", "can't be blank")]).fact("current_status", "processing");
    let received = across(sent);
    assert_eq!((received.code, received.reason.as_str()), (Code::Validation, "validation_failed"));
    assert_eq!(received.message, "Validation failed");
    assert_eq!(received.violations, [("name".to_owned(), "can't be blank".to_owned())]);
    assert_eq!(received.facts["current_status"], "processing");
}

#[test]
fn every_code_survives_the_wire() {
    for code in [
        Code::Invalid,
        Code::NotFound,
        Code::Precondition,
        Code::Conflict,
        Code::Exhausted,
        Code::Unavailable,
        Code::Deadline,
        Code::Internal,
    ] {
        assert_eq!(across(ServiceError::new(code, "why", "text")).code, code);
    }
}

#[test]
fn a_cause_is_for_the_log_and_never_sent() {
    let status = Status::from(ServiceError::internal(anyhow::anyhow!("password=hush")));
    assert!(!format!("{status:?}").contains("hush"));
}

#[test]
fn a_broken_transport_is_worth_another_try() {
    let error = ServiceError::from(Status::unavailable("tcp connect error"));
    assert!(error.is_retryable());
    assert!(!error.message.contains("tcp"), "{}", error.message);
}
