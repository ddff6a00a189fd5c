//! The settings that new jobs are made under.

use axum::extract::State;
use protos::job::v1 as pb;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{FAMILY, canonical, failed, missing};
use crate::{
    app::App,
    params::{BodyParams, CommandId, Fields},
    problem::{Problem, ProblemSchema},
    routes::{reply::Reply, text},
};

/// The settings.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pipeline {
    success: bool,
    /// All steps with their members.
    #[schema(value_type = Object)]
    config: Map<String, Value>,
    /// Names of the steps that are on.
    enabled_steps: Vec<String>,
}

/// The settings after a change: the step that was changed, or all of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Configured {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// The step with all its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    updated_config: Option<Value>,
    /// All steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
}

/// A change: `step` and `updates`, or `config`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the body for the OpenAPI document")]
pub(crate) struct Change {
    step: Option<String>,
    /// Members of the step; one that is null takes a change back.
    #[schema(value_type = Option<Object>)]
    updates: Option<Value>,
    /// Steps with their members, merged into what is there.
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
}

/// Shows the settings that new jobs are made under.
#[utoipa::path(
    get, path = "/api/v3/testing/pipeline/config", tag = "Testing", operation_id = "get_pipeline_config",
    responses((status = 200, description = "The settings", body = Pipeline))
)]
pub(crate) async fn show(State(app): State<App>) -> Result<Reply<Pipeline>, Problem> {
    let found = app.backends.pipeline().get_pipeline(pb::GetPipelineRequest {}).await;
    let pb::Pipeline { config_json, enabled_steps } = found.map_err(failed)?.into_inner();
    let config = text::object(Some(&config_json)).unwrap_or_default();
    Ok(Reply::ok(Pipeline { success: true, config, enabled_steps }))
}

/// Changes the settings of jobs to come.
#[utoipa::path(
    post, path = "/api/v3/testing/pipeline/config", tag = "Testing", operation_id = "set_pipeline_config",
    request_body = Change,
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeat-safe key of this write")),
    responses(
        (status = 200, description = "Changed", body = Configured),
        (status = 400, description = "Neither form of a change, or no such step", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 422, description = "Some members are wrong", body = ProblemSchema, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn configure(
    State(app): State<App>,
    CommandId(command_id): CommandId,
    BodyParams(params): BodyParams,
) -> Result<Reply<Configured>, Problem> {
    let mut fields = Fields::of(&params);
    let (step, changes) = if fields.present("step", &[]).is_some() {
        let step = fields.text("step", &[]).unwrap_or_default();
        if fields.present("updates", &[]).is_none() {
            return Err(missing("updates"));
        }
        (Some(step), fields.object("updates").cloned())
    } else if fields.present("config", &[]).is_some() {
        (None, fields.object("config").cloned())
    } else {
        return Err(missing("step with updates, or config,"));
    };
    if step.as_deref() == Some("") {
        fields.reject::<()>("step", "can't be blank");
    }
    fields.finish(FAMILY)?;
    let request = pb::ConfigurePipelineRequest {
        command_id,
        step: step.clone().unwrap_or_default(),
        changes_json: canonical(&changes.unwrap_or_default()),
    };
    let changed = app.backends.pipeline().configure_pipeline(request).await.map_err(failed)?.into_inner();
    let mut config = text::object(Some(&changed.config_json)).unwrap_or_default();
    Ok(Reply::ok(match step {
        Some(step) => {
            let updated_config = config.remove(&step);
            Configured { success: true, step: Some(step), updated_config, config: None }
        }
        None => Configured { success: true, step: None, updated_config: None, config: Some(config) },
    }))
}
