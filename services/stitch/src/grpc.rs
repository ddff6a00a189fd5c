//! Messages to our own types and back.

use kit::ServiceError;
use protos::common::v1::BlobRef;
use protos::stitch::v1 as pb;
use protos::stitch::v1::{overlay_service_server::OverlayService, stitch_service_server::StitchService};
use tonic::{Request as Call, Response, Status};

use crate::error::StitchError;
use crate::frames::Frames;
use crate::overlay::Overlay;
use crate::product::{Input, Product, Request, Shape, State, SyncMode};
use crate::requests::Requests;

/// The service's RPCs.
#[derive(Debug)]
pub(crate) struct Grpc {
    pub(crate) requests: Requests,
    pub(crate) frames: Frames,
}

/// The RPCs about texts over videos.
#[derive(Debug)]
pub(crate) struct Overlays {
    pub(crate) requests: Requests,
}

#[async_trait::async_trait]
impl StitchService for Grpc {
    async fn request_cut(&self, call: Call<pb::RequestCutRequest>) -> Result<Response<pb::Product>, Status> {
        let pb::RequestCutRequest { key, digest, job_id, clips, overlay } = call.into_inner();
        let input = match overlay {
            None => Input::Clips(clips),
            Some(overlay) => Input::ClipsUnder { clips, overlay: from_message(overlay) },
        };
        let request = Request { key, digest, job_id, input };
        reply(self.requests.request(request).await)
    }

    async fn request_mix(&self, call: Call<pb::RequestMixRequest>) -> Result<Response<pb::Product>, Status> {
        let pb::RequestMixRequest { key, digest, job_id, cut, soundtrack, sync_mode, fade_ms } =
            call.into_inner();
        let sync = SyncMode::parse(&sync_mode).ok_or_else(|| {
            ServiceError::validation([("sync_mode", "must be one of trim, stretch, compress")])
        })?;
        let shape = Some(Shape { sync, fade_ms }).filter(|shape| *shape != Shape::default());
        // A missing reference is refused like an empty one.
        let input = Input::CutAndSoundtrack { cut: or_empty(cut), soundtrack: or_empty(soundtrack), shape };
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

#[async_trait::async_trait]
impl OverlayService for Overlays {
    async fn request_overlay(
        &self,
        call: Call<pb::RequestOverlayRequest>,
    ) -> Result<Response<pb::Product>, Status> {
        let pb::RequestOverlayRequest { key, digest, job_id, video, overlay } = call.into_inner();
        let overlay = from_message(overlay.unwrap_or_default());
        let input = Input::VideoUnder { video: or_empty(video), overlay };
        reply(self.requests.request(Request { key, digest, job_id, input }).await)
    }

    async fn preview_overlay(&self, call: Call<pb::Overlay>) -> Result<Response<pb::OverlayPreview>, Status> {
        let overlay = from_message(call.into_inner());
        let wrong = overlay.check();
        if !wrong.is_empty() {
            return Err(ServiceError::validation(wrong).into());
        }
        let expression = overlay.expression();
        Ok(Response::new(pb::OverlayPreview { overlay: Some(to_message(overlay)), expression }))
    }
}

/// The text that is asked for, with what is usual where nothing is said.
fn from_message(message: pb::Overlay) -> Overlay {
    let overlay = Overlay {
        text: message.text,
        font: message.font,
        font_size: message.font_size,
        color: message.color,
        position: message.position,
        start_ms: message.start_ms,
        duration_ms: message.duration_ms,
        at: message.x.zip(message.y),
        ..Overlay::default()
    };
    overlay.filled(message.fade_in_ms, message.fade_out_ms)
}

fn to_message(overlay: Overlay) -> pb::Overlay {
    pb::Overlay {
        text: overlay.text,
        font: overlay.font,
        font_size: overlay.font_size,
        color: overlay.color,
        position: overlay.position,
        fade_in_ms: Some(overlay.fade_in_ms),
        fade_out_ms: Some(overlay.fade_out_ms),
        start_ms: overlay.start_ms,
        duration_ms: overlay.duration_ms,
        x: overlay.at.map(|(x, _)| x),
        y: overlay.at.map(|(_, y)| y),
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
