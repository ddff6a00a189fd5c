//! Translation between the messages of `render.v1` and our own types.

use eventlog::{Log, Meta};
use kit::ServiceError;
use predictions::{Engine, OrderView, Outcome, state::Stage};
use protos::render::v1 as pb;
use protos::render::v1::render_service_server::RenderService;
use serde::Deserialize as _;
use telemetry::Subject;
use tonic::{Request, Response, Status};

use crate::{
    error::RenderError,
    events::Found,
    request::{Take, Wish},
    store,
};

/// The RPCs.
pub(crate) struct Grpc {
    pub(crate) log: Log,
    pub(crate) engine: Engine,
}

fn refuse(error: impl Into<RenderError>) -> Status {
    ServiceError::from(error.into()).into()
}

impl Grpc {
    async fn request(&self, wish: Wish) -> Result<OrderView, RenderError> {
        let order = wish.order()?;
        if let Some(key) = store::key_of(&self.log, &wish.take).await?
            && key != wish.key
        {
            let Take { job_id, scene_id, take, .. } = wish.take;
            return Err(RenderError::OtherKey { job_id, scene_id, take, key });
        }
        let meta = meta(format!("job-{}", wish.take.job_id));
        Ok(self.engine.place(order, meta).await?)
    }

    async fn get(&self, key: &str) -> Result<OrderView, RenderError> {
        self.engine.get(key).await?.ok_or_else(|| RenderError::Unknown(key.to_owned()))
    }
}

fn meta(correlation_id: String) -> Meta {
    Meta { correlation_id, traceparent: telemetry::trace::traceparent(), ..Meta::default() }
}

/// What a key that was never asked for belongs to: `job-43/scene-2/take-1` to `job-43`.
fn story(key: &str) -> String {
    key.split('/').next().unwrap_or(key).to_owned()
}

#[tonic::async_trait]
impl RenderService for Grpc {
    async fn request_render(
        &self,
        request: Request<pb::RequestRenderRequest>,
    ) -> Result<Response<pb::Render>, Status> {
        let wish = from_message(request.into_inner());
        let (key, take) = (wish.key.clone(), wish.take.clone());
        let view = Subject::of_key(&key).around(self.request(wish)).await.map_err(refuse)?;
        let mut render = to_message(&key, view);
        if render.job_id == 0 {
            // A tombstone does not know whose it is; the asker does.
            name_take(&mut render, take);
        }
        Ok(Response::new(render))
    }

    async fn get_render(
        &self,
        request: Request<pb::GetRenderRequest>,
    ) -> Result<Response<pb::Render>, Status> {
        let key = request.into_inner().key;
        let view = Subject::of_key(&key).around(self.get(&key)).await.map_err(refuse)?;
        Ok(Response::new(to_message(&key, view)))
    }

    async fn cancel_render(
        &self,
        request: Request<pb::CancelRenderRequest>,
    ) -> Result<Response<pb::Render>, Status> {
        let pb::CancelRenderRequest { key, reason } = request.into_inner();
        if key.trim().is_empty() {
            return Err(refuse(RenderError::Invalid(vec![("key", "can't be blank".to_owned())])));
        }
        let canceling = self.engine.cancel(&key, &reason, meta(story(&key)));
        let view = Subject::of_key(&key).around(canceling).await.map_err(refuse)?;
        Ok(Response::new(to_message(&key, view)))
    }

    async fn receive_webhook(
        &self,
        request: Request<pb::ReceiveWebhookRequest>,
    ) -> Result<Response<pb::ReceiveWebhookReply>, Status> {
        let pb::ReceiveWebhookRequest { attempt_id, headers, body } = request.into_inner();
        let accepted = self.engine.webhook(&attempt_id, &headers, &body).await.map_err(refuse)?;
        Ok(Response::new(pb::ReceiveWebhookReply { accepted }))
    }
}

fn from_message(message: pb::RequestRenderRequest) -> Wish {
    Wish {
        key: message.key,
        digest: message.digest,
        campaign_id: message.campaign_id,
        take: Take {
            job_id: message.job_id,
            scene_id: message.scene_id,
            scene_index: message.scene_index,
            take: message.take,
            seconds: message.seconds,
        },
        model: message.model,
        prompt: message.prompt,
        first_frame: message.first_frame,
        last_frame: message.last_frame,
        seconds: message.seconds,
        aspect_ratio: Some(message.aspect_ratio).filter(|ratio| !ratio.is_empty()),
        resolution: message.resolution,
        price_per_second_micros: message.price_per_second_micros,
    }
}

fn to_message(key: &str, view: OrderView) -> pb::Render {
    let mut render = pb::Render {
        key: key.to_owned(),
        state: word(&view).to_owned(),
        prediction_id: view.prediction_id,
        attempts: view.attempts,
        cost_micros: view.cost_micros,
        ..pb::Render::default()
    };
    if let Some(take) = view.order.and_then(|order| Take::deserialize(order.context).ok()) {
        name_take(&mut render, take);
    }
    match view.outcome {
        None => {}
        Some(Outcome::Delivered { blob, found, .. }) => {
            render.clip = Some(blob);
            render.duration_ms = Found::deserialize(found).ok().map(|found| found.duration_ms);
        }
        Some(Outcome::Failed(failure)) => {
            render.retryable = failure.retryable();
            render.reason = Some(failure.reason);
        }
        Some(Outcome::Canceled { reason }) => render.reason = Some(reason),
    }
    render
}

fn name_take(render: &mut pb::Render, take: Take) {
    render.job_id = take.job_id;
    render.scene_id = take.scene_id;
    render.scene_index = take.scene_index;
    render.take = take.take;
}

fn word(view: &OrderView) -> &'static str {
    match (&view.outcome, view.stage) {
        (Some(Outcome::Delivered { .. }), _) => "rendered",
        (Some(Outcome::Failed(_)), _) => "failed",
        (Some(Outcome::Canceled { .. }), _) => "canceled",
        (None, Stage::Starting) => "starting",
        (None, Stage::Running) => "rendering",
        (None, Stage::Storing) => "storing",
        (None, Stage::Waiting | Stage::Settled) => "waiting",
    }
}
