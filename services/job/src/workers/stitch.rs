//! The stitch worker: cuts and mixes, and what became of them.

use job_domain::{Command, CutOutcome, Effect, command::Failure};
use kit::grpc::Channel;
use protos::{
    common::v1::BlobRef,
    stitch::v1::{self as pb, stitch_service_client::StitchServiceClient},
};

use super::{AskError, ask_error, blob_in, blob_out, canceled, failure, length_in, nonsense};

pub(super) async fn ask(
    mut worker: StitchServiceClient<Channel>,
    effect: &Effect,
) -> Result<Option<Command>, AskError> {
    match effect {
        Effect::Cut { job, cut, key, digest, clips } => {
            let request = pb::RequestCutRequest {
                key: key.clone(),
                digest: digest.clone(),
                job_id: *job,
                clips: clips.iter().map(|clip| blob_out(&clip.clip)).collect(),
            };
            let product = worker.request_cut(request).await.map_err(ask_error)?.into_inner();
            Ok(outcome(product)?.map(|outcome| cut_reported(*cut, outcome)))
        }
        Effect::Mix { job, cut, key, digest, input } => {
            let request = pb::RequestMixRequest {
                key: key.clone(),
                digest: digest.clone(),
                job_id: *job,
                cut: Some(blob_out(&input.video)),
                soundtrack: Some(blob_out(&input.soundtrack)),
            };
            let product = worker.request_mix(request).await.map_err(ask_error)?.into_inner();
            Ok(outcome(product)?.map(|outcome| mix_reported(*cut, outcome)))
        }
        _ => Ok(None),
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

pub(super) fn cut_failed(cut: u32, failure: Failure) -> Command {
    cut_reported(cut, CutOutcome::Failed(failure))
}

pub(super) fn mix_failed(cut: u32, failure: Failure) -> Command {
    mix_reported(cut, CutOutcome::Failed(failure))
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
