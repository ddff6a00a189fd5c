//! Messages to our own types and back.

use kit::ServiceError;
use protos::common::v1::BlobRef;
use protos::stitch::v1 as pb;
use protos::stitch::v1::stitch_service_server::StitchService;
use tonic::{Request as Call, Response, Status};

use crate::error::StitchError;
use crate::frames::Frames;
use crate::product::{Input, Product, Request, State};
use crate::requests::Requests;

/// The service's RPCs.
#[derive(Debug)]
pub(crate) struct Grpc {
    pub(crate) requests: Requests,
    pub(crate) frames: Frames,
}

#[async_trait::async_trait]
impl StitchService for Grpc {
    async fn request_cut(&self, call: Call<pb::RequestCutRequest>) -> Result<Response<pb::Product>, Status> {
        let pb::RequestCutRequest { key, digest, job_id, clips } = call.into_inner();
        let request = Request { key, digest, job_id, input: Input::Clips(clips) };
        reply(self.requests.request(request).await)
    }

    async fn request_mix(&self, call: Call<pb::RequestMixRequest>) -> Result<Response<pb::Product>, Status> {
        let pb::RequestMixRequest { key, digest, job_id, cut, soundtrack } = call.into_inner();
        // A missing reference is refused like an empty one.
        let input = Input::CutAndSoundtrack { cut: or_empty(cut), soundtrack: or_empty(soundtrack) };
        reply(self.requests.request(Request { key, digest, job_id, input }).await)
    }

    async fn get_product(&self, call: Call<pb::GetProductRequest>) -> Result<Response<pb::Product>, Status> {
        reply(self.requests.get(&call.into_inner().key).await)
    }

    async fn cancel_product(
        &self,
        call: Call<pb::CancelProductRequest>,
    ) -> Result<Response<pb::Product>, Status> {
        let pb::CancelProductRequest { key, reason } = call.into_inner();
        reply(self.requests.cancel(&key, &reason).await)
    }

    async fn get_frame(
        &self,
        call: Call<pb::GetFrameRequest>,
    ) -> Result<Response<pb::GetFrameReply>, Status> {
        let pb::GetFrameRequest { video, width, height } = call.into_inner();
        let image = self.frames.frame(&or_empty(video), (width, height)).await.map_err(ServiceError::from)?;
        Ok(Response::new(pb::GetFrameReply { image: Some(image) }))
    }
}

fn or_empty(blob: Option<BlobRef>) -> BlobRef {
    blob.unwrap_or_default()
}

fn reply(product: Result<Product, StitchError>) -> Result<Response<pb::Product>, Status> {
    let product = product.map_err(ServiceError::from)?;
    let mut message = pb::Product {
        key: product.key,
        job_id: product.job_id,
        kind: product.kind.as_str().to_owned(),
        ..pb::Product::default()
    };
    let state = match product.state {
        State::Waiting { working: false } => "waiting",
        State::Waiting { working: true } => "working",
        State::Ready(made) => {
            message.video = Some(made.video);
            message.duration_ms = Some(made.duration_ms);
            message.poster = Some(made.poster);
            "ready"
        }
        State::Failed { reason } => {
            message.reason = Some(reason);
            "failed"
        }
        State::Canceled { reason } => {
            message.reason = Some(reason);
            "canceled"
        }
    };
    message.state = state.to_owned();
    Ok(Response::new(message))
}
