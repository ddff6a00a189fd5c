//! The stitch worker: cuts and mixes, and what became of them.

use job_domain::{Command, CutOutcome, Effect, Job, command::Failure, state::Product};
use kit::grpc::Channel;
use protos::{
    common::v1::BlobRef,
    stitch::v1::{self as pb, stitch_service_client::StitchServiceClient},
};

use super::{AskError, ask_error, blob_in, blob_out, canceled, failure, length_in, nonsense};

pub(super) async fn ask(
    mut worker: StitchServiceClient<Channel>,
    job: &Job,
    effect: &Effect,
) -> Result<Option<Command>, AskError> {
    let (answer, product, cut) = match effect {
        Effect::Cut { job, cut, key, digest, clips } => {
            let request = pb::RequestCutRequest {
                key: key.clone(),
                digest: digest.clone(),
                job_id: *job,
                clips: clips.iter().map(|clip| blob_out(&clip.clip)).collect(),
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
