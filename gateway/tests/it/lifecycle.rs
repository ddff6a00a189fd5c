//! Approving and canceling jobs.

use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde_json::json;

use crate::world::{World, a_job};

#[tokio::test]
async fn a_pending_job_is_approved() {
    let world = World::start().await;
    world.job.on("approve_job", a_job(None));
    let body = world.post("/api/v3/jobs/43/approve", json!({})).await.ok(200);
    assert_eq!(body, json!({"message": "Job approved successfully", "job_id": 43, "status": "approved"}));
    assert_eq!(world.job.asked_once::<pb::ApproveJobRequest>("approve_job").job_id, 43);
}

#[tokio::test]
async fn only_a_pending_job_is_approved() {
    let world = World::start().await;
    world.job.refuse("approve_job", || {
        ServiceError::new(Code::Precondition, "job_not_approvable", "Job cannot be approved")
            .fact("current_status", "processing")
            .fact("reason", "Job must be in pending state to be approved")
    });
    let body = world.post("/api/v3/jobs/43/approve", json!({})).await.problem(422, "job_not_pending");
    assert_eq!(body["error"], "Job cannot be approved");
    assert_eq!(body["job_id"], 43);
    assert_eq!(body["current_status"], "processing");
    assert_eq!(body["reason"], "Job must be in pending state to be approved");
}

#[tokio::test]
async fn a_job_is_canceled_with_a_reason() {
    let world = World::start().await;
    world.job.on("cancel_job", pb::Job { status: "canceled".into(), ..a_job(None) });
    let body = world.post("/api/v3/jobs/43/cancel", json!({"reason": "wrong photos"})).await.ok(202);
    assert_eq!(body, json!({"message": "Job canceled", "job_id": 43, "status": "canceled"}));
    assert_eq!(world.job.asked_once::<pb::CancelJobRequest>("cancel_job").reason, "wrong photos");
}

#[tokio::test]
async fn a_job_that_is_over_is_not_canceled() {
    let world = World::start().await;
    world.job.refuse("cancel_job", || {
        ServiceError::new(Code::Precondition, "job_not_cancelable", "Job cannot be canceled")
            .fact("current_status", "completed")
            .fact("reason", "Job is already completed")
    });
    let body = world.post("/api/v3/jobs/43/cancel", json!({})).await.problem(422, "job_over");
    assert_eq!((&body["job_id"], &body["current_status"]), (&json!(43), &json!("completed")));
    assert_eq!(
        (&body["error"], &body["reason"]),
        (&json!("Job cannot be canceled"), &json!("Job is already completed"))
    );
}

#[tokio::test]
async fn deciding_about_a_job_that_does_not_exist_is_not_found() {
    let world = World::start().await;
    for (action, call) in [("approve", "approve_job"), ("cancel", "cancel_job")] {
        world.job.refuse(call, || ServiceError::new(Code::NotFound, "job_not_found", "Job not found"));
        for id in ["99999", "x"] {
            let path = format!("/api/v3/jobs/{id}/{action}");
            let body = world.post(&path, json!({})).await.problem(404, "job_not_found");
            assert_eq!((&body["error"], &body["job_id"]), (&json!("Job not found"), &json!(id)));
        }
    }
}
