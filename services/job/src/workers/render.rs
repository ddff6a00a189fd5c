//! The render worker: a take of a scene, and what became of it.

use job_domain::{Command, Effect, Job, SceneOutcome, command::Failure, input::RenderInput, models};
use kit::grpc::Channel;
use protos::render::v1::{self as pb, render_service_client::RenderServiceClient};

use super::{AskError, ask_error, blob_in, blob_out, canceled, failure, length_in, nonsense};

pub(super) async fn ask(
    mut worker: RenderServiceClient<Channel>,
    job: &Job,
    effect: &Effect,
) -> Result<Option<Command>, AskError> {
    let answer = match effect {
        Effect::RenderScene { scene, take, key, digest, input, .. } => {
            let mut request = request(job, input);
            request.key.clone_from(key);
            request.digest.clone_from(digest);
            request.scene_id.clone_from(scene);
            request.scene_index = index(job, scene);
            request.take = *take;
            worker.request_render(request).await
        }
        Effect::CancelScene { key, .. } => {
            let reason = job.error.clone().unwrap_or_else(|| "the scene was taken out".to_owned());
            worker.cancel_render(pb::CancelRenderRequest { key: key.clone(), reason }).await
        }
        _ => return Ok(None),
    };
    let render = answer.map_err(ask_error)?.into_inner();
    let (Effect::RenderScene { scene, take, .. } | Effect::CancelScene { scene, take, .. }) = effect else {
        return Ok(None);
    };
    Ok(outcome(render)?.map(|outcome| reported(scene, *take, outcome)))
}

/// The report that a take came to this.
#[must_use]
pub fn reported(scene: &str, take: u32, outcome: SceneOutcome) -> Command {
    Command::SceneReported { scene: scene.to_owned(), take, outcome }
}

pub(super) fn failed(scene: &str, take: u32, failure: Failure) -> Command {
    reported(scene, take, SceneOutcome::Failed { failure, cost_micros: 0, provider_id: None })
}

fn request(job: &Job, input: &RenderInput) -> pb::RequestRenderRequest {
    // The registry keeps its keys; should one be gone, the worker refuses the name and says so.
    let slug = models::find(&input.model).map_or(input.model.as_str(), |model| model.slug);
    pb::RequestRenderRequest {
        job_id: job.id,
        campaign_id: job.campaign_id.clone(),
        model: slug.to_owned(),
        prompt: input.prompt.clone(),
        first_frame: Some(blob_out(&input.first_frame.blob)),
        last_frame: Some(blob_out(&input.last_frame.blob)),
        seconds: input.seconds,
        aspect_ratio: input.aspect_ratio.clone().unwrap_or_default(),
        resolution: input.resolution.clone(),
        price_per_second_micros: job.price_micros_per_second,
        ..pb::RequestRenderRequest::default()
    }
}

fn index(job: &Job, scene: &str) -> i32 {
    job.any_scene(scene).and_then(|scene| i32::try_from(scene.spec.index).ok()).unwrap_or_default()
}

/// What the worker's state means; none while it is at it and no attempt is known.
fn outcome(render: pb::Render) -> Result<Option<SceneOutcome>, AskError> {
    let cost_micros = render.cost_micros;
    Ok(match render.state.as_str() {
        "rendered" => Some(SceneOutcome::Rendered {
            clip: blob_in(render.clip.ok_or_else(|| nonsense("render", "the clip"))?),
            poster: None,
            duration_ms: length_in(
                render.duration_ms.ok_or_else(|| nonsense("render", "the clip's length"))?,
            ),
            cost_micros,
            provider_id: render.prediction_id,
        }),
        "failed" => Some(SceneOutcome::Failed {
            failure: failure(render.reason, render.retryable),
            cost_micros,
            provider_id: render.prediction_id,
        }),
        "canceled" => Some(SceneOutcome::Failed {
            failure: canceled(render.reason),
            cost_micros,
            provider_id: render.prediction_id,
        }),
        _ => render
            .prediction_id
            .map(|provider_id| SceneOutcome::Started { attempt: render.attempts.max(1), provider_id }),
    })
}

/// What the worker published of a take, as a report: the scene's id with it.
#[must_use]
pub fn started(event: pb::RenderStarted) -> Command {
    let outcome = SceneOutcome::Started { attempt: event.attempt.max(1), provider_id: event.prediction_id };
    reported(&event.scene_id, event.take, outcome)
}

/// A take that delivered; none when the message names no clip.
#[must_use]
pub fn finished(event: pb::RenderFinished) -> Option<Command> {
    let outcome = SceneOutcome::Rendered {
        clip: blob_in(event.clip?),
        poster: None,
        duration_ms: length_in(event.duration_ms),
        cost_micros: event.cost_micros,
        provider_id: Some(event.prediction_id).filter(|id| !id.is_empty()),
    };
    Some(reported(&event.scene_id, event.take, outcome))
}

/// A take that failed.
#[must_use]
pub fn failed_event(event: pb::RenderFailed) -> Command {
    let failure = failure(Some(event.reason), event.retryable);
    let outcome = SceneOutcome::Failed { failure, cost_micros: event.cost_micros, provider_id: None };
    reported(&event.scene_id, event.take, outcome)
}

/// A take that was canceled.
#[must_use]
pub fn canceled_event(event: pb::RenderCanceled) -> Command {
    let outcome =
        SceneOutcome::Failed { failure: canceled(None), cost_micros: event.cost_micros, provider_id: None };
    reported(&event.scene_id, event.take, outcome)
}
