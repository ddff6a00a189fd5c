//! What a person decides about a job: approve it, or cancel it.

use axum::extract::State;
use kit::{Code, ServiceError};
use protos::job::v1 as pb;
use serde::Serialize;
use tonic::Status;
use utoipa::ToSchema;

use super::super::{reply::Reply, text};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields, InPath, Params},
    problem::{JOBS, Kind, Problem, ProblemSchema},
};

/// Characters of the reason for a cancel.
const LONGEST_REASON: usize = 1000;

/// What became of a job.
#[derive(Serialize, ToSchema)]
pub(crate) struct Decided {
    message: &'static str,
    job_id: i32,
    status: &'static str,
}

/// Lets a pending job start; from here on money is spent.
#[utoipa::path(
    post, path = "/api/v3/jobs/{id}/approve", tag = "Jobs", operation_id = "approve_job",
    params(
        ("id" = String, Path, description = "Job id, an integer"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 200, description = "Approved", body = Decided),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The job is not pending", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn approve(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    _body: BodyParams,
) -> Result<Reply<Decided>, Problem> {
    let job = approved(&app, &id, command_id).await?;
    Ok(Reply::ok(Decided { message: "Job approved successfully", job_id: job.id, status: "approved" }))
}

/// Lets the job that a path names start.
pub(crate) async fn approved(app: &App, id: &str, command_id: String) -> Result<pb::Job, Problem> {
    let job_id = text::job_id(id).ok_or_else(|| Problem::job_not_found(id))?;
    let approved = app.backends.job().approve_job(pb::ApproveJobRequest { command_id, job_id }).await;
    let texts = ("Job cannot be approved", "Job must be in pending state to be approved");
    let refuse = |status| refused(status, (id, job_id), Kind::JobNotPending, texts);
    Ok(approved.map_err(refuse)?.into_inner())
}

/// Ends a job that is not over, down to the predictions in flight.
#[utoipa::path(
    post, path = "/api/v3/jobs/{id}/cancel", tag = "Jobs", operation_id = "cancel_job",
    params(
        ("id" = String, Path, description = "Job id, an integer"),
        ("reason" = Option<String>, Query, description = "Kept with the job; may also be in the body"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write"),
    ),
    responses(
        (status = 202, description = "Canceled; predictions in flight are being stopped", body = Decided),
        (status = 404, description = "Job not found", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "The job is over", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    InPath(id): InPath<String>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Decided>, Problem> {
    let job = canceled(&app, &id, command_id, &params).await?;
    let body = Decided { message: "Job canceled", job_id: job.id, status: "canceled" };
    Ok(Reply(http::StatusCode::ACCEPTED, body))
}

/// Ends the job that a path names, for the `reason` among the fields.
pub(crate) async fn canceled(
    app: &App,
    id: &str,
    command_id: String,
    params: &Params,
) -> Result<pb::Job, Problem> {
    let job_id = text::job_id(id).ok_or_else(|| Problem::job_not_found(id))?;
    let mut fields = Fields::of(params);
    let reason = fields.short_text("reason", LONGEST_REASON).unwrap_or_default();
    fields.finish(JOBS.family())?;
    let canceled = app.backends.job().cancel_job(pb::CancelJobRequest { command_id, job_id, reason }).await;
    let texts = ("Job cannot be canceled", "Job must not be over to be canceled");
    let refuse = |status| refused(status, (id, job_id), Kind::JobOver, texts);
    Ok(canceled.map_err(refuse)?.into_inner())
}

/// The contract echoes the path's text when the job is missing, and its number when its state forbids.
pub(super) fn refused(
    status: Status,
    (path, job_id): (&str, i32),
    kind: Kind,
    (text, reason): (&str, &str),
) -> Problem {
    let error = ServiceError::from(status);
    match error.code {
        Code::Precondition => {
            let reason = error.facts.get("reason").map_or(reason, String::as_str);
            Problem::flat(kind, text)
                .with("job_id", job_id)
                .with("current_status", error.facts.get("current_status").cloned())
                .with("reason", reason)
                .detail(format!("{text}: {reason}."))
        }
        Code::NotFound => JOBS.refused(error).with("job_id", path),
        _ => JOBS.refused(error),
    }
}
