//! The stitch worker: cuts and mixes, and what became of them.

use job_domain::{Command, CutOutcome, Effect, Job, command::Failure, pipeline::Overlay, state::Product};
use kit::grpc::Channel;
use protos::{
    common::v1::BlobRef,
    stitch::v1::{self as pb, stitch_service_client::StitchServiceClient},
};

use super::{AskError, ask_error, blob_in, blob_out, canceled, failure, length_in, length_out, nonsense};

pub(super) async fn ask(
    mut worker: StitchServiceClient<Channel>,
    job: &Job,
    effect: &Effect,
) -> Result<Option<Command>, AskError> {
    let (answer, product, cut) = match effect {
        Effect::Cut { job, cut, key, digest, clips, overlay } => {
            let request = pb::RequestCutRequest {
                key: key.clone(),
                digest: digest.clone(),
                job_id: *job,
                clips: clips.iter().map(|clip| blob_out(&clip.clip)).collect(),
                overlay: overlay.as_ref().map(overlay_out),
            };
            (worker.request_cut(request).await, Product::Cut, *cut)
        }
        Effect::Mix { job, cut, key, digest, input } => {
            let request = pb::RequestMixRequest {
                key: key.clone(),
                digest: digest.clone(),
                job_id: *job,
                cut: Some(blob_out(&input.video)),
                soundtrack: Some(blob_out(&input.soundtrack)),
                sync_mode: input.shape.map_or_else(String::new, |shape| shape.sync.as_str().to_owned()),
                fade_ms: input.shape.map(|shape| length_out(shape.fade_ms)),
            };
            (worker.request_mix(request).await, Product::Mix, *cut)
        }
        Effect::CancelProduct { product, cut, key, .. } => {
            let reason = job.error.clone().unwrap_or_else(|| "it is not wanted any more".to_owned());
            let request = pb::CancelProductRequest { key: key.clone(), reason };
            (worker.cancel_product(request).await, *product, *cut)
        }
        _ => return Ok(None),
    };
    let answered = outcome(answer.map_err(ask_error)?.into_inner())?;
    Ok(answered.map(|outcome| reported(product, cut, outcome)))
}

fn overlay_out(overlay: &Overlay) -> pb::Overlay {
    pb::Overlay {
        text: overlay.text.clone(),
        font: overlay.font.clone(),
        font_size: overlay.font_size,
        color: overlay.color.clone(),
        position: overlay.position.clone(),
        fade_in_ms: Some(overlay.fade_in_ms),
        fade_out_ms: Some(overlay.fade_out_ms),
        ..pb::Overlay::default()
    }
}

fn reported(product: Product, cut: u32, outcome: CutOutcome) -> Command {
    match product {
        Product::Cut => cut_reported(cut, outcome),
        Product::Mix => mix_reported(cut, outcome),
    }
}

/// The report that a cut came to this.
#[must_use]
pub fn cut_reported(cut: u32, outcome: CutOutcome) -> Command {
    Command::CutReported { cut, outcome }
}

/// The report that a mix came to this.
#[must_use]
pub fn mix_reported(cut: u32, outcome: CutOutcome) -> Command {
    Command::MixReported { cut, outcome }
}

pub(super) fn failed(product: Product, cut: u32, failure: Failure) -> Command {
    reported(product, cut, CutOutcome::Failed(failure))
}

/// What the worker's state means; none while it is at it.
fn outcome(product: pb::Product) -> Result<Option<CutOutcome>, AskError> {
    Ok(match product.state.as_str() {
        "ready" => Some(CutOutcome::Ready {
            video: blob_in(product.video.ok_or_else(|| nonsense("stitch", "the video"))?),
            poster: product.poster.map(blob_in),
            duration_ms: length_in(
                product.duration_ms.ok_or_else(|| nonsense("stitch", "the video's length"))?,
            ),
        }),
        "failed" => Some(CutOutcome::Failed(failure(product.reason, true))),
        "canceled" => Some(CutOutcome::Failed(canceled(product.reason))),
        _ => None,
    })
}

/// A video that the worker published; none when the message names none.
#[must_use]
pub fn ready(video: Option<BlobRef>, poster: Option<BlobRef>, duration_ms: u64) -> Option<CutOutcome> {
    Some(CutOutcome::Ready {
        video: blob_in(video?),
        poster: poster.map(blob_in),
        duration_ms: length_in(duration_ms),
    })
}

/// A video that the worker published as failed.
#[must_use]
pub fn failed_outcome(reason: String) -> CutOutcome {
    CutOutcome::Failed(failure(Some(reason), true))
}
